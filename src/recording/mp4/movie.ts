import { type Box, innerBox, innerBoxes } from './boxes.ts';

// ISO/IEC 14496-12, 8.2 to 8.8.3.

/** What a `moov` says of its video track. */
export interface VideoTrack {
  readonly id: number;
  /** Units a second of every time of the track. */
  readonly timescale: number;
  /** `h264`, `h265`, or the four characters of the sample entry. */
  readonly codec: string;
  /** Size and decoder configuration (ISO/IEC 14496-15: `avcC`, `hvcC`): files with the same ones can be joined. */
  readonly description: Buffer;
  readonly defaults: SampleDefaults;
}

export interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

const CODECS: Readonly<Record<string, string>> = {
  avc1: 'h264',
  avc3: 'h264',
  hvc1: 'h265',
  hev1: 'h265',
};

/** Undefined for a movie without a video track. @param moov the box with its header */
export function readMovie(moov: Buffer): VideoTrack | undefined {
  const root = { type: 'moov', start: 0, contentStart: 8, end: moov.length };
  for (const box of innerBoxes(moov, root.contentStart, root.end)) {
    if (box.type !== 'trak') continue;
    const track = readTrack(moov, box);
    if (track !== undefined) return { ...track, defaults: readDefaults(moov, root, track.id) };
  }
  return undefined;
}

function readTrack(moov: Buffer, trak: Box): Omit<VideoTrack, 'defaults'> | undefined {
  const tkhd = innerBox(moov, trak, 'tkhd');
  const mdia = innerBox(moov, trak, 'mdia');
  const mdhd = mdia && innerBox(moov, mdia, 'mdhd');
  const hdlr = mdia && innerBox(moov, mdia, 'hdlr');
  const minf = mdia && innerBox(moov, mdia, 'minf');
  const stbl = minf && innerBox(moov, minf, 'stbl');
  const stsd = stbl && innerBox(moov, stbl, 'stsd');
  if (!tkhd || !mdhd || !hdlr || !stsd) return undefined;
  if (moov.toString('latin1', hdlr.contentStart + 8, hdlr.contentStart + 12) !== 'vide') {
    return undefined;
  }
  const id = moov.readUInt32BE(tkhd.contentStart + (moov[tkhd.contentStart] === 1 ? 20 : 12));
  const timescale = moov.readUInt32BE(
    mdhd.contentStart + (moov[mdhd.contentStart] === 1 ? 20 : 12),
  );
  const entry = moov.toString('latin1', stsd.contentStart + 12, stsd.contentStart + 16);
  const description = readDescription(moov, stsd);
  return { id, timescale, codec: CODECS[entry] ?? entry, description };
}

/** Of the first sample entry. What else is in it, such as its bit rate, differs from file to file. */
function readDescription(moov: Buffer, { contentStart, end }: Box): Buffer {
  const entry = contentStart + 8;
  const parts = [moov.subarray(entry + 32, entry + 36)];
  for (const box of innerBoxes(moov, entry + 86, end)) {
    if (box.type === 'avcC' || box.type === 'hvcC') parts.push(moov.subarray(box.start, box.end));
  }
  return Buffer.concat(parts);
}

function readDefaults(moov: Buffer, root: Box, trackId: number): SampleDefaults {
  const mvex = innerBox(moov, root, 'mvex');
  if (mvex === undefined) return { duration: 0, size: 0, flags: 0 };
  for (const { type, contentStart: at } of innerBoxes(moov, mvex.contentStart, mvex.end)) {
    if (type !== 'trex' || moov.readUInt32BE(at + 4) !== trackId) continue;
    return {
      duration: moov.readUInt32BE(at + 12),
      size: moov.readUInt32BE(at + 16),
      flags: moov.readUInt32BE(at + 20),
    };
  }
  return { duration: 0, size: 0, flags: 0 };
}
