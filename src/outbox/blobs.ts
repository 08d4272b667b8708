import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const SUFFIX = '.blob';

/** Where the outbox in `dir` keeps them. */
export function blobFolder(dir: string): string {
  return join(dir, 'blobs');
}

/** A file of blobs, one after the other, named by the sequence number of the first. */
export interface BlobFile {
  readonly file: number;
  readonly parts: readonly Uint8Array[];
}

/** Where a blob lies. */
export interface BlobPlace {
  readonly file: number;
  readonly at: number;
  /** Null: to the end of the file. */
  readonly bytes: number | null;
}

/** Payloads too big for the journal: those of a chunk in one file. */
export class BlobSpool {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = blobFolder(dir);
    // A folder whose name is not on the disk yet could lose what was synced in it.
    if (mkdirSync(this.#dir, { recursive: true }) !== undefined) syncFolder(dir);
  }

  /** All or none, durable on return: files first, then their names, then the folder. */
  write(files: readonly BlobFile[]): void {
    if (files.length === 0) return;
    try {
      for (const { file, parts } of files) this.#writeTemporary(file, parts);
      for (const { file } of files) renameSync(this.#temporary(file), this.#path(file));
      syncFolder(this.#dir);
    } catch (error) {
      for (const { file } of files) {
        rmSync(this.#temporary(file), { force: true });
        rmSync(this.#path(file), { force: true });
      }
      throw error;
    }
  }

  /** The blobs in their order, undefined for one that is gone or cut off. Neighbours in a file are read in one go. */
  read(places: readonly BlobPlace[]): (Uint8Array | undefined)[] {
    const found: (Uint8Array | undefined)[] = [];
    while (found.length < places.length) {
      const { file } = places[found.length]!;
      const descriptor = this.#open(file);
      try {
        for (let next = places[found.length]; next?.file === file; next = places[found.length]) {
          found.push(descriptor === undefined ? undefined : readPlace(descriptor, next));
        }
      } finally {
        if (descriptor !== undefined) closeSync(descriptor);
      }
    }
    return found;
  }

  remove(files: readonly number[]): void {
    for (const file of files) rmSync(this.#path(file), { force: true });
  }

  /** Deletes every file no row of the journal speaks of. Returns how many. */
  sweep(isKnown: (file: number) => boolean): number {
    let removed = 0;
    for (const name of readdirSync(this.#dir)) {
      const file = name.endsWith(SUFFIX) ? Number(name.slice(0, -SUFFIX.length)) : Number.NaN;
      if (isKnown(file)) continue;
      rmSync(join(this.#dir, name), { force: true });
      removed++;
    }
    return removed;
  }

  #open(file: number): number | undefined {
    try {
      return openSync(this.#path(file), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #writeTemporary(file: number, parts: readonly Uint8Array[]): void {
    const descriptor = openSync(this.#temporary(file), 'w', 0o600);
    try {
      for (const part of parts) {
        for (let done = 0; done < part.byteLength; ) done += writeSync(descriptor, part, done);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  #path(file: number): string {
    return join(this.#dir, `${file}${SUFFIX}`);
  }

  #temporary(file: number): string {
    return join(this.#dir, `${file}.tmp`);
  }
}

/** In memory of its own, which can change hands. */
function readPlace(descriptor: number, { at, bytes }: BlobPlace): Uint8Array | undefined {
  const size = bytes ?? Math.max(0, fstatSync(descriptor).size - at);
  const data = Buffer.allocUnsafeSlow(size);
  let done = 0;
  while (done < size) {
    const count = readSync(descriptor, data, done, size - done, at + done);
    if (count === 0) return undefined;
    done += count;
  }
  return data;
}

/** Makes the names in a folder durable. */
export function syncFolder(dir: string): void {
  const descriptor = openSync(dir, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
