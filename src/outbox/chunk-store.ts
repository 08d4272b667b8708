import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import type { RecordKind } from '../common/delivery.ts';
import { type ChunkHeader, KINDS } from './chunk.ts';
import type { BytesByKind, NewChunk, ReadChunk, ReadRequest, SeqRange } from './protocol.ts';
import { parseRoute, routeText } from './route.ts';

interface HeaderRow {
  first_seq: number;
  kind: number;
  count: number;
  bytes: number;
  stored_ms: number;
  sinks: string | null;
}

interface ChunkRow extends HeaderRow {
  checksum: number;
  data: Buffer;
}

/** Of `chunk`; those for some sinks only have a row of `route` too. */
const HEADER = 'first_seq, kind, count, bytes, stored_ms, sinks';
const CHUNKS = 'chunk INDEXED BY chunk_by_kind LEFT JOIN route USING (first_seq)';
/** Headers looked at in one read of a kind; more than a read returns. */
const HEADERS_PER_READ = 512;
const CHUNKS_PER_COLLECTION = 64;

/** Rows of chunks and of the blobs they speak of. Writers run inside the caller's transaction. */
export class ChunkStore {
  readonly #insertChunk: Database.Statement;
  readonly #insertBlob: Database.Statement;
  readonly #insertRoute: Database.Statement;
  readonly #deleteRoute: Database.Statement;
  readonly #headersFrom: Database.Statement;
  readonly #before: Database.Statement;
  readonly #oldest: Database.Statement;
  readonly #data: Database.Statement;
  readonly #deleteChunk: Database.Statement;
  readonly #blobsBetween: Database.Statement;
  readonly #deleteBlobs: Database.Statement;
  readonly #blobChecksum: Database.Statement;
  readonly #totals: Database.Statement;

  constructor(database: Database.Database) {
    this.#insertChunk = database.prepare('INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#insertBlob = database.prepare('INSERT INTO blob VALUES (?, ?)');
    this.#insertRoute = database.prepare('INSERT INTO route VALUES (?, ?)');
    this.#deleteRoute = database.prepare('DELETE FROM route WHERE first_seq = ?');
    this.#headersFrom = database.prepare(
      `SELECT ${HEADER} FROM ${CHUNKS}
       WHERE kind = ? AND first_seq > ? AND first_seq <= ? ORDER BY first_seq LIMIT ?`,
    );
    this.#before = database.prepare(
      `SELECT ${HEADER} FROM ${CHUNKS}
       WHERE kind = ? AND first_seq <= ? ORDER BY first_seq DESC LIMIT 1`,
    );
    this.#oldest = database.prepare(
      `SELECT ${HEADER} FROM ${CHUNKS}
       WHERE kind = ? ORDER BY first_seq LIMIT ?`,
    );
    this.#data = database.prepare('SELECT checksum, data FROM chunk WHERE first_seq = ?');
    this.#deleteChunk = database.prepare('DELETE FROM chunk WHERE first_seq = ?');
    this.#blobsBetween = database.prepare('SELECT seq FROM blob WHERE seq BETWEEN ? AND ?').pluck();
    this.#deleteBlobs = database.prepare('DELETE FROM blob WHERE seq BETWEEN ? AND ?');
    this.#blobChecksum = database.prepare('SELECT checksum FROM blob WHERE seq = ?').pluck();
    this.#totals = database.prepare(
      'SELECT kind, sum(bytes) AS bytes FROM chunk INDEXED BY chunk_by_kind GROUP BY kind',
    );
  }

  bytes(): BytesByKind {
    const bytes = { frame: 0, image: 0, event: 0 };
    const rows = this.#totals.all() as { kind: number; bytes: number }[];
    for (const row of rows) bytes[KINDS[row.kind]!] = row.bytes;
    return bytes;
  }

  insert(chunk: NewChunk): void {
    this.#insertChunk.run(
      chunk.firstSeq,
      KINDS.indexOf(chunk.kind),
      chunk.count,
      chunk.bytes,
      chunk.storedMs,
      crc32(chunk.data),
      chunk.data,
    );
    const route = routeText(chunk.sinks);
    if (route !== undefined) this.#insertRoute.run(chunk.firstSeq, route);
    for (const blob of chunk.blobs) this.#insertBlob.run(blob.seq, crc32(blob.data));
  }

  hasBlob(seq: number): boolean {
    return Number.isInteger(seq) && this.#blobChecksum.get(seq) !== undefined;
  }

  isIntactBlob(seq: number, data: Uint8Array): boolean {
    return this.#blobChecksum.get(seq) === crc32(data);
  }

  /** Chunks with a record above `afterSeq`, in order, up to about `maxBytes` and at least one. */
  read({ kinds, afterSeq, untilSeq, maxBytes }: ReadRequest): ReadChunk[] {
    const headers = kinds
      .flatMap((kind) => this.#headersAfter(KINDS.indexOf(kind), afterSeq, untilSeq))
      .sort((a, b) => a.first_seq - b.first_seq);
    const chunks: ReadChunk[] = [];
    let bytes = 0;
    for (const header of headers) {
      if (chunks.length > 0 && bytes + header.bytes > maxBytes) break;
      const { checksum, data } = this.#data.get(header.first_seq) as ChunkRow;
      bytes += data.byteLength;
      const isIntact = crc32(data) === checksum;
      chunks.push({ ...toHeader(header), data: isIntact ? data : undefined });
    }
    return chunks;
  }

  oldest(kind: RecordKind, limit: number): ChunkHeader[] {
    return (this.#oldest.all(KINDS.indexOf(kind), limit) as HeaderRow[]).map(toHeader);
  }

  /** Deletes chunks that lie wholly in the range, a bounded number of them. */
  collect(kind: RecordKind, range: SeqRange): { bytes: number; blobs: number[]; more: boolean } {
    const { after, upTo } = range;
    const blobs: number[] = [];
    let bytes = 0;
    const found = this.#headersFrom.all(KINDS.indexOf(kind), after, upTo, CHUNKS_PER_COLLECTION);
    const rows = found as HeaderRow[];
    for (const row of rows) {
      const last = row.first_seq + row.count - 1;
      if (last > upTo) return { bytes, blobs, more: false };
      for (const seq of this.#blobsBetween.all(row.first_seq, last)) blobs.push(seq as number);
      this.#deleteBlobs.run(row.first_seq, last);
      this.#deleteChunk.run(row.first_seq);
      if (row.sinks !== null) this.#deleteRoute.run(row.first_seq);
      bytes += row.bytes;
    }
    return { bytes, blobs, more: rows.length === CHUNKS_PER_COLLECTION };
  }

  #headersAfter(kind: number, afterSeq: number, untilSeq: number): HeaderRow[] {
    const rows = this.#headersFrom.all(kind, afterSeq, untilSeq, HEADERS_PER_READ) as HeaderRow[];
    const before = this.#before.get(kind, afterSeq) as HeaderRow | undefined;
    const isCut = before !== undefined && before.first_seq + before.count - 1 > afterSeq;
    return isCut ? [before, ...rows] : rows;
  }
}

function toHeader(row: HeaderRow): ChunkHeader {
  const sinks = parseRoute(row.sinks);
  return {
    ...(sinks === undefined ? {} : { sinks }),
    kind: KINDS[row.kind]!,
    firstSeq: row.first_seq,
    count: row.count,
    bytes: row.bytes,
    storedMs: row.stored_ms,
  };
}
