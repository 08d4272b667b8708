import type { FrameHeader } from '../metadata/frame-header.ts';
import type { Image } from '../metadata/image.ts';
import type { StreamCounters, StreamFacts } from '../worker/protocol.ts';
import type { EventLog } from './event-log.ts';
import { Refusal } from './refusal.ts';
import { StreamAccelerator } from './stream-accelerator.ts';
import { StreamChanges } from './stream-changes.ts';
import { StreamConditions } from './stream-conditions.ts';
import { StreamCounts } from './stream-counters.ts';
import { StreamLatest } from './stream-latest.ts';
import { type Clock, type Evidence, StreamStateMachine } from './stream-state.ts';
import type {
  CompiledPipeline,
  LatestFrame,
  LatestImage,
  Reason,
  StreamState,
  StreamStatus,
} from './types.ts';

/** States a worker cannot bring a stream out of: only an edit, a probe or a new start can. */
const OVER: ReadonlySet<StreamState> = new Set(['stopped', 'rejected', 'quarantined', 'disabled']);

/** What compiling found out about a stream. */
export type StreamPlan = Pick<CompiledPipeline, 'accelerator' | 'notes'>;

/** What a worker reports of one stream each second. */
export interface StreamReport {
  readonly counters: StreamCounters;
  readonly facts: StreamFacts | undefined;
  /** The worker's monotonic clock. */
  readonly atMs: number;
}

/** One stream: its state, its totals, its newest data. Every change of state becomes an event. */
export class SupervisedStream {
  readonly id: string;
  readonly pipelineId: string;
  readonly counts: StreamCounts;
  readonly refusal: Refusal;
  /** Ids of the sinks its records are for, as its spec says now; undefined: all. */
  sinks: readonly string[] | undefined;
  readonly #events: EventLog;
  readonly #machine: StreamStateMachine;
  readonly #latest: StreamLatest;
  #plan: StreamPlan = {};
  #accelerator: StreamAccelerator | undefined;
  #facts: StreamFacts | undefined;
  readonly #conditions: StreamConditions;
  readonly #changes: StreamChanges;
  readonly #clock: Clock;
  /** It was ended for a successor that could not be started beside it. */
  #gap: { readonly sinceMs: number; readonly reason: Reason } | undefined;

  constructor(
    id: string,
    pipelineId: string,
    events: EventLog,
    clock: Clock,
    plan: StreamPlan = {},
  ) {
    this.id = id;
    this.pipelineId = pipelineId;
    this.#events = events;
    this.#clock = clock;
    this.#machine = new StreamStateMachine(clock);
    this.refusal = new Refusal(clock);
    this.#latest = new StreamLatest(clock);
    this.replan(plan);
    this.counts = new StreamCounts(clock.monotonicMs);
    this.#changes = new StreamChanges(clock.monotonicMs);
    this.#conditions = new StreamConditions(clock);
    this.#judge();
  }

  get state(): StreamState {
    return this.#machine.state;
  }

  /** Of its frames; undefined before the first. */
  get session(): string | undefined {
    return this.#machine.session;
  }

  /** No worker brings it back: it needs an edit. A rejected stream that is probed slowly is not over. */
  get over(): boolean {
    const { state, retryAt } = this.#machine;
    return OVER.has(state) && !(state === 'rejected' && retryAt !== undefined);
  }

  /** What its worker last said of its frames; undefined before the first report. */
  get facts(): StreamFacts | undefined {
    return this.#facts;
  }

  /** It was compiled anew. */
  replan(plan: StreamPlan): void {
    this.#plan = plan;
    this.#accelerator = plan.accelerator && new StreamAccelerator(plan.accelerator);
  }

  /** Takes the step and tells it; false when it is not allowed from here. */
  enter(to: StreamState, evidence: Evidence = {}): boolean {
    const change = this.#machine.enter(to, evidence);
    if (change === undefined) return false;
    this.#judge();
    if (to === 'live') this.#endGap();
    const flaps = this.#changes.turns(change.from, to);
    const { reason, layer, observed } = evidence;
    const tells = this.#changes.tells(to, reason?.code, this.#machine.attempt);
    if (tells === undefined) return true;
    this.#events.emit(`stream.${to}`, {
      streamId: this.id,
      pipelineId: this.pipelineId,
      from: change.from,
      afterMs: change.afterMs,
      attempt: this.#machine.attempt,
      ...(evidence.session === undefined ? {} : { session: evidence.session }),
      ...(reason === undefined ? {} : { code: reason.code, message: reason.message }),
      ...(tells.suppressed === 0 ? {} : { suppressed: tells.suppressed }),
      ...(layer === undefined ? {} : { layer }),
      ...(observed === undefined ? {} : { observed }),
      ...(this.#machine.retryAt === undefined
        ? {}
        : { retryAt: this.#machine.retryAt.toISOString() }),
    });
    if (flaps) {
      const { id: streamId, pipelineId } = this;
      this.#events.emit('stream.flapping', { streamId, pipelineId, state: to });
    }
    return true;
  }

