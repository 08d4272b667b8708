/** Sizes of the samples of a fragmented MP4 file whose fragments are whole, in the order of the file. */
export function samplesOf(file: Buffer): number[] {
  const sizes: number[] = [];
  let waiting: number[] = [];
  for (const { type, start, end } of boxes(file, 0, file.length)) {
    if (type === 'moof') waiting = runsOf(file, start, end);
    // A fragment counts with the media behind its table.
    if (type === 'mdat') sizes.push(...waiting.splice(0));
  }
  return sizes;
}

interface Box {
  readonly type: string;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

/** The whole boxes between two places. */
function boxes(file: Buffer, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    const size = file.readUInt32BE(at);
    if (size < 8 || at + size > to) break;
    found.push({ type: file.toString('latin1', at + 4, at + 8), start: at + 8, end: at + size });
    at += size;
  }
  return found;
}

/** The sample sizes in every `trun` of a `moof` (ISO/IEC 14496-12, 8.8.8). */
function runsOf(file: Buffer, from: number, to: number): number[] {
  let usual: number | undefined;
  return boxes(file, from, to).flatMap(({ type, start, end }) => {
    if (type === 'traf') return runsOf(file, start, end);
    if (type === 'tfhd') usual = usualSizeOf(file, start);
    if (type !== 'trun') return [];
    const flags = file.readUInt32BE(start) & 0xffffff;
    const count = file.readUInt32BE(start + 4);
    const head = start + 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
    // Samples of one size have it in the header of the track fragment alone.
    if ((flags & 0x200) === 0) return Array.from({ length: count }, () => usual ?? Number.NaN);
    const before = flags & 0x100 ? 4 : 0;
    const row = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
    return Array.from({ length: count }, (_, index) =>
      file.readUInt32BE(head + index * row + before),
    );
  });
}

/** `default_sample_size` of a `tfhd` (ISO/IEC 14496-12, 8.8.7). */
function usualSizeOf(file: Buffer, start: number): number | undefined {
  const flags = file.readUInt32BE(start) & 0xffffff;
  if ((flags & 0x10) === 0) return undefined;
  const optional = (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0) + (flags & 0x8 ? 4 : 0);
  return file.readUInt32BE(start + 8 + optional);
}
