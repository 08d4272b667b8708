import { setTimeout as wait } from 'node:timers/promises';
import type { BlackBoxEntry } from '../../common/black-box.ts';
import { toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { deferred } from '../../common/waits.ts';
import type { Graph } from '../../pipeline/graph.ts';
import { EXIT_CODES, type StatsEvent } from '../../worker/protocol.ts';
import type { EventFacts } from '../event-log.ts';
import type {
  IncidentKind,
  LaneName,
  Reason,
  WorkerExit,
  WorkerState,
  WorkerView,
} from '../types.ts';
import { ENDED, type Outcome, outcomeOf, type TryAgain } from '../worker-outcome.ts';
import type { WorkerProcess } from '../worker-process.ts';
import { DataLines } from './data-lines.ts';
import type { LaneHost } from './lane-host.ts';
import { LaneStreams } from './lane-streams.ts';
import { launchWorker } from './launch-worker.ts';
import { prepareEngines } from './prepare-engines.ts';
import type { Program } from './program.ts';
import { RestartPolicy } from './restart-policy.ts';
import { ENGINE_BACKOFF, STREAM_POLICY } from './settings.ts';
import { WorkerReports } from './worker-reports.ts';
import { WorkerWatch } from './worker-watch.ts';

export interface LaneOptions {
  readonly name: LaneName;
  /** Later lanes of the same pipeline have larger numbers: the later one takes a stream over, never the other way. */
  readonly order: number;
  readonly program: Program;
  readonly streamIds: Iterable<string>;
  /** Of the lane whose place it takes: its deaths count on. */
  readonly restarts?: RestartPolicy;
}

/** One worker process at a time for some of a pipeline's streams, started again as long as it is needed. */
export class Lane {
  name: LaneName;
  readonly order: number;
  readonly program: Program;
  readonly streams: LaneStreams;
  readonly restarts: RestartPolicy;
  readonly #host: LaneHost;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #lines: DataLines;
  readonly #reports: WorkerReports;
  #loop: Promise<void> = Promise.resolve();
  #looping = false;
  #closed: Promise<void> | undefined;
  #state: WorkerState = 'stopped';
  #worker: WorkerProcess | undefined;
  #watch: WorkerWatch | undefined;
  /** It was given its graphs. */
  #serving: WorkerProcess | undefined;
  #ready = false;
  /** Streams that it was given. */
  #served = new Set<string>();
  /** Ends the wait for the next try. */
  #wake: AbortController | undefined;
  /** It is ended to be started again at once. */
  #restarting: Reason | undefined;
  #startedAt: Date | undefined;
  #startedMs = 0;
  #retryAt: Date | undefined;
  #lastExit: WorkerExit | undefined;
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
    this.#logger = host.logger.child({ lane: `${options.name}-${options.order}` });
    const { streams, scrubber } = host;
    this.streams = new LaneStreams(options.streamIds, { streams, scrubber, logger: this.#logger });
    this.#lines = new DataLines((facts) => this.#emit('records.unread', facts));
    this.#reports = new WorkerReports(host, {
      logger: this.#logger,
      onStream: (event) => this.streams.phase(event),
      onStats: (event) => this.#onStats(event),
      onFrozen: (event) => host.frozen(this, event),
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
    return this.#serving;
  }

  /** Its worker has taken its graphs. */
  get ready(): boolean {
    return this.#ready && this.#serving !== undefined;
  }

  /** How long its process has run; 0 while none does. */
  get ranMs(): number {
    return this.#worker === undefined ? 0 : this.#nowMs() - this.#startedMs;
  }

  /** Settles at the first try that fails, or when its worker dies. */
  get failed(): Promise<Reason> {
    return this.#failed.promise;
  }

  get lastStats(): StatsEvent | undefined {
    return this.#watch?.last;
  }

  view(): WorkerView {
    const pid = this.#worker?.pid;
    const { rssBytes, threads, fds } = this.lastStats ?? {};
    const cpu = this.#watch?.cores;
    return {
      pipelineId: this.#host.pipelineId,
      state: this.#state,
      streams: this.streams.ids,
      lane: this.name,
      ...(pid === undefined ? {} : { pid }),
      ...(pid === undefined || rssBytes === undefined ? {} : { rssBytes }),
      ...(pid === undefined || !threads ? {} : { threads }),
      ...(pid === undefined || !fds ? {} : { fds }),
      ...(pid === undefined || cpu === undefined ? {} : { cpu }),
      restarts: this.restarts.restarts,
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt.toISOString() }),
      ...(this.#retryAt === undefined ? {} : { retryAt: this.#retryAt.toISOString() }),
      ...(this.#lastExit === undefined ? {} : { lastExit: this.#lastExit }),
    };
  }

  /** The worker was given this stream's graph while it ran. */
  noteServed(id: string): void {
    this.#served.add(id);
  }

  /** Ends the worker, with a gap, and starts another at once. Resolves when the first is gone. */
  async restart(reason: Reason, drainMs: number): Promise<void> {
    const worker = this.#worker;
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
    await this.#worker?.stop({ drainMs });
    await this.#loop;
    await this.#lines.close(deadlineMs);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && this.streams.running.length > 0) {
      const outcome = await this.#runOnce();
      const ranMs = this.ranMs;
      this.#worker = undefined;
      this.#serving = undefined;
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
      const reason = this.#reasonOf(error);
      const retryable = toSightlineError(error).retryable;
      return { next: retryable ? 'again' : 'reject', reason, backoff: ENGINE_BACKOFF };
    }
    if (signal.aborted) return { next: 'over' };
    this.#emit('worker.starting', { failures: this.restarts.failures });
    let worker: WorkerProcess;
    try {
      worker = await context.gate.run(() => this.#launch());
    } catch (error) {
      return { next: 'again', reason: this.#reasonOf(error) };
    }
    this.#worker = worker;
    this.#startedAt = context.clock.now();
    this.#startedMs = this.#nowMs();
    if (signal.aborted) await worker.stop({ drainMs: 0 });
    else this.#tellRunning(worker);
    return this.#serve(worker);
  }

  async #launch(): Promise<WorkerProcess> {
    const worker = await launchWorker(this.#host, this.program, {
      owner: {
        logger: this.#logger,
        onEvent: (event) => this.#reports.take(event),
        onRecords: (records) => this.#host.take(this, records),
        onExit: (exit, pid, lastLines) => this.#noteExit(exit, pid, lastLines),
      },
      signal: this.#closing.signal,
    });
    this.#lines.add(worker);
    return worker;
  }

  /** Before the worker is given its graphs: what it then reports of its streams comes after. */
  #tellRunning(worker: WorkerProcess): void {
    this.#state = 'running';
    this.#emit('worker.running', { pid: worker.pid });
    this.#host.context.spare?.prepare();
  }

  async #serve(worker: WorkerProcess): Promise<Outcome> {
    const { pipelineId } = this.#host;
    this.#watch = new WorkerWatch(worker, {
      settings: this.#host.context.settings,
      streams: () => this.streams.running.length,
      onOverBudget: (reason) => this.#host.overBudget(this, reason),
    });
    // Taken now: from here on the worker itself is told what changes.
    const graphs = this.graphs;
    this.#served = new Set(this.streams.running);
    this.#serving = worker;
    this.#ready = false;
    const stream = { ...STREAM_POLICY, ...this.program.pipeline.policy };
    const others = graphs.flatMap(({ streams }) => streams);
    const over = others.filter((id) => !this.#served.has(id));
    try {
      const { waits } = this.streams;
      await worker.start({ pipelineId, graphs, stream, over, waits });
      this.#watch.begin();
      this.#ready = true;
    } catch (error) {
      const exit = await worker.stop({ drainMs: 0 });
      const { code, retryable } = toSightlineError(error);
      if (code === 'SL_WORKER_DIED') return outcomeOf(exit);
      return { next: retryable ? 'again' : 'reject', reason: this.#reasonOf(error) };
    } finally {
      void worker.exited.then(() => this.#watch?.end());
    }
    return outcomeOf(await worker.exited);
  }

  /** Those with a stream that is not over here: an ended file is not played again because a neighbour crashed. */
  get graphs(): readonly Graph[] {
    const running = new Set(this.streams.running);
    return this.program.graphs.all.filter(({ streams }) => streams.some((id) => running.has(id)));
  }

  #onStats(event: StatsEvent): void {
    this.#watch?.heard(event);
    if (this.#worker !== undefined) this.streams.stats(event, this.#worker);
  }

  #noteExit(exit: WorkerExit, pid: number, lastLines: readonly BlackBoxEntry[]): void {
    this.#lastExit = exit;
    if (this.#worker !== undefined) this.streams.workerGone(this.#worker);
    const { kind, code, signal, message } = exit;
    if (kind === 'died') this.#logger.error({ pid, stderrTail: exit.stderrTail }, 'worker.died');
    const cause = kind === 'died' ? { code: exit.fault ?? 'SL_WORKER_DIED' } : {};
    this.#emit('worker.exited', { pid, kind, exitCode: code, signal, message, ...cause });
    // A start that was called off is no incident.
    if (kind !== 'died' || (this.closing && this.#worker === undefined)) return;
    const reason = { code: exit.fault ?? 'SL_WORKER_DIED', message };
    const incident = this.#worker === undefined ? 'not-ready' : kindOf(exit);
    this.#host.record(this, { kind: incident, reason, pid, exit, blackBox: lastLines });
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
    const pid = this.#worker?.pid ?? 0;
    if (deaths === this.#host.context.settings.restart.maxDeaths + 1) {
      this.#host.record(this, { kind: 'crash-loop', reason, pid });
    }
    return reason;
  }

  /** Of the streams that this worker was given: one that came later goes to the next. */
  #endStreams(outcome: Exclude<Outcome, TryAgain>): void {
    if (outcome.next === 'reject') this.#failed.resolve(outcome.reason);
    const ids = this.streams.running.filter(
      (id) => this.#served.has(id) || outcome.next !== 'over',
    );
    const to = outcome.next === 'reject' ? 'rejected' : 'stopped';
    this.streams.enter(to, { reason: outcome.next === 'reject' ? outcome.reason : ENDED }, ids);
    for (const id of ids) this.streams.markOver(id);
  }

  #reasonOf(error: unknown): Reason {
    const { code, message } = toSightlineError(error);
    return { code, message: this.#host.scrubber.text(message) };
  }

  #nowMs(): number {
    return this.#host.context.clock.monotonicMs();
  }

  #emit(type: string, facts: EventFacts): void {
    const { pipelineId, context } = this.#host;
    const lane = this.name === 'main' ? {} : { lane: this.name };
    context.events.emit(type, { pipelineId, ...lane, ...facts });
  }
}

function kindOf(exit: WorkerExit): IncidentKind {
  if (exit.fault === 'SL_WORKER_HUNG') return 'hung';
  return exit.code === EXIT_CODES.frozen ? 'frozen' : 'died';
}
