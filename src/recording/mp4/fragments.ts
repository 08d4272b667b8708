import { type Box, type ByteSource, innerBox, innerBoxes, wholeBoxes } from './boxes.ts';
import { readMovie, type SampleDefaults, type VideoTrack } from './movie.ts';

// ISO/IEC 14496-12, 8.8.4 to 8.8.12.

/** A frame as it lies in the file. */
export interface Sample {
  /** First byte in the file. */
  readonly offset: number;
  readonly size: number;
  readonly sync: boolean;
  /** In units of the track. */
  readonly duration: number;
}

/** A `moof` and what it speaks of. */
export interface Fragment {
  /** From the `moof` to the end of its last `mdat`. */
  readonly start: number;
  readonly end: number;
  /** Decoding time of its first sample, in units of the track. */
  readonly decodeTime: number;
  readonly samples: readonly Sample[];
}

export interface Movie {
  /** Everything before the first fragment: what a player needs to make sense of any of them. */
  readonly initBytes: number;
  readonly track: VideoTrack;
}

/** Boxes that are read as a whole; no writer of ours comes near it. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const NON_SYNC = 0x0001_0000;

/**
 * A fragmented MP4 file, fragment by fragment: only the headers are read, so that memory does not grow with the file.
 * Ends quietly before the first fragment that is not there as a whole, as a writer that died leaves it.
 * @returns undefined for a file without a complete header, or without video
 */
export async function openMovie(
  source: ByteSource,
): Promise<(Movie & { fragments(): AsyncGenerator<Fragment, void, undefined> }) | undefined> {
  for await (const box of wholeBoxes(source)) {
    if (box.type !== 'moov') continue;
    if (box.end - box.start > MAX_HEADER_BYTES) return undefined;
    const track = readMovie(await source.read(box.start, box.end - box.start));
    if (track === undefined) return undefined;
    return { initBytes: box.end, track, fragments: () => fragmentsOf(source, track) };
  }
  return undefined;
}

async function* fragmentsOf(
  source: ByteSource,
  track: VideoTrack,
): AsyncGenerator<Fragment, void, undefined> {
  let pending: Omit<Fragment, 'end'> | undefined;
  for await (const box of wholeBoxes(source)) {
    if (box.type === 'moof') {
      if (box.end - box.start > MAX_HEADER_BYTES) return;
      const moof = await source.read(box.start, box.end - box.start);
      pending = { start: box.start, ...readFragment(moof, box.start, track) };
    } else if (box.type === 'mdat' && pending !== undefined) {
      const last = pending.samples.at(-1);
      // Several mdat boxes may follow one moof: it is whole when its last sample is.
      if (last !== undefined && last.offset + last.size > box.end) continue;
      yield { ...pending, end: box.end };
      pending = undefined;
    }
  }
}

/** @param start of the `moof` in the file */
export function readFragment(
  moof: Buffer,
  start: number,
  { id, defaults }: Pick<VideoTrack, 'id' | 'defaults'>,
): Pick<Fragment, 'decodeTime' | 'samples'> {
  const samples: Sample[] = [];
  let decodeTime = 0;
  for (const traf of innerBoxes(moof, 8, moof.length)) {
    if (traf.type !== 'traf') continue;
    const header = readHeader(moof, traf, start, defaults);
    if (header === undefined || header.trackId !== id) continue;
    const tfdt = innerBox(moof, traf, 'tfdt');
    if (tfdt !== undefined) decodeTime = readDecodeTime(moof, tfdt);
    let offset = header.base;
    for (const box of innerBoxes(moof, traf.contentStart, traf.end)) {
      if (box.type === 'trun') offset = readRun(moof, box, header, offset, samples);
    }
  }
  return { decodeTime, samples };
}

export function readDecodeTime(moof: Buffer, { contentStart }: Box): number {
  return moof[contentStart] === 1
    ? Number(moof.readBigUInt64BE(contentStart + 4))
    : moof.readUInt32BE(contentStart + 4);
}

interface TrackHeader extends SampleDefaults {
  readonly trackId: number;
  readonly base: number;
}

function readHeader(
  moof: Buffer,
  traf: Box,
  start: number,
  defaults: SampleDefaults,
): TrackHeader | undefined {
  const tfhd = innerBox(moof, traf, 'tfhd');
  if (tfhd === undefined) return undefined;
  const flags = moof.readUIntBE(tfhd.contentStart + 1, 3);
  const trackId = moof.readUInt32BE(tfhd.contentStart + 4);
  let at = tfhd.contentStart + 8;
  let base = start;
  if (flags & 0x1) {
    base = Number(moof.readBigUInt64BE(at));
    at += 8;
  }
  if (flags & 0x2) at += 4;
  const next = (): number => {
    at += 4;
    return moof.readUInt32BE(at - 4);
  };
  const duration = flags & 0x8 ? next() : defaults.duration;
  const size = flags & 0x10 ? next() : defaults.size;
  return { trackId, base, duration, size, flags: flags & 0x20 ? next() : defaults.flags };
}

/** Adds the samples of a run; returns where the next one begins that does not say so itself. */
function readRun(
  moof: Buffer,
  trun: Box,
  header: TrackHeader,
  follows: number,
  samples: Sample[],
): number {
  const flags = moof.readUIntBE(trun.contentStart + 1, 3);
  const count = moof.readUInt32BE(trun.contentStart + 4);
  let at = trun.contentStart + 8;
  const next = (): number => {
    at += 4;
    return moof.readUInt32BE(at - 4);
  };
  let offset = follows;
  if (flags & 0x1) {
    offset = header.base + moof.readInt32BE(at);
    at += 4;
  }
  const firstFlags = flags & 0x4 ? next() : header.flags;
  for (let index = 0; index < count; index++) {
    const duration = flags & 0x100 ? next() : header.duration;
    const size = flags & 0x200 ? next() : header.size;
    const sampleFlags = flags & 0x400 ? next() : index === 0 ? firstFlags : header.flags;
    if (flags & 0x800) at += 4;
    samples.push({ offset, size, sync: (sampleFlags & NON_SYNC) === 0, duration });
    offset += size;
  }
  return offset;
}
