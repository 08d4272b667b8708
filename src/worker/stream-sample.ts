import type { RecordingFacts, StreamCounters, StreamFacts } from './protocol.ts';

/** What one look at a running pipeline tells of one stream. Everything counts from the session's start. */
export interface StreamSample {
  readonly counters: StreamCounters;
  /** Left out before the decoder. */
  readonly leftOut: number;
  /** Pictures for the detector: those of the decoder without those that were left out behind it on purpose. */
  readonly offered: number;
  /** Frames left out before inference, by reason. `busy`: the detector was, and no element counted them. */
  readonly skipped: SkipReasons;
  /** What the graph's elements count: without a decoder of its own nothing tells what arrived. */
  readonly counts: { readonly arrived: boolean; readonly published: boolean };
  /** Of the newest picture, ns of the monotonic clock; 0 before the first. */
  readonly lastFrameNs: number;
  /** Sums over all pictures and all inferred frames, ns. */
  readonly decodeNs: number;
  readonly inferNs: number;
  readonly captureClock?: string;
  /** Of a stream that is recorded. */
  readonly recording?: RecordingSample;
  /** Access units of a stream that is not decoded: nothing else shows that its source sends. */
  readonly undecoded?: number;
  readonly unasked?: NonNullable<StreamFacts['unasked']>;
}

export interface RecordingSample {
  /** Access units that came to the branch. */
  readonly offered: number;
  readonly bytes: number;
  /** ns of the monotonic clock; 0 before the first file. */
  readonly lastWriteNs: number;
  /** Why nothing is written now; empty while all is well. */
  readonly failure: string;
}

export type SkipReasons = Readonly<Record<string, number>>;

export type SamplesByStream = ReadonlyMap<string, StreamSample>;

export const NO_FRAMES: StreamCounters = {
  framesArrived: 0,
  framesDecoded: 0,
  framesInferred: 0,
  framesPublished: 0,
  framesSkipped: 0,
  recordsDropped: 0,
};

export const NO_SAMPLE: StreamSample = {
  counters: NO_FRAMES,
  leftOut: 0,
  offered: 0,
  skipped: {},
  counts: { arrived: false, published: false },
  lastFrameNs: 0,
  decodeNs: 0,
  inferNs: 0,
};

export function addCounters(a: StreamCounters, b: StreamCounters): StreamCounters {
  return { ...a, ...addUp({ ...a }, { ...b }) };
}

/** How many access units or pictures show that the source sends. */
export function arrivals({ undecoded, counters, leftOut }: StreamSample): number {
  return undecoded ?? counters.framesDecoded + leftOut;
}

/** Sums by name, of the names of both. */
export function addUp(a: SkipReasons, b: SkipReasons): SkipReasons {
  const sums = Object.entries(b).map(([name, more]) => [name, (a[name] ?? 0) + more] as const);
  return { ...a, ...Object.fromEntries(sums) };
}

/** Facts of a stream's running session, from the two newest samples of it. `skipped` counts over earlier ones too. */
export function factsOf(
  before: StreamSample,
  now: StreamSample,
  skipped: SkipReasons,
  nowNs: number,
): StreamFacts {
  const { lastFrameNs, captureClock } = now;
  const decodeMs = meanMs(
    now.decodeNs - before.decodeNs,
    now.counters.framesDecoded - before.counters.framesDecoded,
  );
  const inferMs = meanMs(
    now.inferNs - before.inferNs,
    now.counters.framesInferred - before.counters.framesInferred,
  );
  const ageMs = Math.max(0, Math.round((nowNs - lastFrameNs) / 1e6));
  return {
    ...(lastFrameNs === 0 ? {} : { lastFrameAgeMs: ageMs }),
    ...(decodeMs === undefined ? {} : { decodeMs }),
    ...(inferMs === undefined ? {} : { inferMs }),
    ...(captureClock === undefined ? {} : { clockQuality: captureClock }),
    skipped,
    ...(now.unasked === undefined || now.unasked.length === 0 ? {} : { unasked: now.unasked }),
    ...(now.recording === undefined ? {} : { recording: recordingFacts(now.recording, nowNs) }),
  };
}

function recordingFacts({ lastWriteNs, failure }: RecordingSample, nowNs: number): RecordingFacts {
  const writeAgeMs = Math.max(0, Math.round((nowNs - lastWriteNs) / 1e6));
  return {
    ...(lastWriteNs === 0 ? {} : { writeAgeMs }),
    ...(failure === '' ? {} : { failure }),
  };
}

/** Undefined where nothing was measured. */
function meanMs(sumNs: number, frames: number): number | undefined {
  if (frames <= 0 || sumNs <= 0) return undefined;
  return Math.round(sumNs / frames / 1e4) / 100;
}
