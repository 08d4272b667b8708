import { OPEN_SUFFIX, type SegmentContainer } from '../common/segments.ts';

/** What the name of a file in the worker's folder tells. */
export interface SegmentName {
  readonly session: string;
  readonly number: number;
  readonly container: SegmentContainer;
  readonly isOpen: boolean;
  /** The same in the name of the notes. */
  readonly stem: string;
}

const NAME = /^(([A-Za-z0-9-]{1,64})-(\d{6,15}))\.(mp4|mkv)(\.part)?$/;

/** Undefined for a file that is no segment. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const [, stem, session, digits, suffix, open] = NAME.exec(file) ?? [];
  if (stem === undefined) return undefined;
  return {
    stem,
    session: session!,
    number: Number(digits),
    container: suffix === 'mp4' ? 'mp4' : 'matroska',
    isOpen: open === OPEN_SUFFIX,
  };
}

export const CONTENT_TYPES: Readonly<Record<SegmentContainer, string>> = {
  mp4: 'video/mp4',
  matroska: 'video/matroska',
};

/**
 * Key of a segment in every store, in UTC: `<streamId>/yyyy/MM/dd/HH/<yyyyMMddTHHmmss.SSSZ>-<session>.mp4`.
 * @param startMs capture time of its first frame, ms since the Unix epoch; out of the years 1970 to 9999 it counts as 1970
 */
export function segmentKey(
  streamId: string,
  session: string,
  startMs: number,
  container: SegmentContainer,
): string {
  const isSane = startMs >= 0 && startMs < 253_402_300_800_000;
  const iso = new Date(isSane ? startMs : 0).toISOString();
  const [year, month, day, hour] = [
    iso.slice(0, 4),
    iso.slice(5, 7),
    iso.slice(8, 10),
    iso.slice(11, 13),
  ];
  const name = `${iso.replace(/[-:]/g, '')}-${session}.${container === 'mp4' ? 'mp4' : 'mkv'}`;
  return [streamId, year, month, day, hour, name].join('/');
}
