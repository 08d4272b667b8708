import type { BlackBoxEntry } from '../../common/black-box.ts';
import { toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { EXIT_CODES, type StatsEvent } from '../../worker/protocol.ts';
import type { EventFacts } from '../event-log.ts';
import type { Scrubber } from '../scrubber.ts';
import type { IncidentKind, Reason, WorkerExit, WorkerView } from '../types.ts';
import { type Outcome, outcomeOf } from '../worker-outcome.ts';
import type { WorkerProcess } from '../worker-process.ts';
import { DataLines } from './data-lines.ts';
import type { Lane } from './lane.ts';
import type { LaneHost } from './lane-host.ts';
import { launchWorker } from './launch-worker.ts';
import { STREAM_POLICY } from './settings.ts';
import { WorkerReports } from './worker-reports.ts';
import { WorkerWatch } from './worker-watch.ts';

export interface LaneProcessOptions {
  readonly lane: Lane;
  readonly host: LaneHost;
  readonly logger: Logger;
  /** The lane closes. */
  readonly signal: AbortSignal;
  readonly emit: (type: string, facts: EventFacts) => void;
  /** There is a process, which has no graphs yet. */
  readonly onRunning: () => void;
}

/** What is known of the process that is there, or was last. */
type ProcessFacts = Pick<
  WorkerView,
  'pid' | 'rssBytes' | 'threads' | 'fds' | 'cpu' | 'startedAt' | 'lastExit'
>;

/** The worker process of a lane from its spawn to its exit, one after the other; the lane says when. */
export class LaneProcess {
  readonly #options: LaneProcessOptions;
  readonly #lines: DataLines;
  readonly #reports: WorkerReports;
  #worker: WorkerProcess | undefined;
  #watch: WorkerWatch | undefined;
  /** It was given its graphs. */
  #serving: WorkerProcess | undefined;
  #ready = false;
  /** Streams that it was given. */
  #served = new Set<string>();
  #startedAt: Date | undefined;
  #startedMs = 0;
  #lastExit: WorkerExit | undefined;

  constructor(options: LaneProcessOptions) {
    const { lane, host, logger, emit } = options;
    this.#options = options;
    this.#lines = new DataLines((facts) => emit('records.unread', facts));
    this.#reports = new WorkerReports(host, {
      logger,
      onStream: (event) => lane.streams.phase(event),
      onStats: (event) => this.#onStats(event),
      onFrozen: (event) => host.frozen(lane, event),
      onFallback: (event) => lane.streams.fellBack(event),
    });
  }

  get current(): WorkerProcess | undefined {
    return this.#worker;
  }

  /** The one that runs the lane's graphs. */
  get serving(): WorkerProcess | undefined {
    return this.#serving;
  }

  /** It has taken its graphs. */
  get ready(): boolean {
    return this.#ready && this.#serving !== undefined;
  }

  /** How long it has run; 0 while there is none. */
  get ranMs(): number {
    return this.#worker === undefined ? 0 : this.#nowMs() - this.#startedMs;
  }

  get lastStats(): StatsEvent | undefined {
    return this.#watch?.last;
  }

  facts(): ProcessFacts {
    const pid = this.#worker?.pid;
    const { rssBytes, threads, fds } = this.lastStats ?? {};
    const cpu = this.#watch?.cores;
    return {
      ...(pid === undefined ? {} : { pid }),
      ...(pid === undefined || rssBytes === undefined ? {} : { rssBytes }),
      ...(pid === undefined || !threads ? {} : { threads }),
      ...(pid === undefined || !fds ? {} : { fds }),
      ...(pid === undefined || cpu === undefined ? {} : { cpu }),
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt.toISOString() }),
      ...(this.#lastExit === undefined ? {} : { lastExit: this.#lastExit }),
    };
  }

  /** It was given this stream's graph while it ran. */
  noteServed(id: string): void {
    this.#served.add(id);
  }

  wasGiven(id: string): boolean {
    return this.#served.has(id);
  }

  /** One process from spawn to exit. */
  async run(): Promise<Outcome> {
    const { host, signal, emit, onRunning } = this.#options;
    const { context, scrubber } = host;
    let worker: WorkerProcess;
    try {
      worker = await context.gate.run(() => this.#launch());
    } catch (error) {
      return { next: 'again', reason: reasonOf(error, scrubber) };
    }
    this.#worker = worker;
    this.#startedAt = context.clock.now();
    this.#startedMs = this.#nowMs();
    if (signal.aborted) await worker.stop({ drainMs: 0 });
    else {
      // Before it is given its graphs: what it then reports of its streams comes after.
      onRunning();
      emit('worker.running', { pid: worker.pid });
      context.spare?.prepare();
    }
    return this.#serve(worker);
  }

  /** After its exit: it is forgotten. Returns how long it ran. */
  release(): number {
    const { ranMs } = this;
    this.#worker = undefined;
    this.#serving = undefined;
    return ranMs;
  }

  /** Waits until what processes wrote is read. `deadlineMs` by performance.now(). */
  closeLines(deadlineMs: number): Promise<void> {
    return this.#lines.close(deadlineMs);
  }

  async #launch(): Promise<WorkerProcess> {
    const { lane, host, logger, signal } = this.#options;
    const worker = await launchWorker(host, lane.program, {
      owner: {
        logger,
        onEvent: (event) => this.#reports.take(event),
        onRecords: (records) => host.take(lane, records),
        onExit: (exit, pid, lastLines) => this.#noteExit(exit, pid, lastLines),
      },
      signal,
    });
    this.#lines.add(worker);
    return worker;
  }

  async #serve(worker: WorkerProcess): Promise<Outcome> {
    const { lane, host } = this.#options;
    const { pipelineId, scrubber } = host;
    this.#watch = new WorkerWatch(worker, {
      settings: host.context.settings,
      streams: () => lane.streams.running.length,
      onOverBudget: (reason) => host.overBudget(lane, reason),
    });
    // Taken now: from here on the worker itself is told what changes.
    const { graphs } = lane;
    this.#served = new Set(lane.streams.running);
    this.#serving = worker;
    this.#ready = false;
    const stream = { ...STREAM_POLICY, ...lane.program.pipeline.policy };
    const others = graphs.flatMap(({ streams }) => streams);
    const over = others.filter((id) => !this.#served.has(id));
    try {
      const { waits } = lane.streams;
      await worker.start({ pipelineId, graphs, stream, over, waits });
      this.#watch.begin();
      this.#ready = true;
    } catch (error) {
      const exit = await worker.stop({ drainMs: 0 });
      const { code, retryable } = toSightlineError(error);
      if (code === 'SL_WORKER_DIED') return outcomeOf(exit);
      return { next: retryable ? 'again' : 'reject', reason: reasonOf(error, scrubber) };
    } finally {
      void worker.exited.then(() => this.#watch?.end());
    }
    return outcomeOf(await worker.exited);
  }

  #onStats(event: StatsEvent): void {
    this.#watch?.heard(event);
    if (this.#worker !== undefined) this.#options.lane.streams.stats(event, this.#worker);
  }

  #noteExit(exit: WorkerExit, pid: number, lastLines: readonly BlackBoxEntry[]): void {
    const { lane, host, logger, signal, emit } = this.#options;
    this.#lastExit = exit;
    if (this.#worker !== undefined) lane.streams.workerGone(this.#worker);
    const { kind, code, signal: killedBy, message } = exit;
    if (kind === 'died') logger.error({ pid, stderrTail: exit.stderrTail }, 'worker.died');
    const cause = kind === 'died' ? { code: exit.fault ?? 'SL_WORKER_DIED' } : {};
    emit('worker.exited', { pid, kind, exitCode: code, signal: killedBy, message, ...cause });
    // A start that was called off is no incident.
    if (kind !== 'died' || (signal.aborted && this.#worker === undefined)) return;
    const reason = { code: exit.fault ?? 'SL_WORKER_DIED', message };
    const incident = this.#worker === undefined ? 'not-ready' : kindOf(exit);
    host.record(lane, { kind: incident, reason, pid, exit, blackBox: lastLines });
  }

  #nowMs(): number {
    return this.#options.host.context.clock.monotonicMs();
  }
}

/** As it is shown: without secrets. */
export function reasonOf(error: unknown, scrubber: Scrubber): Reason {
  const { code, message } = toSightlineError(error);
  return { code, message: scrubber.text(message) };
}

function kindOf(exit: WorkerExit): IncidentKind {
  if (exit.fault === 'SL_WORKER_HUNG') return 'hung';
  return exit.code === EXIT_CODES.frozen ? 'frozen' : 'died';
}
