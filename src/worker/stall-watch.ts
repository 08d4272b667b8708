import type { StalledLayer } from './protocol.ts';
import { arrivals, NO_SAMPLE, type StreamSample } from './stream-sample.ts';

export interface StallLimits {
  /** No picture for this long, and for two frame intervals. */
  readonly stalledAfterMs: number;
  /** The same for the first frame that leaves after the first picture came: a model takes its time to begin. */
  readonly firstFrameTimeoutMs: number;
}

/** Pictures stopped. */
export interface Stall {
  readonly layer: StalledLayer;
  readonly silentMs: number;
  /** Frames at each stage since they stopped. */
  readonly observed: Readonly<Record<string, number>>;
}

/** So many frames at a stage, and none behind it, are no delay of a decoder or a queue any more. */
const MANY = 3;

/** A fragment is 10 s at most, and what waits for a slow disk is 10 s too. */
const RECORD_STALLED_AFTER_MS = 15_000;

/** A count that grows: when it did last, and how much time one of it takes. */
class Progress {
  count = 0;
  atMs: number;
  intervalMs = 0;
  /** When it grew last. */
  sample = NO_SAMPLE;

  constructor(nowMs: number) {
    this.atMs = nowMs;
  }

  take(count: number, sample: StreamSample, nowMs: number): void {
    if (count !== this.count) {
      if (this.count > 0) this.intervalMs = (nowMs - this.atMs) / Math.max(1, count - this.count);
      this.count = count;
      this.atMs = nowMs;
      this.sample = sample;
    }
  }

  /** How long it has stood still, when that is longer than it may. */
  silentMs(limitMs: number, nowMs: number): number | undefined {
    const silentMs = nowMs - this.atMs;
    return silentMs > Math.max(limitMs, 2 * this.intervalMs) ? silentMs : undefined;
  }
}

/**
 * Tells from a stream's counters whether its pictures still come and leave, and at which stage they stop. Has no timer
 * and no clock: it is told the time (monotonic, ms). Begins at the first picture.
 */
export class StallWatch {
  readonly #limits: StallLimits;
  readonly #source: Progress;
  readonly #output: Progress;
  #recording: Progress;
  #now = NO_SAMPLE;

  constructor(limits: StallLimits, nowMs: number) {
    this.#limits = limits;
    this.#source = new Progress(nowMs);
    this.#output = new Progress(nowMs);
    this.#recording = new Progress(nowMs);
  }

  take(sample: StreamSample, nowMs: number): void {
    const { framesPublished } = sample.counters;
    this.#now = sample;
    // A source that sends is not silent because most of its pictures are left out before the decoder.
    this.#source.take(arrivals(sample), sample, nowMs);
    // What a recorder says of its failures is not a stall: it tries again by itself.
    const { bytes, failure } = sample.recording ?? { bytes: 0, failure: '' };
    if (failure !== '') this.#recording = new Progress(nowMs);
    this.#recording.take(bytes, sample, nowMs);
    this.#output.take(framesPublished, sample, nowMs);
  }

  /** Undefined while pictures come and leave. */
  stall(nowMs: number): Stall | undefined {
    const { stalledAfterMs, firstFrameTimeoutMs } = this.#limits;
    const unwritten = this.#recording.silentMs(RECORD_STALLED_AFTER_MS, nowMs);
    if (unwritten !== undefined && this.#unwritten() >= MANY) {
      return this.#stalled('record', unwritten, this.#recording);
    }
    const noPicture = this.#source.silentMs(stalledAfterMs, nowMs);
    const first = this.#output.count === 0;
    const noFrame = this.#output.silentMs(first ? firstFrameTimeoutMs : stalledAfterMs, nowMs);
    if (noPicture !== undefined) return this.#stalled(this.#layerBefore(), noPicture, this.#source);
    if (noFrame === undefined || !this.#now.counts.published || this.#offered() < 2)
      return undefined;
    return this.#stalled(this.#layerBehind(), noFrame, this.#output);
  }

  /** No picture comes: because none arrives, because the decoder gives none, or because the detector takes none. */
  #layerBefore(): StalledLayer {
    const { offered, counters, skipped, counts } = this.#now;
    const inside = offered - counters.framesPublished - (skipped['busy'] ?? 0);
    if (counts.published && counters.framesPublished > 0 && inside >= MANY) {
      return this.#layerBehind();
    }
    const arrived = counters.framesArrived - this.#source.sample.counters.framesArrived;
    return arrived >= MANY ? 'decode' : 'network';
  }

  /** Pictures come and no frame leaves. */
  #layerBehind(): StalledLayer {
    const { framesInferred } = this.#output.sample.counters;
    return this.#now.counters.framesInferred > framesInferred + 1 ? 'publish' : 'infer';
  }

  /** What came to be recorded since a byte was written. */
  #unwritten(): number {
    const before = this.#recording.sample.recording?.offered ?? 0;
    return (this.#now.recording?.offered ?? 0) - before;
  }

  /** Pictures for the detector since a frame left. */
  #offered(): number {
    return this.#now.offered - this.#output.sample.offered;
  }

  #stalled(layer: StalledLayer, silentMs: number, since: Progress): Stall {
    const { counters: before } = since.sample;
    const { counters: now } = this.#now;
    return {
      layer,
      silentMs: Math.round(silentMs),
      observed: {
        silentMs: Math.round(silentMs),
        ...(this.#now.counts.arrived
          ? { framesArrived: now.framesArrived - before.framesArrived }
          : {}),
        framesDecoded: now.framesDecoded - before.framesDecoded,
        framesInferred: now.framesInferred - before.framesInferred,
        framesPublished: now.framesPublished - before.framesPublished,
        ...(layer === 'record' ? { framesUnwritten: this.#unwritten() } : {}),
      },
    };
  }
}
