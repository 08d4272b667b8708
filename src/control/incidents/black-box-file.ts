import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type BlackBoxEntry, readBlackBox } from '../../common/black-box.ts';

let number = 0;

/**
 * The file that a worker writes its last lines into. It has no name on the disk, so that nothing is left when both
 * processes die.
 */
export class BlackBoxFile {
  readonly fd: number;
  #open = true;

  /** Throws what the file system throws. */
  constructor(folder: string) {
    number += 1;
    const path = join(folder, `.black-box-${process.pid}-${number}`);
    this.fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** Oldest first; empty when the worker wrote none, or it is closed. */
  entries(): readonly BlackBoxEntry[] {
    if (!this.#open) return [];
    const file = Buffer.alloc(fstatSync(this.fd).size);
    readSync(this.fd, file, 0, file.length, 0);
    return readBlackBox(file);
  }

  close(): void {
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }
}
