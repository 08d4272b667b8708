import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 60_000;
export const LOOP_QUANTILES = [0.5, 0.99, 1] as const;

type Quantiles = readonly number[];

/** How late this process' event loop is, over the last one to two minutes. */
export class LoopDelay implements Disposable {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #before: Quantiles | undefined;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#before = this.#now();
      this.#histogram.reset();
    }, WINDOW_MS).unref();
  }

  /** Seconds, one for each of LOOP_QUANTILES: the worse one of this window and the one before. */
  read(): Quantiles {
    const now = this.#now();
    return now.map((value, index) => Math.max(value, this.#before?.[index] ?? 0));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  /** The histogram holds the whole time between two looks: what is asked for is how much too long that was. */
  #now(): Quantiles {
    if (this.#histogram.count === 0) return LOOP_QUANTILES.map(() => 0);
    return LOOP_QUANTILES.map((quantile) => {
      const ns = quantile === 1 ? this.#histogram.max : this.#histogram.percentile(quantile * 100);
      return Math.max(0, ns / 1e9 - RESOLUTION_MS / 1e3);
    });
  }
}
