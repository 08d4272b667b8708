import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readVarint } from '../format/length-delimited.ts';

export type AppendFormat = 'ndjson' | 'protobuf';

const BLOCK_BYTES = 1024 * 1024;

/** A file that only grows, by whole records: what a crash or a failed write left half done is cut off. */
export class AppendFile {
  readonly path: string;
  readonly openedMs: number;
  /** Bytes of a torn tail that were cut off when the file was opened. */
  readonly cutBytes: number;
  readonly #handle: FileHandle;
  #size: number;
  #isDirty = false;

  private constructor(
    path: string,
    handle: FileHandle,
    { size, cutBytes, openedMs }: { size: number; cutBytes: number; openedMs: number },
  ) {
    this.path = path;
    this.cutBytes = cutBytes;
    this.#handle = handle;
    this.#size = size;
    this.openedMs = openedMs;
  }

  /**
   * Opens or makes the file and its folders, durably, below `root`. A torn tail is cut off: nothing of it was ever
   * acknowledged, since records are acknowledged after `sync`.
   */
  static async open(path: string, format: AppendFormat, root: string): Promise<AppendFile> {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true });
    const handle = await openOrMake(path);
    try {
      const { size, birthtimeMs } = await handle.stat();
      const whole = await wholeBytes(handle, size, format);
      if (whole < size) await handle.truncate(whole);
      if (size === 0) await syncFolders(folder, root);
      const cutBytes = size - whole;
      return new AppendFile(path, handle, { size: whole, cutBytes, openedMs: birthtimeMs });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** All of it or nothing. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#isDirty = true;
    try {
      for (let done = 0; done < bytes.byteLength; ) {
        const left = bytes.byteLength - done;
        const { bytesWritten } = await this.#handle.write(bytes, done, left, this.#size + done);
        done += bytesWritten;
      }
    } catch (error) {
      await this.#handle.truncate(this.#size);
      throw error;
    }
    this.#size += bytes.byteLength;
  }

  async sync(): Promise<void> {
    if (!this.#isDirty) return;
    await this.#handle.datasync();
    this.#isDirty = false;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return open(path, 'wx+', 0o644);
  }
}

/** Makes the names of new files and folders durable, from `folder` up to `root` and its own name. */
export async function syncFolders(folder: string, root: string): Promise<void> {
  const last = dirname(root);
  for (let at = folder; ; at = dirname(at)) {
    const handle = await open(at, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (at === last || at === dirname(at)) return;
  }
}

function wholeBytes(handle: FileHandle, size: number, format: AppendFormat): Promise<number> {
  return format === 'ndjson' ? wholeLines(handle, size) : wholeMessages(handle, size);
}

/** Bytes up to and with the last line feed. A line with a NUL was never written: the disk lost it. */
async function wholeLines(handle: FileHandle, size: number): Promise<number> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const { bytesRead } = await handle.read(block, 0, end - start, start);
    const bytes = block.subarray(0, bytesRead);
    const nul = bytes.indexOf(0);
    const feed = bytes.lastIndexOf(0x0a, nul === -1 ? undefined : nul);
    if (feed !== -1) return start + feed + 1;
    end = start;
  }
  return 0;
}

/** Bytes of the messages that are there in full. A length of 0 ends the file: no record is empty. */
async function wholeMessages(handle: FileHandle, size: number): Promise<number> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let whole = 0;
  while (whole < size) {
    const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, whole);
    const bytes = block.subarray(0, bytesRead);
    let at = 0;
    for (;;) {
      const length = readVarint(bytes, at);
      if (length === undefined) break;
      if (length.value === 0 || whole + length.end + length.value > size) return whole + at;
      at = length.end + length.value;
    }
    if (at === 0) return whole;
    whole += at;
  }
  return whole;
}
