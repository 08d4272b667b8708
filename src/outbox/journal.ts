import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { Ballast } from './ballast.ts';
import { BlobSpool } from './blobs.ts';
import { type ChunkHeader, KINDS, lastSeqOf } from './chunk.ts';
import { ChunkStore } from './chunk-store.ts';
import { DeadLetterStore } from './dead-letters.ts';
import { LaneStore } from './lane-store.ts';
import { lockFolder } from './lock.ts';
import type {
  BytesByKind,
  CommitReply,
  CommitRequest,
  DeadLetter,
  DeadLetterChoice,
  DeadLetterQuery,
  DeadLetterRequest,
  DiskTrouble,
  JournalOptions,
  JournalState,
  OldestRequest,
  ReadChunk,
  ReadRequest,
  WholeDeadLetter,
} from './protocol.ts';
import { openJournalDatabase } from './schema.ts';

const NOTHING: BytesByKind = { frame: 0, image: 0, event: 0 };

interface Written {
  readonly freed: BytesByKind;
  readonly freedBlobs: readonly number[];
  readonly more: boolean;
  readonly deadLettersDropped: number;
}

/** The outbox on the disk. Synchronous: it lives in a thread of its own. */
export class Journal {
  readonly #lock: { release(): void };
  readonly #database: Database.Database;
  readonly #ballast: Ballast;
  readonly #spool: BlobSpool;
  readonly #chunks: ChunkStore;
  readonly #lanes: LaneStore;
  readonly #deadLetters: DeadLetterStore;
  readonly #saveTotals: Database.Statement;
  #lastSeq: number;
  readonly #strayBlobs: number;
  #deadLettersDropped: number;
  #isShort = false;

  /** @throws SightlineError `SL_DATA_DIR_LOCKED`, `SL_OUTBOX_FORMAT`, `SL_OUTBOX_CORRUPT`, `SL_OUTBOX_DISK_FULL` */
  constructor(options: JournalOptions) {
    const { dir, ballastBytes, deadLetterBytes, deadLetterAgeMs } = options;
    mkdirSync(dir, { recursive: true });
    this.#lock = lockFolder(dir);
    try {
      this.#database = openJournalDatabase(join(dir, 'journal.db'), ballastBytes);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    const database = this.#database;
    this.#ballast = new Ballast(dir, ballastBytes);
    this.#spool = new BlobSpool(dir);
    this.#chunks = new ChunkStore(database);
    this.#lanes = new LaneStore(database);
    this.#deadLetters = new DeadLetterStore(database, deadLetterBytes, deadLetterAgeMs);
    this.#saveTotals = database.prepare(
      'UPDATE outbox SET last_seq = ?, dead_letters_dropped = ? WHERE id = 1',
    );
    const totals = database.prepare('SELECT last_seq, dead_letters_dropped FROM outbox').get() as {
      last_seq: number;
      dead_letters_dropped: number;
    };
    this.#lastSeq = totals.last_seq;
    this.#deadLettersDropped = totals.dead_letters_dropped;
    this.#strayBlobs = this.#spool.sweep((seq) => this.#chunks.hasBlob(seq));
    this.#ballast.fill();
  }

  state(): JournalState {
    return {
      lastSeq: this.#lastSeq,
      storedBytes: this.#chunks.bytes(),
      lanes: this.#lanes.load(),
      deadLettersDropped: this.#deadLettersDropped,
      strayBlobs: this.#strayBlobs,
    };
  }

