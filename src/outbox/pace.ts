/** What a throttled call leaves of the rate, and what a call that went through adds to it. */
const CUT = 0.85;
const RISE = 1.02;
const MIN_PER_SECOND = 1 / 60;
/** A rate so far above what is sent limits nothing. */
const FORGET_FACTOR = 4;
const WEIGHT = 0.1;
/** Longer ones say that there was nothing to send. */
const MAX_GAP_MS = 250;

/**
 * How often a sink that throttles is called: slower after each call it throttles, a little faster after each it takes,
 * so that the rate stays close below what the sink allows and few calls are wasted. It limits nothing until the sink
 * throttles. Times are monotonic, ms.
 */
export class Pace {
  #perSecond = Number.POSITIVE_INFINITY;
  #lastMs: number | undefined;
  /** Mean time from one call to the next. */
  #gapMs: number | undefined;

  /** Call when an attempt begins. */
  begin(nowMs: number): void {
    if (this.#lastMs !== undefined) {
      const gap = Math.min(MAX_GAP_MS, Math.max(0.1, nowMs - this.#lastMs));
      this.#gapMs = this.#gapMs === undefined ? gap : this.#gapMs + WEIGHT * (gap - this.#gapMs);
    }
    this.#lastMs = nowMs;
  }

  throttled(): void {
    const sent = 1000 / (this.#gapMs ?? 100);
    this.#perSecond = Math.max(MIN_PER_SECOND, CUT * Math.min(this.#perSecond, sent));
  }

  succeeded(): void {
    this.#perSecond *= RISE;
    const sent = 1000 / (this.#gapMs ?? 100);
    if (this.#perSecond > FORGET_FACTOR * sent) this.#perSecond = Number.POSITIVE_INFINITY;
  }

  /** When the next attempt may begin, 0: at once. */
  nextMs(): number {
    if (this.#lastMs === undefined || this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    return this.#lastMs + 1000 / this.#perSecond;
  }
}
