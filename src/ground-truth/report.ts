import type { GroundTruth } from './sei.ts';

/** A frame that came, and when (CLOCK_MONOTONIC, on the camera's machine). */
export interface Observation {
  readonly truth: GroundTruth;
  readonly receivedMonotonicNs?: bigint;
}

/** How complete one stream came. */
export interface StreamReport {
  readonly stream: number;
  /** Frames that came, each counted once. */
  readonly received: number;
  readonly first: number;
  readonly last: number;
  /** Numbers between the first and the last that did not come. */
  readonly lost: number;
  /** The lost ones as runs, the first twenty. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
  /** Frames that came again. */
  readonly duplicated: number;
  /** Frames that came after one with a higher number. */
  readonly reordered: number;
  /** From sending to receiving, in ms; only where it is known when frames came. */
  readonly latencyMs?: { readonly p50: number; readonly p99: number };
}

const MOST_GAPS = 20;

/** One report for each stream, by number. `observations` are in the order in which they came. */
export function reportStreams(observations: Iterable<Observation>): StreamReport[] {
  const streams = new Map<number, Observation[]>();
  for (const one of observations) {
    const same = streams.get(one.truth.stream);
    if (same === undefined) streams.set(one.truth.stream, [one]);
    else same.push(one);
  }
  return [...streams]
    .sort(([left], [right]) => left - right)
    .map(([stream, seen]) => reportStream(stream, seen));
}

function reportStream(stream: number, seen: readonly Observation[]): StreamReport {
  const numbers = new Set<number>();
  let highest = -1;
  let reordered = 0;
  for (const { truth } of seen) {
    if (truth.frame < highest && !numbers.has(truth.frame)) reordered++;
    highest = Math.max(highest, truth.frame);
    numbers.add(truth.frame);
  }
  const sorted = [...numbers].sort((left, right) => left - right);
  const first = sorted[0] ?? 0;
  const last = sorted.at(-1) ?? -1;
  const gaps = sorted
    .slice(1)
    .map((frame, index) => ({ from: (sorted[index] ?? frame) + 1, to: frame - 1 }))
    .filter(({ from, to }) => to >= from);
  const latencies = seen.flatMap(({ truth, receivedMonotonicNs }) =>
    receivedMonotonicNs === undefined
      ? []
      : [Number(receivedMonotonicNs - truth.monotonicNs) / 1e6],
  );
  return {
    stream,
    received: numbers.size,
    first,
    last,
    lost: last - first + 1 - numbers.size,
    gaps: gaps.slice(0, MOST_GAPS),
    duplicated: seen.length - numbers.size,
    reordered,
    ...(latencies.length === 0
      ? {}
      : { latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) } }),
  };
}

/** The smallest value that at least this share of the values does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
