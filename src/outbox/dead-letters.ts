import type Database from 'better-sqlite3';
import { RECORD_KINDS } from '../common/delivery.ts';
import { type Cipher, SEAL_BYTES } from './cipher.ts';
import type {
  DeadLetter,
  DeadLetterChoice,
  DeadLetterQuery,
  DeadLetterRequest,
  NewDeadLetter,
  ReadDeadLetter,
} from './protocol.ts';

interface DeadLetterRow {
  id: number;
  sink: string;
  seq: number;
  kind: number;
  stream_id: string;
  record_id: string;
  at_ms: number;
  dead_ms: number;
  attempts: number;
  code: string;
  reason: string;
  payload_bytes: number;
}

const COLUMNS = `id, sink, seq, kind, stream_id, record_id, at_ms, dead_ms, attempts, code, reason,
  length(payload) - ${SEAL_BYTES} * sealed AS payload_bytes`;
const PER_STEP = 256;

/** Records a sink will never take, kept with the reason within a bound of bytes and age; the oldest go first. */
export class DeadLetterStore {
  readonly #cipher: Cipher;
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  readonly #insert: Database.Statement;
  readonly #list: Database.Statement;
  readonly #listOfSink: Database.Statement;
  readonly #idsOfSink: Database.Statement;
  readonly #one: Database.Statement;
  readonly #payload: Database.Statement;
  readonly #oldest: Database.Statement;
  readonly #delete: Database.Statement;
  readonly #total: Database.Statement;
  readonly #loadLastId: Database.Statement;
  readonly #saveLastId: Database.Statement;
  #bytes = 0;
  #lastId = 0;

