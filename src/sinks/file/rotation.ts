import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile, type AppendFormat } from './append-file.ts';

const MAX_OPEN_FILES = 128;

export interface RotationOptions {
  readonly root: string;
  readonly maxFileBytes: number;
  readonly maxFileAgeMs: number;
  readonly onCut: (path: string, bytes: number) => void;
}

interface Part {
  readonly number: number;
  readonly file: AppendFile;
}

/** The file each series is being written to: `<folder>/<base>-<part><suffix>`, a new part when one is full or old. */
export class FileRotation {
  readonly #options: RotationOptions;
  readonly #parts = new Map<string, Part>();

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** @param folder relative to the root */
  async current(
    folder: string,
    base: string,
    suffix: string,
    format: AppendFormat,
  ): Promise<AppendFile> {
    const key = join(folder, base + suffix);
    const open = this.#parts.get(key);
    this.#parts.delete(key);
    if (open !== undefined && !this.#isFull(open.file)) {
      this.#parts.set(key, open);
      return open.file;
    }
    await open?.file.close();
    const part = await this.#next(folder, base, suffix, format, (open?.number ?? 0) + 1);
    this.#parts.set(key, part);
    return part.file;
  }

  /** Closes the files used longest ago; call between batches. */
  async trim(): Promise<void> {
    for (const [key, { file }] of this.#parts) {
      if (this.#parts.size <= MAX_OPEN_FILES) return;
      this.#parts.delete(key);
      await file.close();
    }
  }

  /** Lets go of a file that could not be written; it is repaired when it is opened again. */
  async drop(file: AppendFile): Promise<void> {
    for (const [key, part] of this.#parts) if (part.file === file) this.#parts.delete(key);
    await file.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    const parts = [...this.#parts.values()];
    this.#parts.clear();
    await Promise.all(parts.map(({ file }) => file.close()));
  }

  #isFull(file: AppendFile): boolean {
    const { maxFileBytes, maxFileAgeMs } = this.#options;
    return file.size >= maxFileBytes || Date.now() - file.openedMs >= maxFileAgeMs;
  }

  /** The last part on the disk when it has room, else the one after it. */
  async #next(
    folder: string,
    base: string,
    suffix: string,
    format: AppendFormat,
    least: number,
  ): Promise<Part> {
    const { root, onCut } = this.#options;
    const last = await lastPart(join(root, folder), base, suffix);
    for (let number = Math.max(least, last); ; number++) {
      const name = `${base}-${String(number).padStart(4, '0')}${suffix}`;
      const file = await AppendFile.open(join(root, folder, name), format, root);
      if (file.cutBytes > 0) onCut(file.path, file.cutBytes);
      if (file.size === 0 || !this.#isFull(file)) return { number, file };
      await file.close();
    }
  }
}

async function lastPart(folder: string, base: string, suffix: string): Promise<number> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  let last = 0;
  for (const name of names) {
    if (!name.startsWith(`${base}-`) || !name.endsWith(suffix)) continue;
    const digits = name.slice(base.length + 1, name.length - suffix.length);
    if (/^\d+$/.test(digits)) last = Math.max(last, Number(digits));
  }
  return last;
}
