import { setTimeout as wait } from 'node:timers/promises';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { type BackoffOptions, fullJitterMs } from '../common/retry.ts';
import { settlesWithin } from '../common/waits.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import type { StreamPolicy } from '../worker/protocol.ts';
import { preparingReason } from './engine-reason.ts';
import type { EventFacts, EventLog } from './event-log.ts';
import { LiveGraphs } from './live-graphs.ts';
import { RecordIntake } from './record-intake.ts';
import { passwordOf, Scrubber, secretsOfGraphs } from './scrubber.ts';
import { sealSpec } from './sealed-spec.ts';
import type { StartGate } from './start-gate.ts';
import type { Clock } from './stream-state.ts';
import { SupervisedStream } from './supervised-stream.ts';
import type {
  CompiledPipeline,
  EngineProgress,
  EngineStore,
  Reason,
  RecordConsumer,
  WorkerExit,
  WorkerState,
  WorkerView,
} from './types.ts';
import { type WorkerCommand, withEnvironment } from './worker-command.ts';
import { WorkerEvents } from './worker-events.ts';
import { ENDED, type Outcome, outcomeOf, type TryAgain } from './worker-outcome.ts';
import { type WorkerLimits, WorkerProcess } from './worker-process.ts';

/** Bounds of the wait before a worker that died is started again. */
export const RESTART_BACKOFF: BackoffOptions = { baseMs: 500, capMs: 30_000 };
/** Likewise where an engine could not be built: a try takes minutes of the whole GPU. */
export const ENGINE_BACKOFF: BackoffOptions = { baseMs: 10_000, capMs: 600_000 };
/** A worker that ran this long starts over with the shortest wait. */
const HEALTHY_MS = 60_000;
/** Beyond the worker's own limit of a start. */
const START_ANSWER_MS = 5_000;
/** At least this long is what a gone worker had sent read out, whatever the drain took. */
const READ_OUT_MS = 100;

export const STREAM_POLICY: StreamPolicy = {
  firstFrameTimeoutMs: 15_000,
  stallTimeoutMs: 10_000,
  backoffBaseMs: 1_000,
  backoffCapMs: 30_000,
  authProbeMs: 300_000,
};

/** What all supervisors of a control process share. */
export interface SupervisorContext {
  readonly command: WorkerCommand;
  readonly consume: RecordConsumer;
  readonly events: EventLog;
  readonly logger: Logger;
  readonly gate: StartGate;
  readonly clock: Clock;
  readonly limits?: Partial<WorkerLimits>;
  /** Default RESTART_BACKOFF, and ENGINE_BACKOFF for engines. */
  readonly backoff?: BackoffOptions;
  /** Needed by pipelines that name engines. */
  readonly engines?: EngineStore;
}

/** Keeps one pipeline's worker process running until it is told to close or all its streams are over. */
export class PipelineSupervisor {
  readonly pipelineId: string;
  readonly streams: ReadonlyMap<string, SupervisedStream>;
  readonly #pipeline: CompiledPipeline;
  readonly #context: SupervisorContext;
  readonly #logger: Logger;
  readonly #scrubber: Scrubber;
  readonly #intake: RecordIntake;
  readonly #workerEvents: WorkerEvents;
  readonly #closing = new AbortController();
  /** Workers whose data line is not read to its end; some of them are gone already. */
  readonly #unread = new Set<WorkerProcess>();
  readonly #graphs: LiveGraphs;
  #loop: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;
  #state: WorkerState = 'stopped';
  #worker: WorkerProcess | undefined;
  /** Failed runs since the last healthy one. */
  #failures = 0;
  #restarts = 0;
  #startedAt: Date | undefined;
  #retryAt: Date | undefined;
  #lastExit: WorkerExit | undefined;

  constructor(pipeline: CompiledPipeline, context: SupervisorContext) {
    const { pipelineId } = pipeline;
    const { events, consume, clock } = context;
    this.pipelineId = pipelineId;
    this.#pipeline = pipeline;
    this.#graphs = new LiveGraphs(pipeline.graphs);
    this.#context = context;
    this.#logger = context.logger.child({ pipeline: pipelineId });
    this.#scrubber = new Scrubber(secretsOf(pipeline));
    const streams = pipeline.streams.map(
      ({ id }) => [id, new SupervisedStream(id, pipelineId, events, clock, pipeline)] as const,
    );
    this.streams = new Map(streams);
    this.#workerEvents = new WorkerEvents(this.streams, this.#scrubber, this.#logger);
    this.#intake = new RecordIntake({ pipelineId, streams: this.streams, consume, events });
  }

  /** Begins; the worker comes up in the background. To be called once. */
  start(): void {
    this.#loop = this.#run();
  }

