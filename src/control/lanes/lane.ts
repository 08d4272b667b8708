import { setTimeout as wait } from 'node:timers/promises';
import { toSightlineError } from '../../common/errors.ts';
import { deferred } from '../../common/waits.ts';
import type { Graph } from '../../pipeline/graph.ts';
import type { StatsEvent } from '../../worker/protocol.ts';
import type { EventFacts } from '../event-log.ts';
import type { LaneName, Reason, WorkerState, WorkerView } from '../types.ts';
import { ENDED, type Outcome, type TryAgain } from '../worker-outcome.ts';
import type { WorkerProcess } from '../worker-process.ts';
import type { LaneHost } from './lane-host.ts';
import { LaneProcess, reasonOf } from './lane-process.ts';
import { LaneStreams } from './lane-streams.ts';
import { prepareEngines } from './prepare-engines.ts';
import type { Program } from './program.ts';
import { RestartPolicy } from './restart-policy.ts';
import { ENGINE_BACKOFF } from './settings.ts';

export interface LaneOptions {
  readonly name: LaneName;
  /** Later lanes of the same pipeline have larger numbers: the later one takes a stream over, never the other way. */
  readonly order: number;
  readonly program: Program;
  readonly streamIds: Iterable<string>;
  /** Of the lane whose place it takes: its deaths count on. */
  readonly restarts?: RestartPolicy;
}

/** One worker process at a time for some of a pipeline's streams: when it is started, and started again, as long as it is needed. */
export class Lane {
  name: LaneName;
  readonly order: number;
  readonly program: Program;
  readonly streams: LaneStreams;
  readonly restarts: RestartPolicy;
  readonly #host: LaneHost;
  readonly #closing = new AbortController();
  readonly #process: LaneProcess;
  #loop: Promise<void> = Promise.resolve();
  #looping = false;
  #closed: Promise<void> | undefined;
  #state: WorkerState = 'stopped';
  /** Ends the wait for the next try. */
  #wake: AbortController | undefined;
  /** It is ended to be started again at once. */
  #restarting: Reason | undefined;
  #retryAt: Date | undefined;
  /** Why its last try failed, while it waits for the next. */
  #failure: Reason | undefined;
  #failed = deferred<Reason>();

