import type { StreamCost } from './cost.ts';

/** Frames passed over after each one that is looked at: at 25 a second still about one look in 1.2 s. */
const MOST = 29;

/** New inference intervals by stream; 0 ends what was imposed. */
export type Intervals = ReadonlyMap<string, number>;

interface Step {
  readonly id: string;
  readonly priority: number;
  interval: number;
  /** Looks a second. */
  rate: number;
  readonly cost: StreamCost;
}

/**
 * The intervals that save `excess` cores: the streams of the least priority first, of these the least throttled and then
 * the most costly. As much as can be done where that is not enough.
 */
export function throttled(costs: readonly StreamCost[], excess: number): Intervals {
  const steps = costs.filter(({ perInference }) => perInference > 0).map(stepOf);
  const changed = new Map<string, number>();
  let left = excess;
  while (left > 0) {
    const next = steps.filter(({ interval }) => interval < MOST).sort(byLeast)[0];
    if (next === undefined) break;
    const interval = Math.min(MOST, (next.interval + 1) * 2 - 1);
    const rate = Math.min(next.rate, next.cost.decodedFps / (interval + 1));
    left -= (next.rate - rate) * next.cost.perInference;
    next.interval = interval;
    next.rate = rate;
    changed.set(next.id, interval);
  }
  return changed;
}

/** One step back for the stream of the highest priority that is throttled, if `room` cores are enough for it. */
export function relaxed(costs: readonly StreamCost[], room: number): Intervals {
  const next = costs
    .filter(({ imposed }) => imposed > 0)
    .sort((a, b) => b.priority - a.priority || b.imposed - a.imposed || byId(a, b))[0];
  if (next === undefined) return new Map();
  const interval = Math.floor((next.imposed + 1) / 2) - 1;
  const effective = Math.max(next.asked, interval);
  const more = Math.max(0, next.decodedFps / (effective + 1) - next.inferredFps);
  if (more * next.perInference > room) return new Map();
  return new Map([[next.id, interval <= next.asked ? 0 : interval]]);
}

function stepOf(cost: StreamCost): Step {
  const interval = Math.max(cost.asked, cost.imposed);
  return { id: cost.id, priority: cost.priority, interval, rate: cost.inferredFps, cost };
}

function byLeast(a: Step, b: Step): number {
  const costOf = ({ rate, cost }: Step) => rate * cost.perInference;
  return a.priority - b.priority || a.interval - b.interval || costOf(b) - costOf(a) || byId(a, b);
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