  view(): WorkerView {
    const pid = this.#worker?.pid;
    const { rssBytes } = this.#workerEvents;
    return {
      pipelineId: this.pipelineId,
      state: this.#state,
      streams: [...this.streams.keys()],
      ...(pid === undefined ? {} : { pid }),
      ...(pid === undefined || rssBytes === undefined ? {} : { rssBytes }),
      restarts: this.#restarts,
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt.toISOString() }),
      ...(this.#retryAt === undefined ? {} : { retryAt: this.#retryAt.toISOString() }),
      ...(this.#lastExit === undefined ? {} : { lastExit: this.#lastExit }),
    };
  }

  isLive(streamId: string): boolean {
    return this.streams.get(streamId)?.state === 'live';
  }

  /** The graph of a stream, changes included. Throws `SL_UNAVAILABLE` when the stream is over. */
  graphOf(streamId: string): Graph {
    const graph = this.#graphs.of(streamId);
    if (graph !== undefined && this.streams.get(streamId)?.over === false) return graph;
    throw new SightlineError(
      'SL_UNAVAILABLE',
      `Cannot change stream '${streamId}': it is over, see its state. Remove it and create it anew.`,
    );
  }

  /** See LiveGraphs.set(). */
  async set(graphId: string, changes: readonly PropertyChange[]): Promise<readonly boolean[]> {
    try {
      return await this.#graphs.set(graphId, changes, this.#worker);
    } catch (error) {
      const { code, message } = this.#reasonOf(error);
      throw new SightlineError(code, message);
    }
  }

  /** Throws `SL_UNAVAILABLE` while no worker runs, `SL_TIMEOUT`, `SL_WORKER_DIED`. */
  async dot(streamId: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const graph = this.#graphs.of(streamId);
    if (this.#worker === undefined || graph === undefined) {
      throw new SightlineError(
        'SL_UNAVAILABLE',
        `Cannot draw the graph of stream '${streamId}': its worker does not run now. Try again when the stream is live.`,
      );
    }
    return this.#worker.dot(graph.id, options);
  }

  /** Drains and ends the worker for good; afterwards no process is left. Further calls wait for the first. */
  close(options: { drainMs: number }): Promise<void> {
    this.#closed ??= this.#close(options.drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<void> {
    const deadlineMs = performance.now() + drainMs;
    for (const stream of this.streams.values()) stream.enter('draining');
    if (this.#state !== 'stopped') this.#state = 'draining';
    this.#closing.abort();
    await this.#worker?.stop({ drainMs });
    await this.#loop;
    await Promise.all([...this.#unread].map((worker) => this.#readOut(worker, deadlineMs)));
    for (const stream of this.streams.values()) stream.enter('stopped');
  }

  /** What a worker had sent is still taken, as far as the consumer does so in time. */
  async #readOut(worker: WorkerProcess, deadlineMs: number): Promise<void> {
    const leftMs = Math.max(READ_OUT_MS, deadlineMs - performance.now());
    if (await settlesWithin(worker.drained, leftMs)) return;
    worker.discardData();
    const message =
      'The consumer held back until the end of the drain; what was still in the line is lost';
    this.#emit('records.unread', { pid: worker.pid, code: 'SL_OUTBOX_FULL', message });
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (this.#graphsToRun().length === 0) break;
      const startedMs = performance.now();
      const outcome = await this.#runOnce();
      this.#worker = undefined;
      if (signal.aborted) break;
      if (performance.now() - startedMs >= HEALTHY_MS) this.#failures = 0;
      if (outcome.next === 'again') await this.#waitToRestart(outcome);
      else this.#endStreams(outcome);
    }
    this.#state = 'stopped';
  }

  /** The graphs whose streams are not all over: an ended file is not played again because a neighbour crashed. */
  #graphsToRun(): readonly Graph[] {
    return this.#graphs.all.filter(({ streams }) =>
      streams.some((id) => this.streams.get(id)?.over === false),
    );
  }

