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

export type Rates = { decoded: number; inferred: number; published: number };

/** A stream's totals over all its workers, and the rates of the last seconds. */
export class StreamCounts {
  readonly #monotonicMs: () => number;
  /** What the former workers counted. */
  #base = ZERO;
  #current = ZERO;
  #samples: Sample[] = [];
  #heardMs = Number.NEGATIVE_INFINITY;
  framesReceived = 0;
  imagesReceived = 0;
  recordsRefused = 0;
  workerRestarts = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** The worker's report; `atMs` by its monotonic clock. */
  report(counters: StreamCounters, atMs: number): void {
    this.#current = counters;
    this.#heardMs = this.#monotonicMs();
    this.#samples.push({ atMs, counters });
    while (this.#samples.length > 2 && atMs - this.#samples[0]!.atMs > RATE_WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** The next worker counts from zero. */
  workerGone(): void {
    this.#base = add(this.#base, this.#current);
    this.#current = ZERO;
    this.#samples = [];
  }

  totals(reconnects: number): StreamTotals {
    return {
      ...add(this.#base, this.#current),
      framesReceived: this.framesReceived,
      imagesReceived: this.imagesReceived,
      recordsRefused: this.recordsRefused,
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
      Math.round(((last.counters[name] - first.counters[name]) / seconds) * 10) / 10;
    return {
      decoded: rate('framesDecoded'),
      inferred: rate('framesInferred'),
      published: rate('framesPublished'),
    };
  }
}

function add(a: StreamCounters, b: StreamCounters): StreamCounters {
  return {
    framesArrived: a.framesArrived + b.framesArrived,
    framesDecoded: a.framesDecoded + b.framesDecoded,
    framesInferred: a.framesInferred + b.framesInferred,
    framesPublished: a.framesPublished + b.framesPublished,
    framesSkipped: a.framesSkipped + b.framesSkipped,
    recordsDropped: a.recordsDropped + b.recordsDropped,
  };
}
