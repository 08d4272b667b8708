import { readFile } from 'node:fs/promises';
import { SightlineError } from '../common/errors.ts';
import { NOTES_SUFFIX, readNotes } from '../common/segments.ts';
import type { Catalogue, SegmentRow } from './catalogue.ts';
import {
  allowedMs,
  type FoundGap,
  findGaps,
  gapsBetween,
  medianInterval,
  type Span,
} from './gaps.ts';

const DAY_MS = 86_400_000;

/** What was recorded of a stream on one day (UTC), and what not. */
export interface GapReport {
  readonly streamId: string;
  /** `yyyy-MM-dd`. */
  readonly date: string;
  /** The part of the day the report is about: from the first recording ever, to now on the present day. */
  readonly from: string;
  readonly to: string;
  readonly segments: number;
  readonly frames: number;
  /** Numbers missing between frames of a session: they came from the camera and were not recorded. */
  readonly framesMissing: number;
  /** Frames of fragments that a writer did not finish, and of files that could not be read. */
  readonly framesLost: number;
  /** Frames of segments that were given up to keep a bound. */
  readonly framesShed: number;
  /** Share of the time that has frames, 0 to 1. */
  readonly completeness: number;
  readonly gaps: readonly {
    readonly from: string;
    readonly to: string;
    readonly seconds: number;
  }[];
}

export interface GapReportOptions {
  readonly catalogue: Catalogue;
  /** Of a closed segment, absolute. */
  readonly pathOf: (row: SegmentRow) => string;
}

/** @throws SightlineError `SL_NOT_FOUND` for a stream of which nothing was recorded up to then */
export async function gapReport(
  { catalogue, pathOf }: GapReportOptions,
  streamId: string,
  date: string,
): Promise<GapReport> {
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  const open = catalogue.open().filter((row) => row.streamId === streamId);
  const closed = catalogue.touching(streamId, dayMs, dayMs + DAY_MS);
  const writing = (await Promise.all(open.map((row) => openSpan(row, pathOf(row))))).filter(
    (span) => span !== undefined,
  );
  const kept = closed.filter(({ state }) => !['open', 'shed', 'lost'].includes(state));
  const spans = [...kept, ...writing]
    .filter(({ startMs, endMs }) => startMs < dayMs + DAY_MS && endMs > dayMs)
    .sort((a, b) => a.startMs - b.startMs);
  const isOlder = catalogue.before(streamId, dayMs) !== undefined;
  const first = spans[0];
  if (first === undefined && !isOlder) {
    throw new SightlineError('SL_NOT_FOUND', `Nothing of "${streamId}" is recorded up to ${date}`);
  }
  const fromMs = isOlder ? dayMs : Math.max(dayMs, first!.startMs);
  const toMs = Math.max(fromMs, Math.min(dayMs + DAY_MS, nowOf(writing)));
  const gaps = gapsBetween(spans, fromMs, toMs);
  const missingMs = gaps.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
  const sum = (rows: readonly SegmentRow[], of: (row: SegmentRow) => number) =>
    rows.reduce((total, row) => total + of(row), 0);
  const shed = closed.filter(({ state }) => state === 'shed');
  return {
    ...{ streamId, date, from: iso(fromMs), to: iso(toMs) },
    segments: spans.length,
    frames: sum(kept, ({ frames }) => frames) + writing.reduce((n, span) => n + span.frames, 0),
    framesMissing: sum(kept, ({ missing }) => missing) + between(kept),
    framesLost: sum(closed, ({ lost }) => lost),
    framesShed: sum(shed, ({ frames }) => frames),
    completeness: toMs === fromMs ? 1 : Math.max(0, 1 - missingMs / (toMs - fromMs)),
    gaps: gaps.map((gap) => ({
      from: iso(gap.fromMs),
      to: iso(gap.toMs),
      seconds: Math.round(gap.toMs - gap.fromMs) / 1000,
    })),
  };
}

/** While something is written the last frames are on their way to the disk: their time is no gap yet. */
function nowOf(writing: readonly Span[]): number {
  const now = Date.now();
  const lastMs = Math.max(...writing.map(({ endMs }) => endMs), Number.NEGATIVE_INFINITY);
  return now - lastMs < 2 * allowedMs(0) ? lastMs : now;
}

/** Numbers missing between segments of one session that follow each other. */
function between(rows: readonly SegmentRow[]): number {
  const lastOf = new Map<string, SegmentRow>();
  let missing = 0;
  for (const row of [...rows].sort((a, b) => a.number - b.number)) {
    const last = lastOf.get(row.session);
    if (last?.number === row.number - 1) {
      missing += Math.max(0, row.firstSequence - last.lastSequence - 1);
    }
    lastOf.set(row.session, row);
  }
  return missing;
}

/** What the notes tell of a segment that is being written. */
async function openSpan(
  row: SegmentRow,
  path: string,
): Promise<(Span & { readonly frames: number }) | undefined> {
  const bytes = await readFile(path.replace(/\.\w+$/, NOTES_SUFFIX)).catch(() => undefined);
  const frames = bytes && readNotes(bytes)?.frames;
  if (frames === undefined || frames.length === 0) return undefined;
  const times = frames.map(({ captureNs }) => Number(captureNs / 1_000_000n)).sort((a, b) => a - b);
  const frameMs = medianInterval(times) ?? 0;
  const gaps: FoundGap[] = findGaps(times, frameMs);
  const startMs = times[0] ?? row.startMs;
  return { startMs, endMs: times.at(-1)! + frameMs, frameMs, gaps, frames: frames.length };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
