import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import { byKind, RECORD_KINDS } from '../common/delivery.ts';
import type { ChunkHeader } from './chunk.ts';
import { type Cipher, SEALED } from './cipher.ts';
import type {
  BytesByKind,
  HeadersRequest,
  NewChunk,
  ReadChunk,
  ReadReply,
  ReadRequest,
} from './protocol.ts';
import { parseRoute, routeText } from './route.ts';

export interface HeaderRow {
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
export const HEADER = 'first_seq, kind, count, bytes, stored_ms, sinks';
export const CHUNKS = 'chunk INDEXED BY chunk_by_kind LEFT JOIN route USING (first_seq)';
/** Headers looked at in one read of a kind; more than a read returns. */
const HEADERS_PER_READ = 512;

/** Rows of chunks. Writers run inside the caller's transaction. */
export class ChunkStore {
  readonly #cipher: Cipher;
  readonly #insertChunk: Database.Statement;
  readonly #insertRoute: Database.Statement;
  readonly #headersFrom: Database.Statement;
  readonly #before: Database.Statement;
  readonly #data: Database.Statement;
  readonly #totals: Database.Statement;

  constructor(database: Database.Database, cipher: Cipher) {
    this.#cipher = cipher;
    this.#insertChunk = database.prepare('INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#insertRoute = database.prepare('INSERT INTO route VALUES (?, ?)');
    this.#headersFrom = database.prepare(
      `SELECT ${HEADER} FROM ${CHUNKS}
       WHERE kind = ? AND first_seq > ? AND first_seq <= ? ORDER BY first_seq LIMIT ?`,
    );
    this.#before = database.prepare(
      `SELECT ${HEADER} FROM ${CHUNKS}
       WHERE kind = ? AND first_seq <= ? ORDER BY first_seq DESC LIMIT 1`,
    );
    this.#data = database.prepare('SELECT checksum, data FROM chunk WHERE first_seq = ?');
    this.#totals = database.prepare(
      'SELECT kind, sum(bytes) AS bytes FROM chunk INDEXED BY chunk_by_kind GROUP BY kind',
    );
  }

  bytes(): BytesByKind {
    const bytes = byKind(() => 0);
    const rows = this.#totals.all() as { kind: number; bytes: number }[];
    for (const row of rows) bytes[RECORD_KINDS[row.kind]!] = row.bytes;
    return bytes;
  }

  insert(chunk: NewChunk): void {
    const sealed = this.#cipher.seal(chunk.data, contextOf(chunk));
    this.#insertChunk.run(
      chunk.firstSeq,
      RECORD_KINDS.indexOf(chunk.kind),
      chunk.count,
      chunk.bytes,
      chunk.storedMs,
      sealed === undefined ? crc32(chunk.data) : SEALED,
      sealed ?? chunk.data,
    );
    const route = routeText(chunk.sinks);
    if (route !== undefined) this.#insertRoute.run(chunk.firstSeq, route);
  }

  /** Chunks with a record above `afterSeq`, in order, up to about `maxBytes` and at least one. */
  read({ kinds, afterSeq, untilSeq, maxBytes, memory }: ReadRequest): ReadReply {
    let used = 0;
    const headers = kinds
      .flatMap((kind) => this.#headersAfter(RECORD_KINDS.indexOf(kind), afterSeq, untilSeq))
      .sort((a, b) => a.first_seq - b.first_seq);
    const chunks: ReadChunk[] = [];
    let bytes = 0;
    for (const header of headers) {
      if (chunks.length > 0 && bytes + header.bytes > maxBytes) break;
      const chunk = toHeader(header);
      const row = this.#dataOf(header.first_seq);
      if (row === undefined) {
        chunks.push({ ...chunk, data: undefined });
        continue;
      }
      const { checksum, data } = row;
      bytes += data.byteLength;
      const clear = checksum === crc32(data) ? data : undefined;
      const opened = checksum === SEALED ? this.#cipher.open(data, contextOf(chunk)) : clear;
      const copy = opened && copyInto(memory[used], opened);
      if (copy !== undefined) used++;
      chunks.push({ ...chunk, data: copy ?? opened });
    }
    return { chunks, used };
  }

  /** Undefined when the pages of the row are damaged, which the index is not. */
  #dataOf(firstSeq: number): ChunkRow | undefined {
    try {
      return this.#data.get(firstSeq) as ChunkRow | undefined;
    } catch (error) {
      if ((error as { code?: string }).code?.startsWith('SQLITE_CORRUPT')) return undefined;
      throw error;
    }
  }

  /** Of a kind, in order, those that begin above `afterSeq`. */
  headers({ kind, afterSeq, limit }: HeadersRequest): ChunkHeader[] {
    const end = Number.MAX_SAFE_INTEGER;
    const rows = this.#headersFrom.all(RECORD_KINDS.indexOf(kind), afterSeq, end, limit);
    return (rows as HeaderRow[]).map(toHeader);
  }

  #headersAfter(kind: number, afterSeq: number, untilSeq: number): HeaderRow[] {
    const rows = this.#headersFrom.all(kind, afterSeq, untilSeq, HEADERS_PER_READ) as HeaderRow[];
    const before = this.#before.get(kind, afterSeq) as HeaderRow | undefined;
    const isCut = before !== undefined && before.first_seq + before.count - 1 > afterSeq;
    return isCut ? [before, ...rows] : rows;
  }
}

/** Undefined where they do not fit, or are not worth so much memory. */
function copyInto(
  buffer: SharedArrayBuffer | undefined,
  bytes: Uint8Array,
): Uint8Array | undefined {
  if (buffer === undefined) return undefined;
  if (bytes.byteLength > buffer.byteLength || 2 * bytes.byteLength < buffer.byteLength) return;
  const copy = new Uint8Array(buffer, 0, bytes.byteLength);
  copy.set(bytes);
  return copy;
}

/** What the cipher authenticates with the bytes: nothing of a chunk can be exchanged. */
function contextOf({ kind, firstSeq, count, bytes, storedMs, sinks }: ChunkHeader): string {
  return JSON.stringify([
    'chunk',
    kind,
    firstSeq,
    count,
    bytes,
    storedMs,
    routeText(sinks) ?? null,
  ]);
}

export function toHeader(row: HeaderRow): ChunkHeader {
  const sinks = parseRoute(row.sinks);
  return {
    ...(sinks === undefined ? {} : { sinks }),
    kind: RECORD_KINDS[row.kind]!,
    firstSeq: row.first_seq,
    count: row.count,
    bytes: row.bytes,
    storedMs: row.stored_ms,
  };
}
