import { SightlineError } from '../common/errors.ts';
import type { Codec } from './sei.ts';

/** The video track of an MP4 file. */
export interface VideoTrack {
  readonly codec: Codec;
  /** Bytes of a NAL unit's size. */
  readonly lengthSize: number;
  /** In the order of the file, which is decode order. */
  readonly samples: readonly Buffer[];
}

interface Box {
  readonly type: string;
  /** Where it begins in the file. */
  readonly start: number;
  readonly body: Buffer;
}

/** Boxes of ISO/IEC 14496-12, 4.2. The last may be cut short: a recording that was killed. */
function* boxes(file: Buffer, from: number, to: number): Generator<Box> {
  let at = from;
  while (at + 8 <= to) {
    let size = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    let header = 8;
    if (size === 1 && at + 16 <= to) {
      size = Number(file.readBigUInt64BE(at + 8));
      header = 16;
    }
    if (size === 0) size = to - at;
    if (size < header) return;
    yield { type, start: at, body: file.subarray(at + header, Math.min(at + size, to)) };
    at += size;
  }
}

function children(box: Box | undefined): Box[] {
  return box === undefined ? [] : [...boxes(box.body, 0, box.body.length)];
}

function child(box: Box | undefined, ...path: readonly string[]): Box | undefined {
  return path.reduce<Box | undefined>(
    (parent, type) => children(parent).find((one) => one.type === type),
    box,
  );
}

/** Reads the first video track of an MP4 file, fragmented or not. Throws SL_REQUEST_INVALID where it has none. */
export function readMp4(file: Buffer): VideoTrack {
  const top = [...boxes(file, 0, file.length)];
  const moov = top.find(({ type }) => type === 'moov');
  for (const track of children(moov).filter(({ type }) => type === 'trak')) {
    const tables = child(track, 'mdia', 'minf', 'stbl');
    const format = sampleFormat(child(tables, 'stsd'));
    if (format === undefined) continue;
    const id = child(track, 'tkhd')?.body;
    const trackId = id === undefined ? 0 : id.readUInt32BE(id[0] === 1 ? 20 : 12);
    const defaults = children(child(moov, 'mvex')).find(
      ({ type, body }) => type === 'trex' && body.readUInt32BE(4) === trackId,
    );
    const usualSize = defaults?.body.readUInt32BE(16) ?? 0;
    const samples = [
      ...(tables === undefined ? [] : tabled(file, tables)),
      ...top
        .filter(({ type }) => type === 'moof')
        .flatMap((moof) => fragment(file, moof, trackId, usualSize)),
    ];
    return { ...format, samples };
  }
  throw new SightlineError('SL_REQUEST_INVALID', 'The file holds no H.264 or H.265 track');
}

/** Codec and size of sizes, from avcC or hvcC (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1). */
function sampleFormat(stsd: Box | undefined) {
  const entry = stsd === undefined ? undefined : [...boxes(stsd.body, 8, stsd.body.length)][0];
  if (entry === undefined) return undefined;
  const isH264 = /^avc[13]$/.test(entry.type);
  if (!isH264 && !/^h(vc|ev)1$/.test(entry.type)) return undefined;
  const inner = [...boxes(entry.body, 78, entry.body.length)];
  const config = inner.find(({ type }) => type === (isH264 ? 'avcC' : 'hvcC'))?.body;
  const length = config?.[isH264 ? 4 : 21];
  const codec: Codec = isH264 ? 'h264' : 'h265';
  return { codec, lengthSize: length === undefined ? 4 : (length & 3) + 1 };
}

/** Samples by the tables of `moov` (8.6, 8.7); none in a fragmented file. */
function tabled(file: Buffer, stbl: Box): Buffer[] {
  const sizes = child(stbl, 'stsz')?.body;
  const chunks = child(stbl, 'stco')?.body ?? child(stbl, 'co64')?.body;
  const runs = child(stbl, 'stsc')?.body;
  if (sizes === undefined || chunks === undefined || runs === undefined) return [];
  const isLong = child(stbl, 'stco') === undefined;
  const usual = sizes.readUInt32BE(4);
  const count = sizes.readUInt32BE(8);
  const samples: Buffer[] = [];
  let run = 0;
  for (let chunk = 0; chunk < chunks.readUInt32BE(4); chunk++) {
    while (run + 1 < runs.readUInt32BE(4) && runs.readUInt32BE(8 + (run + 1) * 12) <= chunk + 1) {
      run++;
    }
    let at = isLong
      ? Number(chunks.readBigUInt64BE(8 + chunk * 8))
      : chunks.readUInt32BE(8 + chunk * 4);
    for (let left = runs.readUInt32BE(8 + run * 12 + 4); left > 0; left--) {
      if (samples.length === count) return samples;
      const size = usual === 0 ? sizes.readUInt32BE(12 + samples.length * 4) : usual;
      samples.push(file.subarray(at, at + size));
      at += size;
    }
  }
  return samples;
}

/** Samples of one `moof` (8.8), as far as the file goes. */
function fragment(file: Buffer, moof: Box, trackId: number, usualSize: number): Buffer[] {
  const samples: Buffer[] = [];
  for (const traf of children(moof).filter(({ type }) => type === 'traf')) {
    const header = child(traf, 'tfhd')?.body;
    if (header === undefined || header.readUInt32BE(4) !== trackId) continue;
    const flags = header.readUInt32BE(0) & 0xffffff;
    let at = 8;
    let base = moof.start;
    if ((flags & 1) !== 0) {
      base = Number(header.readBigUInt64BE(at));
      at += 8;
    }
    at += ((flags & 2) !== 0 ? 4 : 0) + ((flags & 8) !== 0 ? 4 : 0);
    const size = (flags & 0x10) !== 0 ? header.readUInt32BE(at) : usualSize;
    let next = base;
    for (const trun of children(traf).filter(({ type }) => type === 'trun')) {
      next = readRun(file, trun.body, { base, next, size }, samples);
    }
  }
  return samples;
}

interface RunPlace {
  readonly base: number;
  readonly next: number;
  readonly size: number;
}

/** Adds the samples of one `trun` (8.8.8); where the next run begins unless it says so. */
function readRun(file: Buffer, run: Buffer, place: RunPlace, samples: Buffer[]): number {
  const flags = run.readUInt32BE(0) & 0xffffff;
  let field = 8;
  let at = place.next;
  if ((flags & 1) !== 0) {
    at = place.base + run.readInt32BE(field);
    field += 4;
  }
  if ((flags & 4) !== 0) field += 4;
  const has = (bit: number): number => ((flags & bit) !== 0 ? 4 : 0);
  for (let left = run.readUInt32BE(4); left > 0; left--) {
    field += has(0x100);
    const size = has(0x200) === 0 ? place.size : run.readUInt32BE(field);
    field += has(0x200) + has(0x400) + has(0x800);
    if (at + size > file.length) return at;
    samples.push(file.subarray(at, at + size));
    at += size;
  }
  return at;
}
