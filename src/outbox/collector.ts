import type Database from 'better-sqlite3';
import { byKind, RECORD_KINDS, type RecordKind } from '../common/delivery.ts';
import { CHUNKS, HEADER, type HeaderRow, toHeader } from './chunk-store.ts';
import type { CommitRequest, SeqRange } from './protocol.ts';

const CHUNKS_PER_STEP = 64;

/** What a collection deleted; `more`: there is probably more to delete. */
export interface Collected {
  readonly freed: Record<RecordKind, number>;
  /** Of the spool: they may go once the transaction is committed. */
  readonly files: number[];
  more: boolean;
}

/** Deletes the chunks that nobody waits for any more. Runs inside the caller's transaction. */
export class Collector {
  readonly #inRange: Database.Statement;
  readonly #routed: Database.Statement;
  readonly #filesBetween: Database.Statement;
  readonly #deleteChunk: Database.Statement;
  readonly #deleteRoute: Database.Statement;
  readonly #deleteBlobs: Database.Statement;
  /** Where the look at routed chunks goes on. */
  #routedAfter = 0;

  constructor(database: Database.Database) {
    this.#inRange = database.prepare(
      `SELECT ${HEADER} FROM ${CHUNKS}
       WHERE kind = ? AND first_seq > ? AND first_seq <= ? ORDER BY first_seq LIMIT ${CHUNKS_PER_STEP}`,
    );
    this.#routed = database.prepare(
      `SELECT ${HEADER} FROM route CROSS JOIN chunk USING (first_seq)
       WHERE first_seq > ? ORDER BY first_seq LIMIT ${CHUNKS_PER_STEP}`,
    );
    this.#filesBetween = database
      .prepare('SELECT DISTINCT file FROM blob WHERE seq BETWEEN ? AND ?')
      .pluck();
    this.#deleteChunk = database.prepare('DELETE FROM chunk WHERE first_seq = ?');
    this.#deleteRoute = database.prepare('DELETE FROM route WHERE first_seq = ?');
    this.#deleteBlobs = database.prepare('DELETE FROM blob WHERE seq BETWEEN ? AND ?');
  }

  collect({ free, cursors }: Pick<CommitRequest, 'free' | 'cursors'>): Collected {
    const byLane = new Map(cursors.map((lane) => [`${lane.kind}/${lane.sinkId}`, lane.cursor]));
    const parts = RECORD_KINDS.flatMap((kind) =>
      free[kind].map((range) => this.#collectRange(kind, range)),
    );
    parts.push(
      this.#collectRouted((sinkId, kind, seq) => (byLane.get(`${kind}/${sinkId}`) ?? seq) < seq),
    );
    const total = nothing();
    for (const { freed, files, more } of parts) {
      for (const kind of RECORD_KINDS) total.freed[kind] += freed[kind];
      total.files.push(...files);
      total.more ||= more;
    }
    return total;
  }

  /** Chunks that lie wholly in the range, a bounded number of them. */
  #collectRange(kind: RecordKind, range: SeqRange): Collected {
    const { after, upTo } = range;
    const collected: Collected = nothing();
    const found = this.#inRange.all(RECORD_KINDS.indexOf(kind), after, upTo);
    const rows = found as HeaderRow[];
    for (const row of rows) {
      const last = row.first_seq + row.count - 1;
      if (last > upTo) return collected;
      this.#remove(row, collected);
    }
    collected.more = rows.length === CHUNKS_PER_STEP;
    return collected;
  }

  /**
   * Chunks for some sinks that all of these are past, though others of the kind are not. Each call looks at a
   * bounded number and the next one goes on there.
   */
  #collectRouted(isWaiting: (sinkId: string, kind: RecordKind, seq: number) => boolean): Collected {
    const collected: Collected = nothing();
    const rows = this.#routed.all(this.#routedAfter) as HeaderRow[];
    for (const row of rows) {
      const { kind, sinks = [], firstSeq, count } = toHeader(row);
      const last = firstSeq + count - 1;
      if (!sinks.some((sinkId) => isWaiting(sinkId, kind, last))) this.#remove(row, collected);
    }
    const isEnd = rows.length < CHUNKS_PER_STEP;
    this.#routedAfter = isEnd ? 0 : rows.at(-1)!.first_seq;
    collected.more = !isEnd && collected.files.length + sumOf(collected.freed) > 0;
    return collected;
  }

  #remove(row: HeaderRow, collected: Collected): void {
    const last = row.first_seq + row.count - 1;
    collected.files.push(...(this.#filesBetween.all(row.first_seq, last) as number[]));
    this.#deleteBlobs.run(row.first_seq, last);
    this.#deleteChunk.run(row.first_seq);
    if (row.sinks !== null) this.#deleteRoute.run(row.first_seq);
    collected.freed[RECORD_KINDS[row.kind]!] += row.bytes;
  }
}

function nothing(): Collected {
  return { freed: byKind(() => 0), files: [], more: false };
}

function sumOf(freed: Collected['freed']): number {
  return RECORD_KINDS.reduce((sum, kind) => sum + freed[kind], 0);
}
