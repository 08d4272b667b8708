import type { FileHandle } from 'node:fs/promises';

// ISO/IEC 14496-12, 4.2: u32 size, four characters of type; size 1: u64 follows; size 0: to the end.

/** Something bytes can be read of at any place. */
export interface ByteSource {
  readonly size: number;
  /** Fewer bytes than asked for only at the end. */
  read(start: number, length: number): Promise<Buffer>;
}

export interface Box {
  readonly type: string;
  /** Of the whole box. */
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

/** The first `size` bytes of an open file. */
export function fileSource(handle: FileHandle, size: number): ByteSource {
  return {
    size,
    read: async (start, length) => {
      const wanted = Math.max(0, Math.min(length, size - start));
      const bytes = Buffer.allocUnsafe(wanted);
      let done = 0;
      while (done < wanted) {
        const { bytesRead } = await handle.read(bytes, done, wanted - done, start + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
  };
}

/** Boxes of the top level that are there as a whole, in their order; ends at the first that is not. */
export async function* wholeBoxes(source: ByteSource): AsyncGenerator<Box, void, undefined> {
  let start = 0;
  while (start + 8 <= source.size) {
    const box = boxAt(await source.read(start, 16), start, source.size);
    if (box === undefined || box.end > source.size) return;
    yield box;
    start = box.end;
  }
}

/** Boxes within bytes that are in memory. `start` and `end` are positions in `bytes`. */
export function* innerBoxes(bytes: Buffer, start: number, end: number): Generator<Box> {
  while (start + 8 <= end) {
    const box = boxAt(bytes.subarray(start, Math.min(end, start + 16)), start, end);
    if (box === undefined || box.end > end) return;
    yield box;
    start = box.end;
  }
}

/** The first box of a type in another one. */
export function innerBox(bytes: Buffer, outer: Box, type: string): Box | undefined {
  for (const box of innerBoxes(bytes, outer.contentStart, outer.end)) {
    if (box.type === type) return box;
  }
  return undefined;
}

/** Undefined for bytes that are no box. */
function boxAt(head: Buffer, start: number, limit: number): Box | undefined {
  if (head.length < 8) return undefined;
  const type = head.toString('latin1', 4, 8);
  if (!/^[\x20-\x7e]{4}$/.test(type)) return undefined;
  const size = head.readUInt32BE(0);
  if (size === 0) return { type, start, contentStart: start + 8, end: limit };
  if (size !== 1) {
    return size < 8 ? undefined : { type, start, contentStart: start + 8, end: start + size };
  }
  if (head.length < 16) return undefined;
  const large = head.readBigUInt64BE(8);
  if (large < 16n || large > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { type, start, contentStart: start + 16, end: start + Number(large) };
}
