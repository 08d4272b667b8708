import { open } from 'node:fs/promises';
import { readVarint } from '../../format/length-delimited.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;

/** The length-delimited messages of a file, up to a torn tail; each is valid until the next one. */
export async function* messagesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(path, 'r');
  try {
    let block = Buffer.allocUnsafe(BLOCK_BYTES);
    let start = 0;
    for (;;) {
      const { bytesRead } = await handle.read(block, 0, block.length, start);
      const bytes = block.subarray(0, bytesRead);
      let at = 0;
      let needed = 0;
      for (;;) {
        const length = readVarint(bytes, at);
        if (length === undefined || length.value === 0) break;
        const end = length.end + length.value;
        needed = end - at;
        if (end > bytesRead) break;
        yield bytes.subarray(length.end, end);
        at = end;
      }
      start += at;
      if (at > 0) continue;
      if (bytesRead < block.length || needed <= block.length) return;
      block = Buffer.allocUnsafe(needed);
    }
  } finally {
    await handle.close();
  }
}
