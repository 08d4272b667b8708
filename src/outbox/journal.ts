import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { Ballast } from './ballast.ts';
import { BlobSpool } from './blobs.ts';
import { type ChunkHeader, KINDS, lastSeqOf } from './chunk.ts';
import { ChunkStore, type Collected } from './chunk-store.ts';
import type { Cipher } from './cipher.ts';
import { DeadLetterStore } from './dead-letters.ts';
import { describeTrouble } from './disk-trouble.ts';
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
  ReadChunk,
  ReadDeadLetter,
  ReadRequest,
} from './protocol.ts';
import { openJournalDatabase } from './schema.ts';

const NOTHING: BytesByKind = { frame: 0, image: 0, event: 0 };

interface Written extends Collected {
  readonly deadLettersDropped: number;
}

/** The outbox on the disk. Synchronous: it lives in a thread of its own. */
export class Journal {
  readonly #dir: string;
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
  readonly #clockMs: number;
  readonly #pageBytes: number;
  #deadLettersDropped: number;
  #isShort = false;

  /** @throws SightlineError `SL_DATA_DIR_LOCKED`, `SL_OUTBOX_FORMAT`, `SL_OUTBOX_CORRUPT`, `SL_OUTBOX_DISK_FULL` */
  constructor(options: JournalOptions) {
    const { dir, ballastBytes, deadLetterBytes, deadLetterAgeMs, encryption } = options;
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
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
    this.#ballast = new Ballast(dir, ballastBytes);
    this.#spool = new BlobSpool(dir);
    this.#chunks = new ChunkStore(database, cipher);
    this.#lanes = new LaneStore(database);
    this.#deadLetters = new DeadLetterStore(database, cipher, {
      maxBytes: deadLetterBytes,
      maxAgeMs: deadLetterAgeMs,
    });
    this.#saveTotals = database.prepare(
      'UPDATE outbox SET last_seq = ?, dead_letters_dropped = ?, clock_ms = ?',
    );
    this.#pageBytes = database.pragma('page_size', { simple: true }) as number;
    this.#lastSeq = totals.last_seq;
    this.#deadLettersDropped = totals.dead_letters_dropped;
    this.#clockMs = totals.clock_ms;
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
    if (this.#hasRoomFor(request)) {
      try {
        written = this.#write(request, true);
        if (this.#isShort) this.#isShort = !this.#ballast.fill();
      } catch (error) {
        if (!(error instanceof LetterGone)) trouble = this.#takeTrouble(error);
      }
    } else {
      trouble = { reason: 'disk-full', message: 'its disk has no room for the ballast yet' };
    }
    const stored = written !== undefined;
    written ??= this.#writeStateAlone(request);
    if (written !== undefined) this.#spool.remove(written.blobs);
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
      const blob = data && this.#chunks.openBlob(seq, data);
      // A buffer out of Node's pool cannot change hands.
      return blob && blob.byteLength < blob.buffer.byteLength ? Uint8Array.from(blob) : blob;
    });
  }

  headers(request: HeadersRequest): ChunkHeader[] {
    return this.#chunks.headers(request);
  }

  /** Gives unused pages at the end of the file back. Returns the bytes that are unused still. */
  shrink(maxBytes: number): number {
    const pages = Math.floor(maxBytes / this.#pageBytes);
    if (pages > 0) this.#database.pragma(`incremental_vacuum(${pages})`);
    return this.#unusedBytes();
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
    const chunks = withChunks ? request.chunks : [];
    const blobs = chunks.flatMap((chunk) => chunk.blobs);
    this.#spool.write(blobs.map((blob) => ({ ...blob, data: this.#chunks.sealBlob(blob) })));
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
      const collected = this.#collect(request);
      this.#saveTotals.run(lastSeq, deadLettersDropped, request.nowMs);
      return { ...collected, deadLettersDropped };
    })();
    this.#lastSeq = lastSeq;
    this.#deadLettersDropped = written.deadLettersDropped;
    return written;
  }

  #collect({ free, cursors }: CommitRequest): Collected {
    const byLane = new Map(
      cursors.map(({ sinkId, kind, cursor }) => [`${kind}/${sinkId}`, cursor]),
    );
    const parts = KINDS.flatMap((kind) =>
      free[kind].map((range) => this.#chunks.collect(kind, range)),
    );
    parts.push(
      this.#chunks.collectRouted(
        (sinkId, kind, seq) => (byLane.get(`${kind}/${sinkId}`) ?? seq) < seq,
      ),
    );
    const total: Collected = { freed: { ...NOTHING }, blobs: [], more: false };
    for (const { freed, blobs, more } of parts) {
      for (const kind of KINDS) total.freed[kind] += freed[kind];
      total.blobs.push(...blobs);
      total.more ||= more;
    }
    return total;
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
    return spoolBytes === 0 && this.#unusedBytes() > 2 * bytes + this.#ballast.bytes;
  }

  #unusedBytes(): number {
    return (this.#database.pragma('freelist_count', { simple: true }) as number) * this.#pageBytes;
  }

  #takeTrouble(error: unknown): DiskTrouble {
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
}

interface Totals {
  last_seq: number;
  dead_letters_dropped: number;
  clock_ms: number;
}

/** A dead letter that was to be retried was dropped or purged meanwhile. */
class LetterGone extends Error {}
