import type Database from 'better-sqlite3';
import { KINDS } from './chunk.ts';
import type { DeadLetter, NewDeadLetter } from './protocol.ts';

interface DeadLetterRow {
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

/** Records a sink will never take, kept with the reason within a bound of bytes and age; the oldest go first. */
export class DeadLetterStore {
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  readonly #insert: Database.Statement;
  readonly #list: Database.Statement;
  readonly #oldest: Database.Statement;
  readonly #delete: Database.Statement;
  readonly #total: Database.Statement;
  #bytes = 0;

  constructor(database: Database.Database, maxBytes: number, maxAgeMs: number) {
    this.#maxBytes = maxBytes;
    this.#maxAgeMs = maxAgeMs;
    this.#insert = database.prepare(
      `INSERT INTO dead_letter
         (sink, seq, kind, stream_id, record_id, at_ms, dead_ms, attempts, code, reason, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sink, seq) DO NOTHING`,
    );
    this.#list = database.prepare(
      `SELECT sink, seq, kind, stream_id, record_id, at_ms, dead_ms, attempts, code, reason,
         length(payload) AS payload_bytes
       FROM dead_letter WHERE (@sink IS NULL OR sink = @sink) ORDER BY id DESC LIMIT @limit`,
    );
    this.#oldest = database.prepare(
      'SELECT id, dead_ms, length(payload) AS bytes FROM dead_letter ORDER BY id LIMIT 1',
    );
    this.#delete = database.prepare('DELETE FROM dead_letter WHERE id = ?');
    this.#total = database
      .prepare('SELECT coalesce(sum(length(payload)), 0) FROM dead_letter')
      .pluck();
    this.recount();
  }

  /** Reads the stored size again: at the start, and after a transaction was rolled back. */
  recount(): void {
    this.#bytes = this.#total.get() as number;
  }

  /** Runs inside the caller's transaction. Returns how many old ones were dropped to stay in bounds. */
  add(letters: readonly NewDeadLetter[], nowMs: number): number {
    for (const letter of letters) {
      const { changes } = this.#insert.run(
        letter.sinkId,
        letter.seq,
        KINDS.indexOf(letter.kind),
        letter.streamId,
        letter.recordId,
        letter.atMs,
        letter.deadMs,
        letter.attempts,
        letter.code,
        letter.reason,
        letter.payload,
      );
      if (changes > 0) this.#bytes += letter.payload.byteLength;
    }
    return this.#trim(nowMs);
  }

  /** Newest first. */
  list(sinkId: string | undefined, limit: number): DeadLetter[] {
    const rows = this.#list.all({ sink: sinkId ?? null, limit }) as DeadLetterRow[];
    return rows.map((row) => ({
      sinkId: row.sink,
      seq: row.seq,
      kind: KINDS[row.kind]!,
      streamId: row.stream_id,
      recordId: row.record_id,
      atMs: row.at_ms,
      deadMs: row.dead_ms,
      attempts: row.attempts,
      code: row.code,
      reason: row.reason,
      payloadBytes: row.payload_bytes,
    }));
  }

  #trim(nowMs: number): number {
    let dropped = 0;
    for (;;) {
      const oldest = this.#oldest.get() as
        | { id: number; dead_ms: number; bytes: number }
        | undefined;
      if (oldest === undefined) return dropped;
      const inBounds = this.#bytes <= this.#maxBytes && nowMs - oldest.dead_ms <= this.#maxAgeMs;
      if (inBounds) return dropped;
      this.#delete.run(oldest.id);
      this.#bytes -= oldest.bytes;
      dropped++;
    }
  }
}
