import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { NewBlob } from './protocol.ts';

const SUFFIX = '.blob';

/** Where the outbox in `dir` keeps them. */
export function blobFolder(dir: string): string {
  return join(dir, 'blobs');
}

/** Payloads too big for the journal, one file each, named by the record's sequence number. */
export class BlobSpool {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = blobFolder(dir);
    // A folder whose name is not on the disk yet could lose what was synced in it.
    if (mkdirSync(this.#dir, { recursive: true }) !== undefined) syncFolder(dir);
  }

  /** All or none, durable on return: files first, then their names, then the folder. */
  write(blobs: readonly NewBlob[]): void {
    if (blobs.length === 0) return;
    try {
      for (const { seq, data } of blobs) this.#writeTemporary(seq, data);
      for (const { seq } of blobs) renameSync(this.#temporary(seq), this.#path(seq));
      syncFolder(this.#dir);
    } catch (error) {
      for (const { seq } of blobs) {
        rmSync(this.#temporary(seq), { force: true });
        rmSync(this.#path(seq), { force: true });
      }
      throw error;
    }
  }

  /** The blob, or undefined when it is gone. */
  read(seq: number): Buffer | undefined {
    try {
      return readFileSync(this.#path(seq));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  remove(seqs: readonly number[]): void {
    for (const seq of seqs) rmSync(this.#path(seq), { force: true });
  }

  /** Deletes every file no row of the journal speaks of. Returns how many. */
  sweep(isKnown: (seq: number) => boolean): number {
    let removed = 0;
    for (const name of readdirSync(this.#dir)) {
      const seq = name.endsWith(SUFFIX) ? Number(name.slice(0, -SUFFIX.length)) : Number.NaN;
      if (isKnown(seq)) continue;
      rmSync(join(this.#dir, name), { force: true });
      removed++;
    }
    return removed;
  }

  #writeTemporary(seq: number, data: Uint8Array): void {
    const descriptor = openSync(this.#temporary(seq), 'w', 0o600);
    try {
      for (let done = 0; done < data.byteLength; ) done += writeSync(descriptor, data, done);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  #path(seq: number): string {
    return join(this.#dir, `${seq}${SUFFIX}`);
  }

  #temporary(seq: number): string {
    return join(this.#dir, `${seq}.tmp`);
  }
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
