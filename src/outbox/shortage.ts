import type Database from 'better-sqlite3';
import { Ballast } from './ballast.ts';
import { describeTrouble } from './disk-trouble.ts';
import type { DiskTrouble, NewChunk } from './protocol.ts';

/** What the journal does when its disk is full, and with the room inside its own file. */
export class Shortage {
  readonly #dir: string;
  readonly #database: Database.Database;
  readonly #ballast: Ballast;
  readonly #pageBytes: number;
  #isShort = false;

  constructor(dir: string, database: Database.Database, ballastBytes: number) {
    this.#dir = dir;
    this.#database = database;
    this.#ballast = new Ballast(dir, ballastBytes);
    this.#pageBytes = database.pragma('page_size', { simple: true }) as number;
  }

  /** Lays the ballast down where there is room. */
  prepare(): void {
    this.#ballast.fill();
  }

  /** After the disk was full, new records wait until the ballast fits again or the database has pages of its own. */
  hasRoomFor(chunks: readonly NewChunk[]): boolean {
    this.tryToEnd();
    if (!this.#isShort) return true;
    if (chunks.length === 0) return false;
    let bytes = 0;
    let spoolBytes = 0;
    for (const chunk of chunks) {
      bytes += chunk.data.byteLength;
      spoolBytes += chunk.bytes - chunk.data.byteLength;
    }
    return spoolBytes === 0 && this.#unusedBytes() > 2 * bytes + this.#ballast.bytes;
  }

  tryToEnd(): void {
    if (this.#isShort) this.#isShort = !this.#ballast.fill();
  }

  /** Says what a failed write means, and gives the ballast back to a full disk. */
  take(error: unknown): DiskTrouble {
    const trouble = describeTrouble(error, this.#dir);
    if (trouble.reason !== 'disk-full') return trouble;
    this.#isShort = true;
    this.#ballast.release();
    try {
      this.#database.pragma('wal_checkpoint(RESTART)');
    } catch {
      // The log stays as it is; the next commit tries again.
    }
    return trouble;
  }

  /** Gives unused pages at the end of the file back to the disk. Returns the bytes that are unused still. */
  shrink(maxBytes: number): number {
    const pages = Math.floor(maxBytes / this.#pageBytes);
    if (pages > 0) this.#database.pragma(`incremental_vacuum(${pages})`);
    return this.#unusedBytes();
  }

  #unusedBytes(): number {
    return (this.#database.pragma('freelist_count', { simple: true }) as number) * this.#pageBytes;
  }
}
