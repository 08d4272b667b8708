import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type Database from 'better-sqlite3';
import { byKind } from '../common/delivery.ts';
import { BlobStore, type StoredBlobs } from './blob-store.ts';
import { syncFolder } from './blobs.ts';
import { type ChunkHeader, lastSeqOf } from './chunk.ts';
import { ChunkStore } from './chunk-store.ts';
import type { Cipher } from './cipher.ts';
import { type Collected, Collector } from './collector.ts';
import { DeadLetterStore } from './dead-letters.ts';
import { openCipher } from './keyring.ts';
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
  HeadersRequest,
  JournalOptions,
  JournalState,
  ReadDeadLetter,
  ReadReply,
  ReadRequest,
} from './protocol.ts';
import { openJournalDatabase } from './schema.ts';
import { Shortage } from './shortage.ts';

const NOTHING: BytesByKind = byKind(() => 0);

interface Written extends Collected {
  readonly deadLettersDropped: number;
}

/** The outbox on the disk. Synchronous: it lives in a thread of its own. */
export class Journal {
  readonly #lock: { release(): void };
  readonly #database: Database.Database;
  readonly #shortage: Shortage;
  readonly #blobs: BlobStore;
  readonly #chunks: ChunkStore;
  readonly #collector: Collector;
  readonly #lanes: LaneStore;
  readonly #deadLetters: DeadLetterStore;
  readonly #saveTotals: Database.Statement;
  #lastSeq: number;
  readonly #strayBlobs: number;
  readonly #clockMs: number;
  #deadLettersDropped: number;

  /** @throws SightlineError `SL_DATA_DIR_LOCKED`, `SL_OUTBOX_FORMAT`, `SL_OUTBOX_CORRUPT`, `SL_OUTBOX_DISK_FULL` */
  constructor(options: JournalOptions) {
    const { dir, ballastBytes, deadLetterBytes, deadLetterAgeMs, encryption } = options;
    const made = mkdirSync(dir, { recursive: true });
    if (made !== undefined) syncFolder(dirname(made));
    this.#lock = lockFolder(dir);
    try {
      this.#database = openJournalDatabase(join(dir, 'journal.db'), ballastBytes);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    const database = this.#database;
    const totals = database.prepare('SELECT * FROM outbox').get() as Totals;
    let cipher: Cipher;
    try {
      cipher = openCipher(database, encryption, totals.last_seq);
    } catch (error) {
      this.close();
      throw error;
    }
    this.#shortage = new Shortage(dir, database, ballastBytes);
    this.#blobs = new BlobStore(dir, database, cipher);
    this.#chunks = new ChunkStore(database, cipher);
    this.#collector = new Collector(database);
    this.#lanes = new LaneStore(database);
    this.#deadLetters = new DeadLetterStore(database, cipher, {
      maxBytes: deadLetterBytes,
      maxAgeMs: deadLetterAgeMs,
    });
    this.#saveTotals = database.prepare(
      'UPDATE outbox SET last_seq = ?, dead_letters_dropped = ?, clock_ms = ?',
    );
    // Records that were given up have numbers, too: a lane that is past them must not take new ones for old.
    this.#lastSeq = Math.max(totals.last_seq, this.#lanes.lastCursor());
    this.#deadLettersDropped = totals.dead_letters_dropped;
    this.#clockMs = totals.clock_ms;
    this.#strayBlobs = this.#blobs.sweep();
    this.#shortage.prepare();
  }

  state(): JournalState {
    return {
      lastSeq: this.#lastSeq,
      storedBytes: this.#chunks.bytes(),
      lanes: this.#lanes.load(),
      deadLettersDropped: this.#deadLettersDropped,
      strayBlobs: this.#strayBlobs,
      clockMs: this.#clockMs,
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
    if (this.#shortage.hasRoomFor(request.chunks)) {
      try {
        written = this.#write(request, true);
        this.#shortage.tryToEnd();
      } catch (error) {
        if (!(error instanceof LetterGone)) trouble = this.#shortage.take(error);
      }
    } else {
      trouble = { reason: 'disk-full', message: 'its disk has no room for the ballast yet' };
    }
    const stored = written !== undefined;
    written ??= this.#writeStateAlone(request);
    if (written !== undefined) this.#blobs.remove(written.files);
    return {
      stored,
      stateSaved: written !== undefined,
      trouble,
      blobs: request.chunks.flatMap(({ blobs }) => blobs.map(({ data }) => data)),
      freed: written?.freed ?? NOTHING,
      moreToCollect: written?.more ?? false,
      deadLettersDropped: this.#deadLettersDropped,
      durationMs: performance.now() - started,
    };
  }

  read(request: ReadRequest): ReadReply {
    return this.#chunks.read(request);
  }

  readBlobs(seqs: readonly number[]): (Uint8Array | undefined)[] {
    return this.#blobs.read(seqs);
  }

  headers(request: HeadersRequest): ChunkHeader[] {
    return this.#chunks.headers(request);
  }

  /** Gives unused pages at the end of the file back. Returns the bytes that are unused still. */
  shrink(maxBytes: number): number {
    return this.#shortage.shrink(maxBytes);
  }

  deadLetters(query: DeadLetterQuery): DeadLetter[] {
    return this.#deadLetters.list(query);
  }

  takeDeadLetters(request: DeadLetterRequest): ReadDeadLetter[] {
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
    const files = this.#blobs.write(withChunks ? request.chunks : []);
    try {
      return this.#transact(request, withChunks, files);
    } catch (error) {
      this.#blobs.remove(files.map(({ file }) => file));
      this.#deadLetters.recount();
      throw error;
    }
  }

  #transact(request: CommitRequest, withChunks: boolean, files: readonly StoredBlobs[]): Written {
    const lastChunk = withChunks ? request.chunks.at(-1) : undefined;
    const lastSeq = lastChunk === undefined ? this.#lastSeq : lastSeqOf(lastChunk);
    const written = this.#database.transaction((): Written => {
      if (withChunks) for (const chunk of request.chunks) this.#chunks.insert(chunk);
      this.#blobs.insert(files);
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
      const collected = this.#collector.collect(request);
      this.#saveTotals.run(lastSeq, deadLettersDropped, request.nowMs);
      return { ...collected, deadLettersDropped };
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
}

interface Totals {
  last_seq: number;
  dead_letters_dropped: number;
  clock_ms: number;
}

/** A dead letter that was to be retried was dropped or purged meanwhile. */
class LetterGone extends Error {}