  constructor(options: LaneOptions, host: LaneHost) {
    const { clock, settings } = host.context;
    this.name = options.name;
    this.order = options.order;
    this.program = options.program;
    this.restarts = options.restarts ?? new RestartPolicy(settings.restart, clock.monotonicMs);
    this.#host = host;
    const logger = host.logger.child({ lane: `${options.name}-${options.order}` });
    const { streams, scrubber } = host;
    this.streams = new LaneStreams(options.streamIds, { streams, scrubber, logger });
    this.#process = new LaneProcess({
      ...{ lane: this, host, logger, signal: this.#closing.signal },
      emit: (type, facts) => this.#emit(type, facts),
      onRunning: () => {
        this.#state = 'running';
      },
    });
  }

  /** Begins, where it does not run; the worker comes up in the background. */
  start(): void {
    this.#wake?.abort();
    if (this.#looping || this.#closing.signal.aborted) return;
    this.#looping = true;
    this.#loop = this.#run();
  }

  get closing(): boolean {
    return this.#closing.signal.aborted;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** The process that runs its graphs, where one does. */
  get worker(): WorkerProcess | undefined {
    return this.#process.serving;
  }

  /** Its worker has taken its graphs. */
  get ready(): boolean {
    return this.#process.ready;
  }

  /** How long its process has run; 0 while none does. */
  get ranMs(): number {
    return this.#process.ranMs;
  }

  /** Settles at the first try that fails, or when its worker dies. */
  get failed(): Promise<Reason> {
    return this.#failed.promise;
  }

  get lastStats(): StatsEvent | undefined {
    return this.#process.lastStats;
  }

  view(): WorkerView {
    return {
      pipelineId: this.#host.pipelineId,
      state: this.#state,
      streams: this.streams.ids,
      lane: this.name,
      ...this.#process.facts(),
      restarts: this.restarts.restarts,
      ...(this.#retryAt === undefined ? {} : { retryAt: this.#retryAt.toISOString() }),
    };
  }

  /** The worker was given this stream's graph while it ran. */
  noteServed(id: string): void {
    this.#process.noteServed(id);
  }

  /** Ends the worker, with a gap, and starts another at once. Resolves when the first is gone. */
  async restart(reason: Reason, drainMs: number): Promise<void> {
    const worker = this.#process.current;
    if (worker === undefined) return this.start();
    this.#restarting = reason;
    await worker.stop({ drainMs });
  }

  /**
   * Drains and ends the worker for good; afterwards no process is left. Further calls wait for the first. Streams keep
   * the state that they have.
   */
  close(options: { drainMs: number }): Promise<void> {
    this.#closed ??= this.#close(options.drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<void> {
    const deadlineMs = performance.now() + drainMs;
    if (this.#state !== 'stopped') this.#state = 'draining';
    this.#closing.abort();
    this.#wake?.abort();
    await this.#process.current?.stop({ drainMs });
    await this.#loop;
    await this.#process.closeLines(deadlineMs);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && this.streams.running.length > 0) {
      const outcome = await this.#runOnce();
      const ranMs = this.#process.release();
      if (signal.aborted) break;
      if (this.#restarting !== undefined) this.#again(this.#restarting);
      else if (outcome.next !== 'again') this.#endStreams(outcome);
      else if (await this.#tryAgain(outcome, ranMs)) break;
    }
    this.#looping = false;
    this.#state = 'stopped';
  }

  /** One worker from spawn to exit. */
  async #runOnce(): Promise<Outcome> {
    const { context } = this.#host;
    this.#state = 'starting';
    this.#retryAt = undefined;
    const { signal } = this.#closing;
    this.streams.enter('pending');
    const { pipeline } = this.program;
    try {
      await prepareEngines(pipeline, context.engines, { streams: this.streams, signal });
    } catch (error) {
      const reason = reasonOf(error, this.#host.scrubber);
      const retryable = toSightlineError(error).retryable;
      return { next: retryable ? 'again' : 'reject', reason, backoff: ENGINE_BACKOFF };
    }
    if (signal.aborted) return { next: 'over' };
    this.#emit('worker.starting', { failures: this.restarts.failures });
    return this.#process.run();
  }

  /** Those with a stream that is not over here: an ended file is not played again because a neighbour crashed. */
  get graphs(): readonly Graph[] {
    const running = new Set(this.streams.running);
    return this.program.graphs.all.filter(({ streams }) => streams.some((id) => running.has(id)));
  }

  #again(reason: Reason): void {
    this.#restarting = undefined;
    for (const stream of this.streams.owned()) {
      stream.counts.workerRestarts += 1;
      stream.enter('backoff', { reason, retryInMs: 0 });
    }
  }

  /** Waits for the next try; true when there is none. */
  async #tryAgain(outcome: TryAgain, ranMs: number): Promise<boolean> {
    const { died, backoff, reason: cause } = outcome;
    const restart =
      died === undefined
        ? this.restarts.failed(backoff)
        : this.restarts.died(ranMs, died === 'crash');
    this.#failure = outcome.reason;
    this.#failed.resolve(outcome.reason);
    if (died === 'crash' && this.#host.leavesAfterDeath(this, cause)) return true;
    const { waitMs, crashLoop } = restart;
    this.#state = crashLoop ? 'crash_loop' : 'backoff';
    this.#retryAt = new Date(this.#host.context.clock.now().getTime() + waitMs);
    const reason = crashLoop ? this.#tellCrashLoop(waitMs) : cause;
    for (const stream of this.streams.owned()) {
      stream.counts.workerRestarts += 1;
      stream.enter('backoff', { reason, retryInMs: waitMs });
    }
    if (waitMs === 0 || this.closing) return false;
    this.#wake = new AbortController();
    await wait(waitMs, undefined, { signal: this.#wake.signal }).catch(() => undefined);
    this.#wake = undefined;
    return false;
  }

  #tellCrashLoop(retryInMs: number): Reason {
    const { deaths } = this.restarts;
    const minutes = Math.round(this.#host.context.settings.restart.windowMs / 60_000);
    const reason = {
      code: 'SL_WORKER_CRASH_LOOP' as const,
      message: `The worker died ${deaths} times within ${minutes} minutes, the last time so: ${this.#failure?.message}`,
    };
    this.#emit('worker.crash_loop', { deaths, retryInMs, ...reason });
    if (deaths === this.#host.context.settings.restart.maxDeaths + 1) {
      // It is gone.
      this.#host.record(this, { kind: 'crash-loop', reason, pid: 0 });
    }
    return reason;
  }

  /** Of the streams that this worker was given: one that came later goes to the next. */
  #endStreams(outcome: Exclude<Outcome, TryAgain>): void {
    if (outcome.next === 'reject') this.#failed.resolve(outcome.reason);
    const ids = this.streams.running.filter(
      (id) => this.#process.wasGiven(id) || outcome.next !== 'over',
    );
    const to = outcome.next === 'reject' ? 'rejected' : 'stopped';
    this.streams.enter(to, { reason: outcome.next === 'reject' ? outcome.reason : ENDED }, ids);
    for (const id of ids) this.streams.markOver(id);
  }

  #emit(type: string, facts: EventFacts): void {
    const { pipelineId, context } = this.#host;
    const lane = this.name === 'main' ? {} : { lane: this.name };
    context.events.emit(type, { pipelineId, ...lane, ...facts });
  }
}
