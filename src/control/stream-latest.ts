import { decodeFrame } from '../metadata/frame.ts';
import type { FrameHeader } from '../metadata/frame-header.ts';
import { mapFrame } from '../metadata/frame-json.ts';
import type { Image } from '../metadata/image.ts';
import type { Clock } from './stream-state.ts';
import type { LatestFrame, LatestImage } from './types.ts';

/** Full decodes a second for the figures; all other frames are only read by their header. */
const LOOKED_AT_EVERY_MS = 200;
const LATENCY_SAMPLES = 256;
/** Frames kept to find the one a picture shows: encoding it takes a few frames' time. */
const RECENT_FRAMES = 32;

type ObjectCounts = Readonly<Record<string, number>>;

interface KeptFrame {
  readonly session: string;
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly at: Date;
}

/** The newest data of one stream, bounded: 32 encoded frames, one picture, some numbers. */
export class StreamLatest {
  readonly #clock: Clock;
  readonly #recent: KeptFrame[] = [];
  #image: { image: Image; at: Date; frame?: KeptFrame } | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #executionProvider: string | undefined;
  readonly #latenciesMs: number[] = [];
  #nextLatency = 0;
  #lastSecond: { atMs: number; counts: ObjectCounts }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get lastFrameAt(): Date | undefined {
    return this.#recent.at(-1)?.at;
  }

  /** What ran the model, as the newest looked-at frame says; undefined before the first that does. */
  get executionProvider(): string | undefined {
    return this.#executionProvider;
  }

  takeFrame(header: FrameHeader, payload: Uint8Array): void {
    const { session, frameSequence: sequence } = header;
    const kept = { session, sequence, payload, at: this.#clock.now() };
    this.#recent.push(kept);
    if (this.#recent.length > RECENT_FRAMES) this.#recent.shift();
    const image = this.#image;
    if (image !== undefined && image.frame === undefined && shows(image.image, kept)) {
      image.frame = kept;
    }
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lookedAtMs >= LOOKED_AT_EVERY_MS) this.#lookAt(payload, nowMs);
  }

  takeImage(image: Image): void {
    const frame = this.#recent.find((kept) => shows(image, kept));
    this.#image = { image, at: this.#clock.now(), ...(frame === undefined ? {} : { frame }) };
  }

  latestFrame(): LatestFrame | undefined {
    const kept = this.#recent.at(-1);
    if (kept === undefined) return undefined;
    return { frame: mapFrame(decodeFrame(kept.payload)), receivedAt: kept.at.toISOString() };
  }

  latestImage(): LatestImage | undefined {
    if (this.#image === undefined) return undefined;
    const { image, at, frame } = this.#image;
    return {
      data: image.data,
      contentType: image.contentType,
      frameSequence: image.frameSequence.toString(),
      session: image.session,
      ref: image.ref,
      width: image.width,
      height: image.height,
      receivedAt: at.toISOString(),
      ...(frame === undefined ? {} : { frame: mapFrame(decodeFrame(frame.payload)) }),
    };
  }

  latencyMs(): { p50: number; p95: number } | undefined {
    if (this.#latenciesMs.length === 0) return undefined;
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1]!;
    return { p50: round(at(0.5)), p95: round(at(0.95)) };
  }

  /** Objects by class in the newest frame. */
  objects(): ObjectCounts {
    const kept = this.#recent.at(-1);
    return kept === undefined ? {} : countObjects(decodeFrame(kept.payload).objects);
  }

  /** For each class the most objects in one looked-at frame of the last second. */
  objectsLastSecond(): ObjectCounts {
    const sinceMs = this.#clock.monotonicMs() - 1_000;
    const most = new Map<string, number>();
    for (const { atMs, counts } of this.#lastSecond) {
      if (atMs < sinceMs) continue;
      for (const [label, count] of Object.entries(counts)) {
        most.set(label, Math.max(most.get(label) ?? 0, count));
      }
    }
    return Object.fromEntries(most);
  }

  #lookAt(payload: Uint8Array, nowMs: number): void {
    this.#lookedAtMs = nowMs;
    const frame = decodeFrame(payload);
    this.#executionProvider = frame.model?.executionProvider || this.#executionProvider;
    const totalNs = Number(frame.latency?.totalNs?.toString() ?? 0);
    if (totalNs > 0) {
      this.#latenciesMs[this.#nextLatency] = totalNs / 1e6;
      this.#nextLatency = (this.#nextLatency + 1) % LATENCY_SAMPLES;
    }
    this.#lastSecond = this.#lastSecond.filter(({ atMs }) => atMs > nowMs - 1_000);
    this.#lastSecond.push({ atMs: nowMs, counts: countObjects(frame.objects) });
  }
}

function countObjects(objects: readonly { type?: string | null }[]): ObjectCounts {
  const counts = new Map<string, number>();
  for (const { type } of objects) counts.set(type ?? '', (counts.get(type ?? '') ?? 0) + 1);
  return Object.fromEntries(counts);
}

function shows(image: Image, frame: KeptFrame): boolean {
  return image.session === frame.session && image.frameSequence.toNumber() === frame.sequence;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
