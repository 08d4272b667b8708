/** An interval without frames, ms since the Unix epoch. */
export interface FoundGap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Shorter ones are no gaps: a camera's pictures do not come by the clock. */
export const LEAST_GAP_MS = 2000;

/** Median time between two frames; undefined for fewer than two. @param times ascending, ms */
export function medianInterval(times: readonly number[]): number | undefined {
  const intervals = times.slice(1).map((time, at) => time - times[at]!);
  intervals.sort((a, b) => a - b);
  return intervals[intervals.length >>> 1];
}

/** Longest time between two frames that is no gap: two frames' time, and 2 s at least. */
export function allowedMs(frameMs: number): number {
  return Math.max(2 * frameMs, LEAST_GAP_MS);
}

/** Gaps between frames. @param times ascending, ms; `frameMs` what one frame lasts */
export function findGaps(times: readonly number[], frameMs: number): FoundGap[] {
  const allowed = allowedMs(frameMs);
  return times.slice(1).flatMap((toMs, at) => {
    const fromMs = times[at]!;
    return toMs - fromMs > allowed ? [{ fromMs, toMs }] : [];
  });
}

/** A piece of recorded time. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
  /** What one frame lasts. */
  readonly frameMs: number;
  /** Inside of it. */
  readonly gaps: readonly FoundGap[];
}

/**
 * Gaps of a window that spans leave open, those inside of them included, in their order.
 * @param spans ascending by start; they may overlap (a session that is handed over)
 */
export function gapsBetween(spans: readonly Span[], fromMs: number, toMs: number): FoundGap[] {
  const gaps: FoundGap[] = [];
  let coveredMs = fromMs;
  let allowed = LEAST_GAP_MS;
  const leave = (from: number, to: number): void => {
    const gap = { fromMs: Math.max(from, fromMs), toMs: Math.min(to, toMs) };
    if (gap.toMs - gap.fromMs > allowed) gaps.push(gap);
  };
  for (const piece of solid(spans)) {
    if (piece.startMs > coveredMs) leave(coveredMs, piece.startMs);
    if (piece.endMs > coveredMs) {
      coveredMs = piece.endMs;
      allowed = allowedMs(piece.frameMs);
    }
  }
  leave(coveredMs, toMs);
  return gaps;
}

/** Spans cut at their own gaps, ascending by start. */
function solid(spans: readonly Span[]): Omit<Span, 'gaps'>[] {
  return spans
    .flatMap(({ startMs, endMs, frameMs, gaps }) => {
      const starts = [startMs, ...gaps.map(({ toMs }) => toMs)];
      const ends = [...gaps.map(({ fromMs }) => fromMs), endMs];
      return starts.map((start, at) => ({ startMs: start, endMs: ends[at]!, frameMs }));
    })
    .sort((a, b) => a.startMs - b.startMs);
}
