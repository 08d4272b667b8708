import type { StreamCounters } from '../../src/worker/protocol.ts';
import { NO_SAMPLE, type StreamSample } from '../../src/worker/stream-sample.ts';

/** A sample of a stream whose graph counts everything. */
export function sampleOf(
  counters: Partial<StreamCounters>,
  leftOut: { before?: number; behind?: number } = {},
): StreamSample {
  const all = { ...NO_SAMPLE.counters, ...counters };
  const { before = 0, behind = 0 } = leftOut;
  return {
    ...NO_SAMPLE,
    counters: all,
    leftOut: before,
    offered: all.framesDecoded - behind,
    counts: { arrived: true, published: true },
  };
}
