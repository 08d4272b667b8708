import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SightlineError } from '../common/errors.ts';
import { type FrameNote, readNotes, type SegmentContainer } from '../common/segments.ts';
import { type FoundGap, findGaps, medianInterval } from './gaps.ts';
import { openMatroska } from './matroska.ts';
import { type ByteSource, fileSource } from './mp4/boxes.ts';
import { type Fragment, type Movie, openMovie, type Sample } from './mp4/fragments.ts';

/** A frame with its place in the file and what the worker noted of it. */
export interface IndexedFrame extends Omit<FrameNote, 'sizeBytes'> {
  readonly byteOffset: number;
  readonly sizeBytes: number;
}

/** Bytes that can be played after the file's header, and the capture times they span, ms since the Unix epoch. */
export interface FragmentPlace {
  readonly start: number;
  readonly end: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** It begins with a key frame: what is before it is not needed to decode it. */
  readonly key: boolean;
}

export interface ReadSegment {
  readonly codec: string;
  /** Up to the end of its last whole fragment (and, of a complete file, what follows it). */
  readonly bytes: number;
  readonly sha256: string;
  readonly epoch: bigint;
  readonly startMs: number;
  readonly endMs: number;
  /** Median time from one frame to the next. */
  readonly frameMs: number;
  readonly frames: readonly IndexedFrame[];
  readonly fragments: readonly FragmentPlace[];
  readonly initBytes: number;
  /** Numbers that are missing between its frames: access units that came and were not recorded. */
  readonly missing: number;
  /** Frames that were noted and are not in the file. */
  readonly lost: number;
  /** Frames whose note is of another size: the notes are not of this file. */
  readonly mismatched: number;
  readonly gaps: readonly FoundGap[];
}

export interface SegmentFiles {
  readonly path: string;
  readonly notesPath: string;
  readonly container: SegmentContainer;
  /** False: what is after the last whole fragment does not count. */
  readonly isWhole: boolean;
}

const HASH_BYTES = 1024 * 1024;
const NS_PER_MS = 1_000_000n;
/** What a frame lasts where nothing says it. */
const USUAL_FRAME_MS = 40;

/**
 * Reads where each frame of a segment lies and joins it with the worker's notes, in memory that grows with the number of
 * frames alone. Undefined for a file without one whole fragment.
 * @throws SightlineError `SL_UNAVAILABLE` when the file cannot be read
 */
export async function readSegment(files: SegmentFiles): Promise<ReadSegment | undefined> {
  return withFile(files, async (source, mtimeMs) => {
    const scan = await scanFile(source, mtimeMs, files);
    if (scan === undefined) return undefined;
    const { movie, found, frames, noted, epoch, times, frameMs } = scan;
    const bytes = files.isWhole ? source.size : found.at(-1)!.end;
    return {
      codec: movie.track.codec,
      bytes,
      sha256: await hashOf(source, bytes),
      epoch,
      startMs: times[0]!,
      endMs: times.at(-1)! + frameMs,
      frameMs,
      frames,
      fragments: placesOf(scan),
      initBytes: movie.initBytes,
      missing: missingIn(frames),
      lost: Math.max(0, noted.length - frames.length),
      mismatched: frames.filter(({ sizeBytes }, at) => sizeBytes !== noted[at]!.sizeBytes).length,
      gaps: findGaps(times, frameMs),
    };
  });
}

/** Only where its whole fragments lie, also of a file that is being written. Undefined where there is none. */
export async function readPlaces(
  files: Omit<SegmentFiles, 'isWhole'>,
): Promise<{ initBytes: number; places: readonly FragmentPlace[] } | undefined> {
  try {
    return await withFile(files, async (source, mtimeMs) => {
      const scan = await scanFile(source, mtimeMs, files);
      return scan && { initBytes: scan.movie.initBytes, places: placesOf(scan) };
    });
  } catch (error) {
    if ((error as SightlineError).details?.['code'] === 'ENOENT') return undefined;
    throw error;
  }
}

