// ISO/IEC 14496-12 (boxes), 14496-15 (sample entries of H.264 and H.265).

/** What the header of a file says of its one video track. */
export interface WrittenTrack {
  readonly codec: 'h264' | 'h265';
  /** What is in `avcC` or `hvcC`. */
  readonly configuration: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Units a second. */
  readonly timescale: number;
}

/** A frame of a fragment; times in units of the track. */
export interface WrittenSample {
  readonly bytes: Uint8Array;
  readonly sync: boolean;
  readonly duration: number;
  /** From its decoding to when it is shown; may be negative. */
  readonly offset: number;
}

const TRACK_ID = 1;
const ENTRIES = { h264: ['avc1', 'avcC'], h265: ['hvc1', 'hvcC'] } as const;
const MATRIX = u32s(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** 8.8.3.1: depends on others and is no key frame, or on none. */
const SYNC_FLAGS = 0x0200_0000;
const OTHER_FLAGS = 0x0101_0000;

/** Everything before the first fragment. */
export function writeHeader(track: WrittenTrack): Buffer {
  const { width, height, timescale } = track;
  const ftyp = box('ftyp', text('iso6'), u32s(0), text('iso6mp41'));
  const mvhd = full('mvhd', 0, 0, [
    u32s(0, 0, 1000, 0, 0x10000, 0x01000000, 0, 0),
    ...[MATRIX, u32s(0, 0, 0, 0, 0, 0, TRACK_ID + 1)],
  ]);
  const tkhd = full('tkhd', 0, 7, [
    ...[u32s(0, 0, TRACK_ID, 0, 0, 0, 0, 0, 0), MATRIX],
    u32s(width * 0x10000, height * 0x10000),
  ]);
  // The language is "und".
  const mdhd = full('mdhd', 0, 0, [u32s(0, 0, timescale, 0, 0x55c4_0000)]);
  const hdlr = full('hdlr', 0, 0, [u32s(0), text('vide'), u32s(0, 0, 0), Buffer.from([0])]);
  const dref = full('dref', 0, 0, [u32s(1), full('url ', 0, 1, [])]);
  const stbl = box(
    'stbl',
    full('stsd', 0, 0, [u32s(1), sampleEntry(track)]),
    full('stts', 0, 0, [u32s(0)]),
    full('stsc', 0, 0, [u32s(0)]),
    full('stsz', 0, 0, [u32s(0, 0)]),
    full('stco', 0, 0, [u32s(0)]),
  );
  const minf = box('minf', full('vmhd', 0, 1, [u32s(0, 0)]), box('dinf', dref), stbl);
  const trak = box('trak', tkhd, box('mdia', mdhd, hdlr, minf));
  const mvex = box('mvex', full('trex', 0, 0, [u32s(TRACK_ID, 1, 0, 0, 0)]));
  return Buffer.concat([ftyp, box('moov', mvhd, trak, mvex)]);
}

/** @param decodeTime of its first sample, units of the track */
export function writeFragment(
  sequence: number,
  decodeTime: number,
  samples: readonly WrittenSample[],
): Buffer {
  const rows = Buffer.alloc(16 * samples.length);
  for (const [index, { bytes, sync, duration, offset }] of samples.entries()) {
    rows.writeUInt32BE(duration, 16 * index);
    rows.writeUInt32BE(bytes.length, 16 * index + 4);
    rows.writeUInt32BE(sync ? SYNC_FLAGS : OTHER_FLAGS, 16 * index + 8);
    rows.writeInt32BE(offset, 16 * index + 12);
  }
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(decodeTime));
  const moof = (dataOffset: number): Buffer =>
    box(
      'moof',
      full('mfhd', 0, 0, [u32s(sequence)]),
      box(
        'traf',
        // Offsets count from the beginning of the moof.
        full('tfhd', 0, 0x020000, [u32s(TRACK_ID)]),
        full('tfdt', 1, 0, [time]),
        // Each sample has its duration, size, flags and offset.
        full('trun', 1, 0x000f01, [u32s(samples.length, dataOffset), rows]),
      ),
    );
  const mdat = box('mdat', ...samples.map(({ bytes }) => bytes));
  return Buffer.concat([moof(moof(0).length + 8), mdat]);
}

function sampleEntry({ codec, configuration, width, height }: WrittenTrack): Buffer {
  const [entry, configured] = ENTRIES[codec];
  const fields = Buffer.alloc(78);
  fields.writeUInt16BE(1, 6);
  fields.writeUInt16BE(width, 24);
  fields.writeUInt16BE(height, 26);
  fields.writeUInt32BE(0x0048_0000, 28);
  fields.writeUInt32BE(0x0048_0000, 32);
  fields.writeUInt16BE(1, 40);
  fields.writeUInt16BE(24, 74);
  fields.writeUInt16BE(0xffff, 76);
  return box(entry, fields, box(configured, configuration));
}

function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const bytes = parts.reduce((sum, { length }) => sum + length, 8);
  return Buffer.concat([u32s(bytes), text(type), ...parts]);
}

function full(type: string, version: number, flags: number, parts: readonly Uint8Array[]): Buffer {
  return box(type, u32s(version * 0x0100_0000 + flags), ...parts);
}

function u32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

function text(characters: string): Buffer {
  return Buffer.from(characters, 'latin1');
}