  constructor(
    database: Database.Database,
    cipher: Cipher,
    { maxBytes, maxAgeMs }: { readonly maxBytes: number; readonly maxAgeMs: number },
  ) {
    this.#cipher = cipher;
    this.#maxBytes = maxBytes;
    this.#maxAgeMs = maxAgeMs;
    this.#insert = database.prepare(
      `INSERT INTO dead_letter
         (id, sink, seq, kind, stream_id, record_id, at_ms, dead_ms, attempts, code, reason, payload,
          stored_ms, sealed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sink, seq) DO NOTHING`,
    );
    this.#list = database.prepare(
      `SELECT ${COLUMNS} FROM dead_letter WHERE id < @beforeId ORDER BY id DESC LIMIT @limit`,
    );
    this.#listOfSink = database.prepare(
      `SELECT ${COLUMNS} FROM dead_letter INDEXED BY dead_letter_by_sink
       WHERE sink = @sinkId AND id < @beforeId ORDER BY id DESC LIMIT @limit`,
    );
    this.#idsOfSink = database
      .prepare(
        `SELECT id FROM dead_letter INDEXED BY dead_letter_by_sink
         WHERE sink = @sinkId AND id > @afterId AND id <= @upToId ORDER BY id LIMIT ${PER_STEP}`,
      )
      .pluck();
    this.#one = database.prepare(`SELECT ${COLUMNS} FROM dead_letter WHERE id = ?`);
    this.#payload = database.prepare('SELECT payload, sealed FROM dead_letter WHERE id = ?');
    this.#oldest = database.prepare(
      `SELECT id, stored_ms, length(payload) - ${SEAL_BYTES} * sealed AS bytes
       FROM dead_letter ORDER BY id LIMIT 1`,
    );
    this.#delete = database.prepare('DELETE FROM dead_letter WHERE id = ?');
    this.#total = database
      .prepare(`SELECT coalesce(sum(length(payload) - ${SEAL_BYTES} * sealed), 0) FROM dead_letter`)
      .pluck();
    this.#loadLastId = database.prepare('SELECT last_letter FROM outbox').pluck();
    this.#saveLastId = database.prepare('UPDATE outbox SET last_letter = ?');
    this.recount();
  }

  /** Reads the stored size and the last id again: at the start, and after a transaction was rolled back. */
  recount(): void {
    this.#bytes = this.#total.get() as number;
    this.#lastId = this.#loadLastId.get() as number;
  }

  /** Runs inside the caller's transaction. Returns how many old ones were dropped to stay in bounds. */
  add(letters: readonly NewDeadLetter[], nowMs: number): number {
    for (const letter of letters) {
      const sealed = this.#cipher.seal(letter.payload, contextOf(letter));
      const { changes } = this.#insert.run(
        ++this.#lastId,
        letter.sinkId,
        letter.seq,
        RECORD_KINDS.indexOf(letter.kind),
        letter.streamId,
        letter.recordId,
        letter.atMs,
        letter.deadMs,
        letter.attempts,
        letter.code,
        letter.reason,
        sealed ?? letter.payload,
        nowMs,
        sealed === undefined ? 0 : 1,
      );
      if (changes > 0) this.#bytes += letter.payload.byteLength;
    }
    this.#saveLastId.run(this.#lastId);
    return this.#trim(nowMs);
  }

  /** Newest first. */
  list({ sinkId, beforeId, limit }: DeadLetterQuery): DeadLetter[] {
    const statement = sinkId === undefined ? this.#list : this.#listOfSink;
    const parameters = { beforeId: beforeId ?? Number.MAX_SAFE_INTEGER, limit };
    const rows = statement.all(sinkId === undefined ? parameters : { ...parameters, sinkId });
    return (rows as DeadLetterRow[]).map(toDeadLetter);
  }

  /** Those above `afterId`, oldest first: at least one, a bounded number and about `maxBytes` of payload. */
  take({ choice, afterId, maxBytes }: DeadLetterRequest): ReadDeadLetter[] {
    const letters: ReadDeadLetter[] = [];
    let bytes = 0;
    for (const id of this.#ids(choice, afterId)) {
      const row = this.#one.get(id) as DeadLetterRow | undefined;
      if (row === undefined) continue;
      if (letters.length > 0 && bytes + row.payload_bytes > maxBytes) break;
      bytes += row.payload_bytes;
      const letter = toDeadLetter(row);
      letters.push({ ...letter, payload: this.#payloadOf(letter) });
    }
    return letters;
  }

  /** Undefined when it is damaged. */
  #payloadOf(letter: DeadLetter): Uint8Array | undefined {
    const { payload, sealed } = this.#payload.get(letter.id) as { payload: Buffer; sealed: number };
    if (sealed === 0) return Uint8Array.from(payload);
    return this.#cipher.open(payload, contextOf(letter));
  }

  /** Runs inside the caller's transaction. Returns how many there were to remove. */
  remove(ids: readonly number[]): number {
    let removed = 0;
    for (const id of ids) {
      const row = this.#one.get(id) as DeadLetterRow | undefined;
      if (row === undefined) continue;
      this.#delete.run(id);
      this.#bytes -= row.payload_bytes;
      removed++;
    }
    return removed;
  }

  /** As `remove`, a bounded number. */
  purge(choice: DeadLetterChoice): number {
    return this.remove(this.#ids(choice, 0));
  }

  #ids(choice: DeadLetterChoice, afterId: number): number[] {
    if ('sinkId' in choice) return this.#idsOfSink.all({ ...choice, afterId }) as number[];
    const ids = choice.filter((id) => id > afterId).sort((a, b) => a - b);
    return ids.slice(0, PER_STEP);
  }

  #trim(nowMs: number): number {
    let dropped = 0;
    for (;;) {
      const oldest = this.#oldest.get() as
        | { id: number; stored_ms: number; bytes: number }
        | undefined;
      if (oldest === undefined) return dropped;
      const inBounds = this.#bytes <= this.#maxBytes && nowMs - oldest.stored_ms <= this.#maxAgeMs;
      if (inBounds) return dropped;
      this.#delete.run(oldest.id);
      this.#bytes -= oldest.bytes;
      dropped++;
    }
  }
}

function contextOf({ sinkId, seq, recordId }: Omit<NewDeadLetter, 'payload'>): string {
  return JSON.stringify(['letter', sinkId, seq, recordId]);
}

function toDeadLetter(row: DeadLetterRow): DeadLetter {
  return {
    id: row.id,
    sinkId: row.sink,
    seq: row.seq,
    kind: RECORD_KINDS[row.kind]!,
    streamId: row.stream_id,
    recordId: row.record_id,
    atMs: row.at_ms,
    deadMs: row.dead_ms,
    attempts: row.attempts,
    code: row.code,
    reason: row.reason,
    payloadBytes: row.payload_bytes,
  };
}