async function withFile<T>(
  { path }: Pick<SegmentFiles, 'path'>,
  work: (source: ByteSource, mtimeMs: number) => Promise<T>,
): Promise<T> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size, mtimeMs } = await handle.stat();
      return await work(fileSource(handle, size), mtimeMs);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new SightlineError('SL_UNAVAILABLE', `Cannot read segment ${path} (${code})`, {
      cause,
      details: { code },
    });
  }
}

interface Scan {
  readonly movie: Movie;
  readonly found: readonly Fragment[];
  readonly frames: readonly IndexedFrame[];
  readonly noted: readonly FrameNote[];
  readonly epoch: bigint;
  /** Of the frames, ascending, ms. */
  readonly times: readonly number[];
  readonly frameMs: number;
}

async function scanFile(
  source: ByteSource,
  mtimeMs: number,
  { notesPath, container }: Pick<SegmentFiles, 'notesPath' | 'container'>,
): Promise<Scan | undefined> {
  const movie = await (container === 'mp4' ? openMovie(source) : openMatroska(source));
  if (movie === undefined) return undefined;
  const found: Fragment[] = [];
  for await (const fragment of movie.fragments()) {
    if (fragment.samples.length > 0) found.push(fragment);
  }
  const samples = found.flatMap((fragment) => fragment.samples);
  const notes = await notesOf(notesPath);
  const noted = notes?.frames ?? invented(samples, movie.track.timescale, mtimeMs);
  const frames = samples.slice(0, noted.length).map((sample, at) => join(sample, noted[at]!));
  if (frames.length === 0) return undefined;
  const times = frames.map(({ captureNs }) => Number(captureNs / NS_PER_MS)).sort((a, b) => a - b);
  const frameMs = medianInterval(times) ?? USUAL_FRAME_MS;
  return { movie, found, frames, noted, epoch: notes?.epoch ?? 0n, times, frameMs };
}

async function notesOf(path: string) {
  try {
    return readNotes(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** For a file whose notes are gone: it ended when it was last written, and nobody knows by which clock. */
function invented(samples: readonly Sample[], timescale: number, mtimeMs: number): FrameNote[] {
  const nsOf = (units: number): bigint => BigInt(Math.round((units / timescale) * 1e9));
  const total = samples.reduce((sum, { duration }) => sum + duration, 0);
  const startNs = BigInt(Math.round(mtimeMs)) * NS_PER_MS - nsOf(total);
  let units = 0;
  return samples.map(({ size, sync, duration }, at) => {
    const ptsNs = nsOf(units);
    units += duration;
    return {
      ...{ frameSequence: BigInt(at), ptsNs, captureNs: startNs + ptsNs, captureClock: 0 },
      ...{ sizeBytes: size, keyFrame: sync },
    };
  });
}

function join({ offset, size, sync }: Sample, note: FrameNote): IndexedFrame {
  const { frameSequence, ptsNs, captureNs, captureClock } = note;
  return {
    ...{ frameSequence, ptsNs, captureNs, captureClock },
    ...{ byteOffset: offset, sizeBytes: size, keyFrame: sync },
  };
}

function placesOf({ found, frames, frameMs }: Scan): FragmentPlace[] {
  let at = 0;
  return found.flatMap(({ start, end, samples }) => {
    const times = frames
      .slice(at, at + samples.length)
      .map(({ captureNs }) => Number(captureNs / NS_PER_MS));
    at += samples.length;
    if (times.length === 0) return [];
    const fromMs = times.reduce((least, time) => Math.min(least, time));
    const toMs = times.reduce((most, time) => Math.max(most, time)) + frameMs;
    return [{ start, end, fromMs, toMs, key: samples[0]!.sync }];
  });
}

/** The order of the file is that of decoding, and sequences count in it. */
function missingIn(frames: readonly IndexedFrame[]): number {
  const span = frames.at(-1)!.frameSequence - frames[0]!.frameSequence + 1n;
  return Math.max(0, Number(span) - frames.length);
}

async function hashOf(source: ByteSource, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += HASH_BYTES) {
    hash.update(await source.read(at, Math.min(HASH_BYTES, bytes - at)));
    await nextTurn();
  }
  return hash.digest('hex');
}
