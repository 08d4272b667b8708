import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { SightlineError } from '../../common/errors.ts';
import { syncFolders } from '../../sinks/file/append-file.ts';
import { filePath } from '../../sinks/file/names.ts';
import type { SegmentStore, StoredFile } from './store.ts';

const BLOCK_BYTES = 1024 * 1024;

/**
 * A folder, of this machine or mounted. On the file system of the recordings a segment gets a second name there and no
 * byte is copied; elsewhere it is copied to a temporary file, synced and renamed.
 */
export class FolderStore implements SegmentStore {
  readonly name: string;
  readonly keepsForEver = false;
  readonly #root: string;

  /** @param root absolute */
  constructor(root: string) {
    this.#root = root;
    this.name = `folder ${root}`;
  }

  async put(file: StoredFile, signal: AbortSignal): Promise<void> {
    const target = this.#pathOf(file.key);
    try {
      const made = await mkdir(dirname(target), { recursive: true });
      if (!(await linked(file.path, target))) await copy(file, target, signal);
      await syncFolders(dirname(target), made === undefined ? dirname(target) : this.#root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw this.#describe(error, file.key);
      if (!(await this.has(file))) {
        throw new SightlineError(
          'SL_SINK_REJECTED',
          `Cannot put ${file.key} into ${this.name}: another file of that name is there already`,
        );
      }
    }
  }

  async has({
    key,
    bytes,
    sha256,
  }: Pick<StoredFile, 'key' | 'bytes' | 'sha256'>): Promise<boolean> {
    const path = this.#pathOf(key);
    try {
      const { size } = await stat(path);
      if (size !== bytes) return false;
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(path, { highWaterMark: BLOCK_BYTES })) {
        hash.update(chunk as Buffer);
      }
      return hash.digest('hex') === sha256;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw this.#describe(error, key);
    }
  }

  async read(key: string, start: number, end: number): Promise<Readable> {
    if (end <= start) return Readable.from([]);
    try {
      const handle = await open(this.#pathOf(key), 'r');
      return handle.createReadStream({ start, end: end - 1 });
    } catch (error) {
      throw this.#describe(error, key);
    }
  }

  async remove(key: string): Promise<void> {
    const path = this.#pathOf(key);
    await rm(path, { force: true });
    // Folders of the hour, the day ... as far as they are empty now.
    for (let folder = dirname(path); folder !== this.#root; folder = dirname(folder)) {
      if (!(await rmdir(folder).then(Boolean.bind(null, true), () => false))) return;
    }
  }

  close(): void {}

  #pathOf(key: string): string {
    return join(this.#root, filePath(key));
  }

  #describe(cause: unknown, key: string): SightlineError {
    if (cause instanceof SightlineError) return cause;
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    return new SightlineError(
      'SL_SINK_UNAVAILABLE',
      `Cannot use ${key} in ${this.name} (${code}): check that the folder is there, can be written and has space left`,
      { cause, details: { code } },
    );
  }
}

/** False where the two lie on different file systems, or this one knows no second names. */
async function linked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EXDEV' || code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK')
      return false;
    throw error;
  }
}

async function copy({ path, key, sha256 }: StoredFile, target: string, signal: AbortSignal) {
  const temporary = `${target}.tmp`;
  try {
    const hash = createHash('sha256');
    const handle = await open(temporary, 'w', 0o644);
    try {
      for await (const chunk of createReadStream(path, { highWaterMark: BLOCK_BYTES, signal })) {
        hash.update(chunk as Buffer);
        await handle.writeFile(chunk as Buffer);
      }
      await handle.datasync();
    } finally {
      await handle.close();
    }
    if (hash.digest('hex') !== sha256) throw damaged(key);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The disk gave other bytes than when the segment was closed. */
export function damaged(key: string): SightlineError {
  return new SightlineError(
    'SL_SINK_REJECTED',
    `Cannot store ${key}: its bytes on this machine's disk are not those that were recorded`,
  );
}
