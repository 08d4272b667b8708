import { type ErrorCode, SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { DataRecord } from '../metadata/record-reader.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import type { FrozenEvent } from '../worker/protocol.ts';
import type { EventFacts } from './event-log.ts';
import { coreHint, coreSettings } from './incidents/core-hint.ts';
import { incidentTexts } from './incidents/incident-texts.ts';
import { Bisection } from './lanes/bisection.ts';
import { handOver } from './lanes/hand-over.ts';
import type { Lane } from './lanes/lane.ts';
import type { IncidentFacts, LaneHost, SupervisorContext } from './lanes/lane-host.ts';
import { LaneSet } from './lanes/lane-set.ts';
import { type ApplyOptions, PipelineChange } from './lanes/pipeline-change.ts';
import { Program, secretsOf } from './lanes/program.ts';
import { STREAM_POLICY } from './lanes/settings.ts';
import { StreamSet } from './lanes/stream-set.ts';
import { RecordIntake } from './record-intake.ts';
import { Scrubber } from './scrubber.ts';
import type { SupervisedStream } from './supervised-stream.ts';
import type {
  CompiledPipeline,
  LaneName,
  Reason,
  StreamChangeReport,
  WorkerView,
} from './types.ts';

export type { SupervisorContext } from './lanes/lane-host.ts';

/** What a worker that is replaced has to hand out what is under way. */
const DRAIN_MS = 3_000;

/** Keeps one pipeline's worker processes running until it is told to close or all its streams are over. */
export class PipelineSupervisor implements LaneHost {
  readonly pipelineId: string;
  readonly context: SupervisorContext;
  readonly logger: Logger;
  readonly scrubber: Scrubber;
  readonly #streams: StreamSet;
  readonly #intake: RecordIntake;
  readonly #lanes: LaneSet;
  readonly #bisection: Bisection;
  readonly #closing = new AbortController();
  #program: Program;
  /** The change that is under way; the next one waits for it. */
  #changing: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;
  /** When it was last recycled for its budget. */
  #recycledMs = Number.NEGATIVE_INFINITY;

  constructor(pipeline: CompiledPipeline, context: SupervisorContext) {
    const { pipelineId } = pipeline;
    this.pipelineId = pipelineId;
    this.context = context;
    this.logger = context.logger.child({ pipeline: pipelineId });
    this.scrubber = new Scrubber(secretsOf(pipeline));
    this.#program = new Program(pipeline);
    this.#streams = new StreamSet(pipeline, context);
    this.#intake = new RecordIntake({
      ...{ pipelineId, consume: context.consume, events: context.events },
      stream: (id) => this.#streams.ever(id),
    });
    this.#lanes = new LaneSet(this);
    this.#bisection = new Bisection({
      ...{ lanes: this.#lanes, streams: this.#streams, settings: context.settings },
      program: () => this.#program,
      emit: (type, facts) => this.#emit(type, facts),
      merge: () =>
        this.#exclusive({}, (signal) =>
          this.#handOver(this.#program, this.#runnable(), { signal }).then(() =>
            this.#emit('worker.merged', {}),
          ),
        ),
    });
  }

  get streams(): ReadonlyMap<string, SupervisedStream> {
    return this.#streams.all;
  }

  /** Begins; the worker comes up in the background. To be called once. */
  start(): void {
    const streamIds = this.#runnable();
    const lane = this.#lanes.create({ name: 'main', program: this.#program, streamIds });
    this.#lanes.own(lane, streamIds);
    lane.start();
  }

  /** One for each worker process it has, or waits to start. */
  views(): readonly WorkerView[] {
    return this.#lanes.all.map((lane) => lane.view());
  }

  isLive(streamId: string): boolean {
    return this.streams.get(streamId)?.state === 'live';
  }

  /** The graph of a stream, changes included. Throws `SL_UNAVAILABLE` when the stream is over. */
  graphOf(streamId: string): Graph {
    const graph = this.#program.graphs.of(streamId);
    if (graph !== undefined && this.streams.get(streamId)?.over === false) return graph;
    throw new SightlineError(
      'SL_UNAVAILABLE',
      `Cannot change stream '${streamId}': it is over, see its state. Remove it and create it anew.`,
    );
  }

  /** See LiveGraphs.set(). */
  async set(graphId: string, changes: readonly PropertyChange[]): Promise<readonly boolean[]> {
    try {
      return await this.#program.graphs.set(graphId, changes, this.#workersOf(graphId));
    } catch (error) {
      const { code, message } = this.#reasonOf(error);
      throw new SightlineError(code, message);
    }
  }

  /** Throws `SL_UNAVAILABLE` while no worker runs, `SL_TIMEOUT`, `SL_WORKER_DIED`. */
  async dot(streamId: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const graph = this.#program.graphs.of(streamId);
    const worker = this.#lanes.ownerOf(streamId)?.worker;
    if (worker === undefined || graph === undefined) {
      throw new SightlineError(
        'SL_UNAVAILABLE',
        `Cannot draw the graph of stream '${streamId}': its worker does not run now. Try again when the stream is live.`,
      );
    }
    return worker.dot(graph.id, options);
  }

  /**
   * Makes the pipeline that runs be `compiled`, which has the same id, with the least disturbance; resolves when it is.
   * Streams that leave end drained. One change at a time: a second call waits for the first. Throws `SL_TIMEOUT` and the
   * codes of a worker when the new graphs do not come to run: what ran before goes on then. `SL_CLOSED` after close() or
   * when `signal` aborts.
   */
  apply(
    compiled: CompiledPipeline,
    options: ApplyOptions = {},
  ): Promise<readonly StreamChangeReport[]> {
    return this.#exclusive(options, async (signal) => {
      this.scrubber.learn(secretsOf(compiled));
      const change = new PipelineChange({
        program: this.#program,
        lanes: this.#lanes,
        streams: this.#streams,
        handOver: (program, ids) => this.#handOver(program, ids, { ...options, signal }),
        startAnew: (program, ids) => this.#startAnew(program, ids),
        drainMs: DRAIN_MS,
        timeoutMs: this.#startLimitMs(compiled),
      });
      const { program, report } = await change.to(compiled, { ...options, signal });
      this.#program = program;
      return report;
    });
  }

  /**
   * Over to a fresh worker, without a gap where every live stream is live in it in time, else with one. Resolves when the
   * former is gone. `revive`: streams that are over are tried again, too. Throws `SL_CLOSED` after close().
   */
  recycle(reason: Reason, options: { revive?: boolean } & ApplyOptions = {}): Promise<void> {
    return this.#exclusive(options, async (signal) => {
      this.#emit('worker.recycling', { code: reason.code, message: reason.message });
      if (options.revive === true) {
        this.#streams.revive(this.#program.streamIds);
        for (const stream of this.streams.values()) stream.refusal.forget();
      }
      const ids = this.#runnable();
      if (this.#lanes.all.every(({ worker }) => worker === undefined)) {
        for (const lane of this.#lanes.all) lane.start();
        return;
      }
      try {
        await this.#handOver(this.#program, ids, { ...options, signal });
        this.#emit('worker.recycled', { gap: false });
      } catch (error) {
        await this.#withGap(this.#lanes.all, reason, error);
      }
    });
  }

  /** Drains and ends its workers for good; afterwards no process is left. Further calls wait for the first. */
  close(options: { drainMs: number }): Promise<void> {
    this.#closed ??= this.#close(options.drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<void> {
    for (const stream of this.streams.values()) stream.enter('draining');
    this.#closing.abort();
    this.#bisection.close();
    await Promise.all(this.#lanes.all.map((lane) => lane.close({ drainMs })));
    await this.#changing;
    // What a change had begun meanwhile.
    await Promise.all(this.#lanes.all.map((lane) => lane.close({ drainMs: 0 })));
    for (const stream of this.streams.values()) stream.enter('stopped');
  }

  take(lane: Lane, records: readonly DataRecord[]): void | Promise<void> {
    return this.#intake.take(records, (id, session) => this.#lanes.admits(lane, id, session));
  }

  leavesAfterDeath(lane: Lane, reason: Reason): boolean {
    return this.#bisection.onDeath(lane, reason);
  }

  record(lane: Lane, facts: IncidentFacts): void {
    const { incidents, clock, events } = this.context;
    if (incidents === undefined) return;
    const { kind, reason, pid, exit, worker, blackBox = [] } = facts;
    const ids = lane.streams.ids;
    const { scrubber } = this;
    const texts = incidentTexts({
      ...{ events, scrubber, blackBox, graphs: lane.graphs, pipeline: lane.program.pipeline },
      streams: ids.flatMap((id) => this.streams.get(id) ?? []),
      stderrTail: exit?.stderrTail ?? [],
      ...(worker === undefined ? {} : { worker }),
    });
    const hint = exit?.kind === 'died' ? coreHint(coreSettings(), pid) : undefined;
    void incidents.record(
      {
        ...{ pipelineId: this.pipelineId, kind, pid, streams: ids },
        at: clock.now().toISOString(),
        code: reason.code,
        message: scrubber.text(reason.message),
        ...(exit?.code === undefined ? {} : { exitCode: exit.code }),
        ...(exit?.signal === undefined ? {} : { signal: exit.signal }),
        ...(hint === undefined ? {} : { coreHint: hint }),
      },
      texts,
    );
  }

  /** Its streams are tried alone; the others go over to a fresh worker, without a gap where that can be. */
  frozen(lane: Lane, { graphId, streams }: FrozenEvent): void {
    const ids = streams.filter((id) => lane.streams.running.includes(id));
    const { worker } = lane;
    if (worker === undefined || ids.length === 0 || lane.closing) return;
    const reason: Reason = {
      code: 'SL_PIPELINE_TIMEOUT',
      message: `Graph '${graphId}' did not come back from a call into GStreamer`,
    };
    const { pid, lastLines } = worker;
    this.record(lane, { kind: 'frozen', reason, pid, worker, blackBox: lastLines });
    this.#bisection.setApart(lane, ids, reason);
    // What keeps it from that is told by its events; the worker ends by itself then, and its lane starts another.
    this.#exclusive({}, (signal) => this.#replaceLane(lane, reason, { signal })).catch(
      () => undefined,
    );
  }

  async #replaceLane(
    lane: Lane,
    reason: Reason,
    options: ApplyOptions & { signal: AbortSignal },
  ): Promise<void> {
    if (!this.#lanes.all.includes(lane)) return;
    const { code, message } = reason;
    this.#emit('worker.recycling', { code, message });
    await this.#handOver(lane.program, lane.streams.running, {
      ...options,
      from: [lane],
      as: lane.name,
    })
      .then(() => this.#emit('worker.recycled', { gap: false }))
      .catch((error: unknown) => this.#withGap([lane], reason, error));
  }

  /** What cannot be handed over is ended and started again. */
  async #withGap(lanes: readonly Lane[], reason: Reason, cause: unknown): Promise<void> {
    if (this.#closing.signal.aborted) throw cause;
    this.#emit('worker.recycled', { gap: true, ...this.#reasonOf(cause) });
    for (const lane of lanes) {
      for (const stream of lane.streams.owned()) stream.beginGap(this.#reasonOf(cause));
    }
    await Promise.all(lanes.map((lane) => lane.restart(reason, DRAIN_MS)));
  }

  overBudget(lane: Lane, reason: Reason): void {
    const nowMs = this.context.clock.monotonicMs();
    if (nowMs - this.#recycledMs < this.context.settings.recycleEveryMs) return;
    this.#recycledMs = nowMs;
    const worker = lane.worker;
    if (worker === undefined) return;
    const { pid, lastLines } = worker;
    this.record(lane, { kind: 'over-budget', reason, pid, worker, blackBox: lastLines });
    // What keeps it from that is told by its events, and the next try comes in ten minutes.
    this.recycle(reason).catch(() => undefined);
  }

  async #handOver(
    program: Program,
    streamIds: readonly string[],
    {
      signal,
      onProgress = () => undefined,
      from = this.#lanes.all,
      as = 'main',
    }: ApplyOptions & { signal: AbortSignal; from?: readonly Lane[]; as?: LaneName },
  ): Promise<void> {
    const { settings } = this.context;
    const { startTimeoutMs = 0 } = program.pipeline.policy ?? {};
    await handOver(this.#lanes, {
      ...{ program, streamIds, from, as, onProgress, drainMs: DRAIN_MS },
      limitMs: settings.handOverMs + startTimeoutMs,
      signal,
    });
  }

  /** Ends what runs, and starts this instead. */
  async #startAnew(program: Program, streamIds: readonly string[]): Promise<void> {
    await Promise.all(this.#lanes.all.map((lane) => this.#lanes.end(lane, DRAIN_MS)));
    const lane = this.#lanes.create({ name: 'main', program, streamIds });
    this.#lanes.own(lane, streamIds);
    lane.start();
  }

  /** Streams with a graph that are not over. */
  #runnable(): readonly string[] {
    return this.#program.streamIds.filter((id) => this.streams.get(id)?.over === false);
  }

  #workersOf(graphId: string) {
    return this.#lanes.all.flatMap(({ graphs, worker }) =>
      worker !== undefined && graphs.some(({ id }) => id === graphId) ? [worker] : [],
    );
  }

  #startLimitMs({ policy }: CompiledPipeline): number {
    const { firstFrameTimeoutMs, startTimeoutMs = 0 } = { ...STREAM_POLICY, ...policy };
    return firstFrameTimeoutMs + startTimeoutMs;
  }

  /** One change at a time. `work` gets the signal that ends it: the caller's, or close(). */
  async #exclusive<T>(
    { signal: given }: ApplyOptions,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const signals = [this.#closing.signal, ...(given === undefined ? [] : [given])];
    const signal = AbortSignal.any(signals);
    const done = this.#changing.then(async () => {
      try {
        signal.throwIfAborted();
        return await work(signal);
      } catch (error) {
        if (signal.aborted) {
          const message = `The change of pipeline '${this.pipelineId}' was cancelled`;
          throw new SightlineError('SL_CLOSED', message);
        }
        const { code, message } = this.#reasonOf(error);
        throw new SightlineError(code, message);
      }
    });
    this.#changing = done.catch(() => undefined);
    return done;
  }

  #reasonOf(error: unknown): { code: ErrorCode; message: string } {
    const { code, message } = toSightlineError(error);
    return { code, message: this.scrubber.text(message) };
  }

  #emit(type: string, facts: EventFacts): void {
    this.context.events.emit(type, { pipelineId: this.pipelineId, ...facts });
  }
}