  /**
   * Stores chunks, lanes and dead letters in one transaction and deletes what every sink is past. On a full or
   * failing disk the chunks are left out, all of them, and the rest is tried alone. Chunks of retried dead letters
   * are left out too when one of the letters is gone.
   */
  commit(request: CommitRequest): CommitReply {
    const started = performance.now();
    let trouble: DiskTrouble | undefined;
    let written: Written | undefined;
    if (this.#hasRoomFor(request)) {
      try {
        written = this.#write(request, true);
        if (this.#isShort) this.#isShort = !this.#ballast.fill();
      } catch (error) {
        if (!(error instanceof LetterGone)) trouble = this.#takeTrouble(error);
      }
    } else {
      trouble = { reason: 'disk-full', message: 'no space left on the disk of the outbox' };
    }
    const stored = written !== undefined;
    written ??= this.#writeStateAlone(request);
    if (written !== undefined) this.#spool.remove(written.freedBlobs);
    return {
      stored,
      stateSaved: written !== undefined,
      trouble,
      data: request.chunks.map((chunk) => chunk.data),
      freed: written?.freed ?? NOTHING,
      moreToCollect: written?.more ?? false,
      deadLettersDropped: this.#deadLettersDropped,
      durationMs: performance.now() - started,
    };
  }

  read(request: ReadRequest): ReadChunk[] {
    return this.#chunks.read(request);
  }

  readBlobs(seqs: readonly number[]): (Uint8Array | undefined)[] {
    return seqs.map((seq) => {
      const data = this.#spool.read(seq);
      if (data === undefined || !this.#chunks.isIntactBlob(seq, data)) return undefined;
      // A buffer out of Node's pool cannot change hands.
      return data.byteLength === data.buffer.byteLength ? data : Uint8Array.from(data);
    });
  }

  oldest({ kind, limit }: OldestRequest): ChunkHeader[] {
    return this.#chunks.oldest(kind, limit);
  }

  deadLetters(query: DeadLetterQuery): DeadLetter[] {
    return this.#deadLetters.list(query);
  }

  takeDeadLetters(request: DeadLetterRequest): WholeDeadLetter[] {
    return this.#deadLetters.take(request);
  }

  purgeDeadLetters(choice: DeadLetterChoice): number {
    try {
      return this.#database.transaction(() => this.#deadLetters.purge(choice))();
    } catch (error) {
      this.#deadLetters.recount();
      throw error;
    }
  }

  close(): void {
    this.#database.close();
    this.#lock.release();
  }

  #write(request: CommitRequest, withChunks: boolean): Written {
    const chunks = withChunks ? request.chunks : [];
    const blobs = chunks.flatMap((chunk) => chunk.blobs);
    this.#spool.write(blobs);
    try {
      return this.#transact(request, withChunks);
    } catch (error) {
      this.#spool.remove(blobs.map((blob) => blob.seq));
      this.#deadLetters.recount();
      throw error;
    }
  }

  #transact(request: CommitRequest, withChunks: boolean): Written {
    const lastChunk = withChunks ? request.chunks.at(-1) : undefined;
    const lastSeq = lastChunk === undefined ? this.#lastSeq : lastSeqOf(lastChunk);
    const written = this.#database.transaction((): Written => {
      if (withChunks) for (const chunk of request.chunks) this.#chunks.insert(chunk);
      if (withChunks && this.#deadLetters.remove(request.retried) < request.retried.length) {
        throw new LetterGone();
      }
      for (const { sinkId, kind } of request.dropLanes) this.#lanes.remove(sinkId, kind);
      for (const lane of request.lanes) this.#lanes.save(lane);
      const dropped =
        request.deadLetters.length === 0
          ? 0
          : this.#deadLetters.add(request.deadLetters, request.nowMs);
      const deadLettersDropped = this.#deadLettersDropped + dropped;
      const freed = { ...NOTHING };
      let more = false;
      const freedBlobs: number[] = [];
      for (const kind of KINDS) {
        for (const range of request.free[kind]) {
          const collected = this.#chunks.collect(kind, range);
          freed[kind] += collected.bytes;
          freedBlobs.push(...collected.blobs);
          more ||= collected.more;
        }
      }
      this.#saveTotals.run(lastSeq, deadLettersDropped);
      return { freed, freedBlobs, more, deadLettersDropped };
    })();
    this.#lastSeq = lastSeq;
    this.#deadLettersDropped = written.deadLettersDropped;
    return written;
  }

  #writeStateAlone(request: CommitRequest): Written | undefined {
    try {
      return this.#write(request, false);
    } catch {
      return undefined;
    }
  }

  /** After the disk was full, new records wait until the ballast fits again or the database has pages of its own. */
  #hasRoomFor(request: CommitRequest): boolean {
    if (!this.#isShort) return true;
    this.#isShort = !this.#ballast.fill();
    if (!this.#isShort) return true;
    if (request.chunks.length === 0) return false;
    let bytes = 0;
    let spoolBytes = 0;
    for (const chunk of request.chunks) {
      bytes += chunk.data.byteLength;
      spoolBytes += chunk.bytes - chunk.data.byteLength;
    }
    const pages = this.#database.pragma('freelist_count', { simple: true }) as number;
    const pageBytes = this.#database.pragma('page_size', { simple: true }) as number;
    return spoolBytes === 0 && pages * pageBytes > 2 * bytes + this.#ballast.bytes;
  }

  #takeTrouble(error: unknown): DiskTrouble {
    const code = (error as { code?: string }).code ?? 'unknown';
    const isFull = code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
    this.#isShort = true;
    this.#ballast.release();
    try {
      this.#database.pragma('wal_checkpoint(RESTART)');
    } catch {
      // The log stays as it is; the next commit tries again.
    }
    return {
      reason: isFull ? 'disk-full' : 'disk-error',
      message: `cannot write the outbox: ${code}`,
    };
  }
}

/** A dead letter that was to be retried was dropped or purged meanwhile. */
class LetterGone extends Error {}
