import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A file of zeros that is given back to a full disk, so that the journal has room to write down what it already knows
 * (cursors, the checkpoint) while it takes no new records.
 */
export class Ballast {
  readonly bytes: number;
  readonly #file: string;

  constructor(dir: string, bytes: number) {
    this.bytes = bytes;
    this.#file = join(dir, 'ballast');
  }

  /** Lays the file down where the disk has twice its size left. Returns whether it lies there now. */
  fill(): boolean {
    if (this.bytes === 0 || existsSync(this.#file)) return true;
    if (this.freeBytes() < 2 * this.bytes) return false;
    try {
      this.#write();
      return true;
    } catch {
      this.release();
      return false;
    }
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }

  /** Free space of the file system, for this user. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    return bavail * bsize;
  }

  #write(): void {
    const zeros = Buffer.alloc(Math.min(this.bytes, 1024 * 1024));
    const descriptor = openSync(this.#file, 'w', 0o600);
    try {
      let left = this.bytes;
      while (left > 0) left -= writeSync(descriptor, zeros, 0, Math.min(left, zeros.byteLength));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}
