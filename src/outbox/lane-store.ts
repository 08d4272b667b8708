import type Database from 'better-sqlite3';
import { RECORD_KINDS, type RecordKind } from '../common/delivery.ts';
import type { LaneRow, StoredLane } from './protocol.ts';
import { isFor, parseRoute } from './route.ts';

interface Row {
  sink: string;
  kind: number;
  cursor: number;
  accepted: number;
  delivered: number;
  filtered: number;
  dead_by_code: string;
  shed: string;
  ahead: string;
  orphaned: number;
  end_seq: number | null;
}

interface RoutedRow {
  first_seq: number;
  last: number;
  sinks: string;
}

/** The persisted cursors and counters, one row per sink and kind. */
export class LaneStore {
  readonly #upsert: Database.Statement;
  readonly #delete: Database.Statement;
  readonly #all: Database.Statement;
  readonly #lastCursor: Database.Statement;
  readonly #waiting: Database.Statement;
  readonly #partial: Database.Statement;
  readonly #routed: Database.Statement;

  constructor(database: Database.Database) {
    this.#upsert = database.prepare(
      `INSERT OR REPLACE INTO lane
         (sink, kind, cursor, accepted, delivered, filtered, dead_by_code, shed, ahead, orphaned, end_seq)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = database.prepare('DELETE FROM lane WHERE sink = ? AND kind = ?');
    this.#all = database.prepare('SELECT * FROM lane ORDER BY sink, kind');
    this.#lastCursor = database.prepare('SELECT coalesce(max(cursor), 0) FROM lane').pluck();
    this.#waiting = database.prepare(
      `SELECT coalesce(sum(count), 0) AS count, coalesce(min(stored_ms), 0) AS oldest
       FROM chunk INDEXED BY chunk_by_kind WHERE kind = ? AND first_seq > ?`,
    );
    this.#partial = database.prepare(
      `SELECT first_seq + count - 1 AS last, stored_ms AS oldest
       FROM chunk INDEXED BY chunk_by_kind WHERE kind = ? AND first_seq <= ?
       ORDER BY first_seq DESC LIMIT 1`,
    );
    this.#routed = database.prepare(
      `SELECT first_seq, first_seq + count - 1 AS last, sinks
       FROM route JOIN chunk USING (first_seq) WHERE kind = ? AND first_seq + count - 1 > ?`,
    );
  }

  save(row: LaneRow): void {
    this.#upsert.run(
      row.sinkId,
      RECORD_KINDS.indexOf(row.kind),
      row.cursor,
      row.accepted,
      row.delivered,
      row.filtered,
      JSON.stringify(row.deadByCode),
      JSON.stringify(row.shed),
      JSON.stringify(row.ahead),
      row.orphaned ? 1 : 0,
      row.endSeq ?? null,
    );
  }

  remove(sinkId: string, kind: RecordKind): void {
    this.#delete.run(sinkId, RECORD_KINDS.indexOf(kind));
  }

  /** The furthest cursor of all; 0 without lanes. */
  lastCursor(): number {
    return this.#lastCursor.get() as number;
  }

  /** Records above the lane's cursor that are for other sinks. */
  #notFor({ sink, kind, cursor }: Row): number {
    let count = 0;
    for (const chunk of this.#routed.all(kind, cursor) as RoutedRow[]) {
      if (isFor({ sinks: parseRoute(chunk.sinks)! }, sink)) continue;
      count += chunk.last - Math.max(cursor, chunk.first_seq - 1);
    }
    return count;
  }

  /** Every lane, with what waits for it counted from the chunks and not from the counters. */
  load(): StoredLane[] {
    return (this.#all.all() as Row[]).map((row) => {
      const whole = this.#waiting.get(row.kind, row.cursor) as { count: number; oldest: number };
      const partial = this.#partial.get(row.kind, row.cursor) as
        | { last: number; oldest: number }
        | undefined;
      const cut = partial === undefined ? 0 : Math.max(0, partial.last - row.cursor);
      const ahead = JSON.parse(row.ahead) as number[];
      return {
        sinkId: row.sink,
        kind: RECORD_KINDS[row.kind]!,
        cursor: row.cursor,
        accepted: row.accepted,
        delivered: row.delivered,
        filtered: row.filtered,
        deadByCode: JSON.parse(row.dead_by_code) as LaneRow['deadByCode'],
        shed: JSON.parse(row.shed) as LaneRow['shed'],
        ahead,
        orphaned: row.orphaned === 1,
        endSeq: row.end_seq ?? undefined,
        pending: whole.count + cut - ahead.length - this.#notFor(row),
        oldestMs: cut > 0 ? partial!.oldest : whole.oldest,
      };
    });
  }
}
