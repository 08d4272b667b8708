import type { StreamCost } from './cost.ts';
import { type Intervals, relaxed, throttled } from './intervals.ts';

/** Too much for this long before anything is throttled. */
const OVER_MS = 5_000;
/** A change shows in what is measured after this long. */
const SETTLE_MS = 10_000;
/** Room for this long before anything is given back; doubled each time that was too early. */
const CALM_MS = 20_000;
const MOST_CALM_MS = 600_000;
/** Given back too early: it had to be taken again within this. */
const REGRET_MS = 60_000;
/** Share of the limit that must stay free when something is given back. */
const SPARE = 0.1;

const NOTHING: Intervals = new Map();

/** Decides when intervals change, so that they do not swing. Pure: time and measurements come with each call. */
export class Governor {
  #overSinceMs: number | undefined;
  #changedMs = Number.NEGATIVE_INFINITY;
  #relaxedMs = Number.NEGATIVE_INFINITY;
  #calmMs = CALM_MS;

  /** New intervals to impose; empty for no change. `used` and `limit` in cores, `nowMs` monotonic. */
  decide(nowMs: number, used: number, limit: number, costs: readonly StreamCost[]): Intervals {
    if (used > limit) return this.#over(nowMs, used - limit, costs);
    this.#overSinceMs = undefined;
    if (nowMs - this.#changedMs < this.#calmMs) return NOTHING;
    const back = relaxed(costs, limit * (1 - SPARE) - used);
    if (back.size > 0) {
      this.#changedMs = nowMs;
      this.#relaxedMs = nowMs;
    }
    return back;
  }

  #over(nowMs: number, excess: number, costs: readonly StreamCost[]): Intervals {
    this.#overSinceMs ??= nowMs;
    if (nowMs - this.#overSinceMs < OVER_MS || nowMs - this.#changedMs < SETTLE_MS) return NOTHING;
    const intervals = throttled(costs, excess);
    if (intervals.size === 0) return NOTHING;
    const regretted = nowMs - this.#relaxedMs < REGRET_MS;
    this.#calmMs = regretted ? Math.min(MOST_CALM_MS, this.#calmMs * 2) : CALM_MS;
    this.#changedMs = nowMs;
    this.#overSinceMs = undefined;
    return intervals;
  }
}
