import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { replaceFile } from '../common/files.ts';
import { PATHS } from '../common/paths.ts';

/** What identifies one state of a file without reading it. */
interface CacheEntry {
  readonly state: string;
  readonly sha256: string;
}

/** SHA-256 of a file in lower-case hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * Remembers checksums by size, inode and times of the file, so that large models are not read at every start. The
 * memory is a help only: when it cannot be read or written, files are hashed.
 */
export class ChecksumCache {
  readonly #file: string;

  /** @param file where it is kept. Default `.cache/model-checksums.json`. */
  constructor(file: string = join(PATHS.cache, 'model-checksums.json')) {
    this.#file = file;
  }

  async sha256(path: string): Promise<string> {
    const key = resolve(path);
    const info = await stat(key, { bigint: true });
    const state = [info.size, info.ino, info.mtimeNs, info.ctimeNs].join('/');
    const known = await this.#read();
    const entry = known[key];
    if (entry?.state === state) return entry.sha256;
    const sha256 = await hashFile(key);
    await this.#write({ ...known, [key]: { state, sha256 } });
    return sha256;
  }

  async #read(): Promise<Record<string, CacheEntry>> {
    try {
      return JSON.parse(await readFile(this.#file, 'utf8')) as Record<string, CacheEntry>;
    } catch {
      return {};
    }
  }

  async #write(entries: Record<string, CacheEntry>): Promise<void> {
    const alive = Object.entries(entries).filter(([path]) => existsSync(path));
    const text = JSON.stringify(Object.fromEntries(alive), null, 1);
    await replaceFile(this.#file, (partial) => writeFile(partial, text)).catch(() => undefined);
  }
}