  /** Its pictures are given up for those of a successor; told, with its length, when they are back. */
  beginGap(reason: Reason): void {
    if (!this.#machine.hasFrames) return;
    this.#gap = { sinceMs: this.#clock.monotonicMs(), reason };
  }

  #endGap(): void {
    if (this.#gap === undefined) return;
    const { sinceMs, reason } = this.#gap;
    this.#gap = undefined;
    const gapMs = Math.round(this.#clock.monotonicMs() - sinceMs);
    const { id: streamId, pipelineId } = this;
    const { code, message } = reason;
    this.#events.emit('stream.gap', { streamId, pipelineId, gapMs, code, message });
  }

  #judge(): void {
    const { state, reason, retryAt, reconnects } = this.#machine;
    const totals = this.counts.totals(reconnects);
    const rates = this.counts.rates();
    this.#conditions.judge({ state, reason, retryAt, rates, totals, facts: this.#facts });
  }

  /** Says anew why the state is as it is, without an event. */
  explain(reason: Reason): void {
    this.#machine.explain(reason);
  }

  takeFrame(header: FrameHeader, payload: Uint8Array): void {
    this.counts.framesReceived += 1;
    this.#latest.takeFrame(header, payload);
    if (this.#accelerator?.saw(this.#latest.executionProvider)) this.tellAccelerator();
  }

  /** Its model does not run on the GPU it was planned for. */
  fellBack(reason: string): void {
    if (this.#accelerator?.fellBack(reason)) this.tellAccelerator();
  }

  /** Tells what it runs on. */
  tellAccelerator(): void {
    if (this.#accelerator === undefined) return;
    const { id: streamId, pipelineId } = this;
    const facts = this.#accelerator.facts();
    this.#events.emit('stream.accelerator', { streamId, pipelineId, ...facts });
  }

  takeImage(image: Image): void {
    this.counts.imagesReceived += 1;
    this.#latest.takeImage(image);
  }

  /** `speaks`: of the worker whose records are taken. */
  takeStats(worker: object, report: StreamReport, speaks: boolean): void {
    const skipped = report.facts?.skipped;
    this.counts.report(worker, report.counters, report.atMs, { speaks, skipped });
    if (!speaks) return;
    this.#facts = report.facts;
    this.#judge();
  }

  latestFrame(): LatestFrame | undefined {
    return this.#latest.latestFrame();
  }

  latestImage(): LatestImage | undefined {
    return this.#latest.latestImage();
  }

  status(): StreamStatus {
    const machine = this.#machine;
    const latencyMs = this.#latest.latencyMs();
    const { lastFrameAt } = this.#latest;
    const { notes = [] } = this.#plan;
    return {
      state: machine.state,
      since: machine.since.toISOString(),
      ...(machine.reason === undefined ? {} : { reason: machine.reason }),
      ...(machine.retryAt === undefined ? {} : { retryAt: machine.retryAt.toISOString() }),
      attempt: machine.attempt,
      conditions: this.#conditions.all,
      flapping: this.#changes.flapping,
      ...(machine.session === undefined ? {} : { session: machine.session }),
      counters: this.counts.totals(machine.reconnects),
      fps: this.counts.rates(),
      ...(latencyMs === undefined ? {} : { latencyMs }),
      objects: machine.hasFrames ? this.#latest.objects() : {},
      objectsLastSecond: machine.hasFrames ? this.#latest.objectsLastSecond() : {},
      ...(lastFrameAt === undefined ? {} : { lastFrameAt: lastFrameAt.toISOString() }),
      ...(this.#accelerator === undefined ? {} : { accelerator: this.#accelerator.status() }),
      ...(notes.length === 0 ? {} : { notes }),
    };
  }
}
