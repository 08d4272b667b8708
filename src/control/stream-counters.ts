import type { StreamCounters } from '../worker/protocol.ts';
import type { StreamTotals } from './types.ts';

const RATE_WINDOW_MS = 5_000;
const RATE_STALE_MS = 3_000;

const ZERO: StreamCounters = {
  framesArrived: 0,
  framesDecoded: 0,
  framesInferred: 0,
  framesPublished: 0,
  framesSkipped: 0,
  recordsDropped: 0,
};

interface Sample {
  /** The worker's monotonic clock. */
  readonly atMs: number;
  readonly counters: StreamCounters;
}

/** Frames by reason. */
type Reasons = Readonly<Record<string, number>>;

export type Rates = { decoded: number; inferred: number; published: number };

/** A stream's totals over all its workers, and the rates of the last seconds. */
export class StreamCounts {
  readonly #monotonicMs: () => number;
  /** What the former workers counted. */
  #base = ZERO;
  /** What those that run have counted: two while one takes over from the other. */
  readonly #current = new Map<object, StreamCounters>();
  /** Frames left out, by reason: the same two. */
  #skippedBefore: Reasons = {};
  readonly #skippedNow = new Map<object, Reasons>();
  /** Whose samples the rates are made of. */
  #sampled: object | undefined;
  #samples: Sample[] = [];
  #heardMs = Number.NEGATIVE_INFINITY;
  framesReceived = 0;
  imagesReceived = 0;
  recordsRefused = 0;
  recordsOverlapped = 0;
  workerRestarts = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** The report of `worker`; `atMs` by its monotonic clock. Rates come from the one that `speaks` for the stream. */
  report(
    worker: object,
    counters: StreamCounters,
    atMs: number,
    { speaks = true, skipped = {} }: { speaks?: boolean; skipped?: Reasons | undefined } = {},
  ): void {
    // A graph that was started anew in the same worker counts from zero.
    if (falls(this.#current.get(worker) ?? ZERO, counters)) this.workerGone(worker);
    this.#current.set(worker, counters);
    this.#skippedNow.set(worker, skipped);
    if (!speaks) return;
    this.#heardMs = this.#monotonicMs();
    if (this.#sampled !== worker) this.#samples = [];
    this.#sampled = worker;
    this.#samples.push({ atMs, counters });
    while (this.#samples.length > 2 && atMs - this.#samples[0]!.atMs > RATE_WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** The next worker counts from zero. */
  workerGone(worker: object): void {
    this.#base = add(this.#base, this.#current.get(worker) ?? ZERO);
    this.#current.delete(worker);
    this.#skippedBefore = addReasons(this.#skippedBefore, this.#skippedNow.get(worker) ?? {});
    this.#skippedNow.delete(worker);
    if (this.#sampled === worker) this.#samples = [];
  }

  totals(reconnects: number): StreamTotals {
    return {
      ...[...this.#current.values()].reduce(add, this.#base),
      framesSkippedByReason: [...this.#skippedNow.values()].reduce(addReasons, this.#skippedBefore),
      framesReceived: this.framesReceived,
      imagesReceived: this.imagesReceived,
      recordsRefused: this.recordsRefused,
      recordsOverlapped: this.recordsOverlapped,
      workerRestarts: this.workerRestarts,
      reconnects,
    };
  }

  rates(): Rates {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const stale = this.#monotonicMs() - this.#heardMs > RATE_STALE_MS;
    if (first === undefined || last === undefined || last.atMs <= first.atMs || stale) {
      return { decoded: 0, inferred: 0, published: 0 };
    }
    const seconds = (last.atMs - first.atMs) / 1_000;
    const rate = (name: keyof StreamCounters) =>
      Math.round((((last.counters[name] ?? 0) - (first.counters[name] ?? 0)) / seconds) * 10) / 10;
    return {
      decoded: rate('framesDecoded'),
      inferred: rate('framesInferred'),
      published: rate('framesPublished'),
    };
  }
}

function falls(before: StreamCounters, after: StreamCounters): boolean {
  const names = Object.keys(before) as (keyof StreamCounters)[];
  return names.some((name) => (after[name] ?? 0) < (before[name] ?? 0));
}

function addReasons(a: Reasons, b: Reasons): Reasons {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

/** A count that only one of them has is taken as it is. */
function add(a: StreamCounters, b: StreamCounters): StreamCounters {
  return { ...a, ...b, ...addReasons({ ...a }, { ...b }) };
}
