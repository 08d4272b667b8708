import { arrivals, type StreamSample } from './stream-sample.ts';

/** Why a stream that has pictures is not well. */
export interface RateTrouble {
  readonly message: string;
  readonly observed: Readonly<Record<string, number>>;
}

interface Look {
  readonly atMs: number;
  readonly sample: StreamSample;
}

/** Less of the usual rate than this. */
const LEAST_RATE = 0.5;
/** More than this part lost in the decoder, or of the records. */
const MOST_LOST = 0.05;
/** More than this part of the pictures patched up: what is shown is mostly not what the camera saw. */
const MOST_CORRUPT = 0.5;
/** Fewer losses than this a second are single ones. */
const LOSSES_PER_SECOND = 1;
/** In so many times the window without trouble a stream is well again: 30 s for the default of 10 s. */
const CLEAN_WINDOWS = 3;
/** A rate that held for so many times the window is usual; a burst after a sleep or a hold-up is none. */
const USUAL_WINDOWS = 1.5;
/** What was usual is forgotten by and by: a camera may be told to send less. */
const FORGET_MS = 900_000;

/**
 * Tells from a stream's counters whether its pictures come at their usual rate and whole. Has no timer and no clock: it is
 * told the time (monotonic, ms).
 */
export class RateWatch {
  readonly #windowMs: number;
  #looks: Look[] = [];
  /** Of the windows that ended lately. */
  #rates: { readonly atMs: number; readonly fps: number }[] = [];
  #usualFps = 0;
  /** Decoded pictures for each access unit, at best: one, or a half where a picture comes as two fields. */
  #usualYield = 0;
  #trouble: RateTrouble | undefined;
  #troubleAtMs = 0;

  /** `windowMs`: so long it must be bad to count. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Undefined for a stream that is well, or was unwell a while ago. */
  get trouble(): RateTrouble | undefined {
    return this.#trouble;
  }

  /** What was measured is no measure for what comes: the stream was silent. */
  restart(): void {
    this.#looks = [];
    this.#rates = [];
  }

  /** The stream itself is another one: its settings were changed. */
  forget(): void {
    this.restart();
    this.#usualFps = 0;
    this.#usualYield = 0;
  }

  take(sample: StreamSample, nowMs: number): void {
    const last = this.#looks.at(-1);
    this.#looks.push({ atMs: nowMs, sample });
    while (this.#looks.length > 1 && this.#looks[1]!.atMs <= nowMs - this.#windowMs) {
      this.#looks.shift();
    }
    const first = this.#looks[0]!;
    const spanMs = nowMs - first.atMs;
    if (last === undefined || spanMs < this.#windowMs) return;
    this.#usualFps *= Math.exp(-(nowMs - last.atMs) / FORGET_MS);
    const fps = (arrivals(sample) - arrivals(first.sample)) / (spanMs / 1000);
    this.#learn(fps, nowMs);
    const found = this.#slow(fps) ?? this.#judge(first.sample, sample, spanMs / 1000);
    if (found !== undefined) {
      this.#trouble = found;
      this.#troubleAtMs = nowMs;
    } else if (nowMs - this.#troubleAtMs >= CLEAN_WINDOWS * this.#windowMs) {
      this.#trouble = undefined;
    }
  }

  #judge(before: StreamSample, now: StreamSample, seconds: number): RateTrouble | undefined {
    const since = (name: keyof StreamSample['counters']) =>
      (now.counters[name] ?? 0) - (before.counters[name] ?? 0);
    const decoded = since('framesDecoded');
    const leftOut = now.leftOut - before.leftOut;
    return (
      (now.counts.arrived && now.undecoded === undefined
        ? this.#lossy(since('framesArrived') - leftOut, decoded, seconds)
        : undefined) ??
      corrupted(since('framesCorrupt'), decoded) ??
      dropping(since('recordsDropped'), since('framesPublished'), seconds)
    );
  }

  #learn(fps: number, nowMs: number): void {
    const holdMs = USUAL_WINDOWS * this.#windowMs;
    this.#rates.push({ atMs: nowMs, fps });
    while (this.#rates.length > 1 && this.#rates[1]!.atMs <= nowMs - holdMs) this.#rates.shift();
    if (nowMs - this.#rates[0]!.atMs < holdMs) return;
    this.#usualFps = Math.max(this.#usualFps, Math.min(...this.#rates.map((rate) => rate.fps)));
  }

  #slow(fps: number): RateTrouble | undefined {
    if (fps >= LEAST_RATE * this.#usualFps) return undefined;
    const observed = { fps: round(fps), usualFps: round(this.#usualFps) };
    const message = `Pictures come at ${observed.fps} a second; ${observed.usualFps} are usual`;
    return { message, observed };
  }

  #lossy(arrived: number, decoded: number, seconds: number): RateTrouble | undefined {
    if (arrived <= 0) return undefined;
    this.#usualYield = Math.min(1, Math.max(this.#usualYield, decoded / arrived));
    const wanted = arrived * this.#usualYield;
    const lost = wanted - decoded;
    if (lost <= MOST_LOST * wanted || lost <= LOSSES_PER_SECOND * seconds) return undefined;
    const percent = Math.round((100 * lost) / wanted);
    const message = `${percent} % of what arrives becomes no picture: it is damaged, or the decoder does not keep up`;
    return { message, observed: { arrived, decoded, lostPercent: percent } };
  }
}

function corrupted(corrupt: number, decoded: number): RateTrouble | undefined {
  if (corrupt <= MOST_CORRUPT * decoded) return undefined;
  const percent = Math.round((100 * corrupt) / decoded);
  const message = `${percent} % of the pictures are damaged: the decoder patched them up`;
  return { message, observed: { corrupt, decoded } };
}

function dropping(dropped: number, published: number, seconds: number): RateTrouble | undefined {
  if (dropped <= MOST_LOST * published || dropped <= LOSSES_PER_SECOND * seconds) return undefined;
  const percent = Math.round((100 * dropped) / Math.max(1, published));
  const message = `${percent} % of the records are dropped because they are not read fast enough`;
  return { message, observed: { recordsDropped: dropped, published } };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