  /** One worker from spawn to exit. */
  async #runOnce(): Promise<Outcome> {
    this.#state = 'starting';
    this.#retryAt = undefined;
    for (const stream of this.#running()) stream.enter('pending');
    try {
      await this.#prepareEngines();
    } catch (error) {
      const reason = this.#reasonOf(error);
      const retryable = toSightlineError(error).retryable;
      return { next: retryable ? 'again' : 'reject', reason, backoff: ENGINE_BACKOFF };
    }
    if (this.#closing.signal.aborted) return { next: 'over' };
    this.#emit('worker.starting', { failures: this.#failures });
    try {
      this.#worker = await this.#context.gate.run(() => this.#launch());
    } catch (error) {
      return { next: 'again', reason: this.#reasonOf(error) };
    }
    this.#startedAt = this.#context.clock.now();
    if (this.#closing.signal.aborted) await this.#worker.stop({ drainMs: 0 });
    else this.#tellRunning(this.#worker);
    return this.#serve(this.#worker);
  }

  /** Waits until the engines of the pipeline are built; its streams are `preparing` as long as one is missing. */
  async #prepareEngines(): Promise<void> {
    const { engines = [], pipelineId } = this.#pipeline;
    if (engines.length === 0) return;
    const store = this.#context.engines;
    if (store === undefined) {
      const message = `Pipeline "${pipelineId}" needs TensorRT engines, but there is no engine cache`;
      throw new SightlineError('SL_INTERNAL', message);
    }
    const { signal } = this.#closing;
    try {
      await store.ensure(engines, { signal, onProgress: (progress) => this.#onEngine(progress) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (signal.aborted) return;
    for (const stream of this.#running()) {
      if (stream.state === 'preparing') stream.enter('pending');
    }
  }

  #onEngine(progress: EngineProgress): void {
    const reason = preparingReason(progress);
    for (const stream of this.#running()) {
      if (stream.state === 'preparing') stream.explain(reason);
      else stream.enter('preparing', { reason });
    }
  }

  async #launch(): Promise<WorkerProcess> {
    const { command } = this.#context;
    const { startTimeoutMs } = this.#pipeline.policy ?? {};
    // A worker that may take longer to start must be given the time to say so.
    const limits = {
      ...(startTimeoutMs === undefined ? {} : { startMs: startTimeoutMs + START_ANSWER_MS }),
      ...this.#context.limits,
    };
    const worker = await WorkerProcess.launch(
      {
        command: withEnvironment(command, this.#pipeline.environment),
        scrubber: this.#scrubber,
        logger: this.#logger,
        limits,
        onEvent: (event) => this.#workerEvents.apply(event),
        onRecords: (records) => this.#intake.take(records),
        onExit: (exit, pid) => this.#noteExit(exit, pid),
      },
      { signal: this.#closing.signal },
    );
    this.#unread.add(worker);
    void worker.drained.then(() => this.#unread.delete(worker));
    return worker;
  }

  /** Before the worker is given its graphs: what it then reports of its streams comes after. */
  #tellRunning(worker: WorkerProcess): void {
    this.#state = 'running';
    this.#emit('worker.running', { pid: worker.pid });
  }

  async #serve(worker: WorkerProcess): Promise<Outcome> {
    const { pipelineId } = this;
    // Taken now: from here on the worker itself is told what changes.
    const graphs = this.#graphsToRun();
    const stream = { ...STREAM_POLICY, ...this.#pipeline.policy };
    const over = [...this.streams.values()].filter((one) => one.over).map(({ id }) => id);
    try {
      await worker.start({ pipelineId, graphs, stream, ...(over.length === 0 ? {} : { over }) });
    } catch (error) {
      const exit = await worker.stop({ drainMs: 0 });
      const { code, retryable } = toSightlineError(error);
      if (code === 'SL_WORKER_DIED') return outcomeOf(exit);
      return { next: retryable ? 'again' : 'reject', reason: this.#reasonOf(error) };
    }
    return outcomeOf(await worker.exited);
  }

  #noteExit(exit: WorkerExit, pid: number): void {
    this.#lastExit = exit;
    for (const stream of this.streams.values()) stream.counts.workerGone();
    const { kind, code, signal, message } = exit;
    if (kind === 'died') this.#logger.error({ pid, stderrTail: exit.stderrTail }, 'worker.died');
    const cause = kind === 'died' ? { code: 'SL_WORKER_DIED' } : {};
    this.#emit('worker.exited', { pid, kind, exitCode: code, signal, message, ...cause });
  }

  async #waitToRestart({ reason, backoff = RESTART_BACKOFF }: TryAgain): Promise<void> {
    this.#failures += 1;
    this.#restarts += 1;
    const retryInMs = fullJitterMs(this.#failures, this.#context.backoff ?? backoff);
    this.#state = 'backoff';
    this.#retryAt = new Date(this.#context.clock.now().getTime() + retryInMs);
    for (const stream of this.#running()) {
      stream.counts.workerRestarts += 1;
      stream.enter('backoff', { reason, retryInMs });
    }
    await wait(retryInMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  #endStreams(outcome: Exclude<Outcome, TryAgain>): void {
    for (const stream of this.#running()) {
      if (outcome.next === 'reject') stream.enter('rejected', { reason: outcome.reason });
      else stream.enter('stopped', { reason: ENDED });
    }
  }

  #running(): readonly SupervisedStream[] {
    return [...this.streams.values()].filter((stream) => !stream.over);
  }

  #reasonOf(error: unknown): Reason {
    const { code, message } = toSightlineError(error);
    return { code, message: this.#scrubber.text(message) };
  }

  #emit(type: string, facts: EventFacts): void {
    this.#context.events.emit(type, { pipelineId: this.pipelineId, ...facts });
  }
}

function secretsOf({ graphs, streams }: CompiledPipeline): readonly string[] {
  const ofSpecs = streams.flatMap(({ spec }) => Object.values(sealSpec(spec).secrets));
  const passwords = ofSpecs.flatMap((text) => passwordOf(text) ?? []);
  return [...secretsOfGraphs(graphs), ...ofSpecs, ...passwords];
}
