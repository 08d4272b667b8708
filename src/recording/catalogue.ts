import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SegmentContainer } from '../common/segments.ts';
import { Database } from '../common/sqlite.ts';
import { prepareCatalogue } from './catalogue-format.ts';
import type { FoundGap } from './gaps.ts';
import type { FragmentPlace } from './read-segment.ts';

/**
 * open: being written; closed: complete, waits for the store; uploading; stored: the store has it; shed: given up to keep
 * a bound; lost: nothing of it could be read.
 */
export type SegmentState = 'open' | 'closed' | 'uploading' | 'stored' | 'shed' | 'lost';

export interface SegmentRow {
  readonly id: number;
  readonly streamId: string;
  readonly session: string;
  /** Counts the session's segments from 0. */
  readonly number: number;
  readonly container: SegmentContainer;
  /** Null while it is open. */
  readonly key: string | null;
  /** Capture times, ms since the Unix epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  readonly frames: number;
  /** Numbers missing between its frames. */
  readonly missing: number;
  /** Noted frames that are not in the file. */
  readonly lost: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly frameMs: number;
  readonly sha256: string;
  readonly codec: string;
  readonly initBytes: number;
  readonly fragments: readonly FragmentPlace[];
  readonly gaps: readonly FoundGap[];
  readonly state: SegmentState;
  /** Its writer closed it. */
  readonly whole: boolean;
  /** Its record is in the outbox. */
  readonly told: boolean;
  /** There is a file on this machine. */
  readonly local: boolean;
}

export type ClosedFacts = Omit<
  SegmentRow,
  'id' | 'streamId' | 'session' | 'number' | 'container' | 'state' | 'told' | 'local'
> & { readonly key: string };

interface Stored extends Omit<SegmentRow, 'fragments' | 'gaps' | 'whole' | 'told' | 'local'> {
  readonly fragments: string;
  readonly gaps: string;
  readonly whole: number;
  readonly told: number;
  readonly local: number;
}

const COLUMNS = `id, stream_id AS streamId, session, number, container, key, start_ms AS startMs, end_ms AS endMs, bytes,
  frames, missing, lost, first_sequence AS firstSequence, last_sequence AS lastSequence, frame_ms AS frameMs, sha256,
  codec, init_bytes AS initBytes, fragments, gaps, state, whole, told, local`;
const SELECT = `SELECT ${COLUMNS} FROM segments`;
const CLOSE = `UPDATE segments SET key = @key, start_ms = @startMs, end_ms = @endMs, bytes = @bytes, frames = @frames,
  missing = @missing, lost = @lost, first_sequence = @firstSequence, last_sequence = @lastSequence, frame_ms = @frameMs,
  sha256 = @sha256, codec = @codec, init_bytes = @initBytes, fragments = @fragments, gaps = @gaps, whole = @whole,
  state = 'closed' WHERE id = @id`;

/**
 * What was recorded and where it is: one SQLite file of its own. Everything in it but what a store holds can be made
 * again from the files, so a commit need not reach the disk at once; a process that is killed loses none.
 */
export class Catalogue {
  readonly #db: Database;

  /** @throws SightlineError `SL_CONFIG_INVALID` for a file of a newer version */
  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    this.#db = new Database(file, { timeout: 2_000 });
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = NORMAL');
    prepareCatalogue(this.#db, file);
    // What was on its way when the last process ended is on nobody's way now.
    this.#db.exec("UPDATE segments SET state = 'closed' WHERE state = 'uploading'");
  }

  byId(id: number): SegmentRow | undefined {
    return this.#one('WHERE id = ?', id);
  }

  byKey(key: string): SegmentRow | undefined {
    return this.#one('WHERE key = ?', key);
  }

  byName(streamId: string, session: string, number: number): SegmentRow | undefined {
    return this.#one(
      'WHERE stream_id = ? AND session = ? AND number = ?',
      streamId,
      session,
      number,
    );
  }

  /** A row for a file that was not known; `startMs` as far as it is known. */
  add(
    {
      streamId,
      session,
      number,
      container,
    }: Pick<SegmentRow, 'streamId' | 'session' | 'number' | 'container'>,
    startMs: number,
  ): SegmentRow {
    const sql = `INSERT INTO segments (stream_id, session, number, container, start_ms, end_ms, state)
      VALUES (?, ?, ?, ?, ?, ?, 'open')`;
    const { lastInsertRowid } = this.#db
      .prepare(sql)
      .run(streamId, session, number, container, startMs, startMs);
    return this.byId(Number(lastInsertRowid))!;
  }

  close(id: number, facts: ClosedFacts): void {
    this.#db.prepare(CLOSE).run({
      ...{ ...facts, id, whole: facts.whole ? 1 : 0 },
      fragments: JSON.stringify(
        facts.fragments.map(({ start, end, fromMs, toMs, key }) => [
          ...[start, end, fromMs, toMs],
          ...(key ? [] : [0]),
        ]),
      ),
      gaps: JSON.stringify(facts.gaps.map(({ fromMs, toMs }) => [fromMs, toMs])),
    });
  }

  setState(id: number, state: SegmentState): void {
    const storedMs = state === 'stored' ? Date.now() : null;
    this.#db
      .prepare('UPDATE segments SET state = ?, stored_ms = COALESCE(?, stored_ms) WHERE id = ?')
      .run(state, storedMs, id);
  }

  setTold(id: number): void {
    this.#db.prepare('UPDATE segments SET told = 1 WHERE id = ?').run(id);
  }

  setGone(id: number): void {
    this.#db.prepare('UPDATE segments SET local = 0 WHERE id = ?').run(id);
  }

  /** Nothing of the segment could be read: `frames` were noted for it. */
  setLost(id: number, frames: number): void {
    this.#db
      .prepare("UPDATE segments SET state = 'lost', lost = ?, local = 0, told = 1 WHERE id = ?")
      .run(frames, id);
  }

  forget(id: number): void {
    this.#db.prepare('DELETE FROM segments WHERE id = ?').run(id);
  }

  open(): SegmentRow[] {
    return this.#many("WHERE state = 'open'");
  }

  untold(): SegmentRow[] {
    return this.#many("WHERE told = 0 AND state NOT IN ('open', 'lost') ORDER BY start_ms");
  }

  /** Oldest first. */
  waiting(limit: number): SegmentRow[] {
    return this.#many("WHERE state = 'closed' ORDER BY start_ms LIMIT ?", limit);
  }

  /** Files that may go, as far as their row tells; oldest first. */
  local(state: SegmentState, limit: number): SegmentRow[] {
    return this.#many(
      'WHERE local = 1 AND told = 1 AND state = ? ORDER BY start_ms LIMIT ?',
      state,
      limit,
    );
  }

  /** Files that the store has for longer than this and that are still here. */
  localStoredBefore(storedMs: number, limit: number): SegmentRow[] {
    return this.#many(
      "WHERE local = 1 AND told = 1 AND state = 'stored' AND stored_ms <= ? ORDER BY start_ms LIMIT ?",
      storedMs,
      limit,
    );
  }

  /** Oldest first, those that are not waiting for anything. */
  settled(limit: number): SegmentRow[] {
    return this.#many("WHERE state IN ('stored', 'shed', 'lost') ORDER BY start_ms LIMIT ?", limit);
  }

  /** Rows of a stream that touch the window, by their start. */
  touching(streamId: string, fromMs: number, toMs: number): SegmentRow[] {
    return this.#many(
      'WHERE stream_id = ? AND start_ms < ? AND end_ms > ? ORDER BY start_ms',
      streamId,
      toMs,
      fromMs,
    );
  }

  /** Some of them, after a place in their order. */
  page(
    streamId: string,
    [fromMs, toMs]: readonly [number, number],
    after: { readonly startMs: number; readonly id: number },
    limit: number,
  ): SegmentRow[] {
    return this.#many(
      `WHERE stream_id = ? AND (start_ms < ? AND (end_ms > ? OR state = 'open')) AND (start_ms, id) > (?, ?)
        ORDER BY start_ms, id LIMIT ?`,
      ...[streamId, toMs, fromMs, after.startMs, after.id, limit],
    );
  }

  /** The last row of a stream that begins before a time. */
  before(streamId: string, ms: number): SegmentRow | undefined {
    return this.#one(
      "WHERE stream_id = ? AND start_ms < ? AND state NOT IN ('lost', 'shed') ORDER BY start_ms DESC LIMIT 1",
      streamId,
      ms,
    );
  }

  streams(): string[] {
    return this.#db
      .prepare<[], { streamId: string }>('SELECT DISTINCT stream_id AS streamId FROM segments')
      .all()
      .map(({ streamId }) => streamId);
  }

  /** How many wait for the store, their bytes, and the capture time of the oldest. */
  pending(): {
    readonly segments: number;
    readonly bytes: number;
    readonly oldestMs: number | null;
  } {
    return this.#totals("state IN ('closed', 'uploading')");
  }

  localTotals(): { readonly segments: number; readonly bytes: number } {
    return this.#totals('local = 1');
  }

  storedTotals(): { readonly segments: number; readonly bytes: number } {
    return this.#totals("state = 'stored'");
  }

  shutdown(): void {
    this.#db.close();
  }

  #totals(where: string) {
    const sql = `SELECT COUNT(*) AS segments, COALESCE(SUM(bytes), 0) AS bytes, MIN(start_ms) AS oldestMs
      FROM segments WHERE ${where}`;
    return this.#db
      .prepare<[], { segments: number; bytes: number; oldestMs: number | null }>(sql)
      .get()!;
  }

  #one(where: string, ...values: unknown[]): SegmentRow | undefined {
    return this.#many(where, ...values)[0];
  }

  #many(where: string, ...values: unknown[]): SegmentRow[] {
    return this.#db
      .prepare<unknown[], Stored>(`${SELECT} ${where}`)
      .all(...values)
      .map(toRow);
  }
}

function toRow({ fragments, gaps, whole, told, local, ...plain }: Stored): SegmentRow {
  return {
    ...plain,
    // The fifth is there for one that does not begin with a key frame.
    fragments: (JSON.parse(fragments) as [number, number, number, number, 0?][]).map(
      ([start, end, fromMs, toMs, notKey]) => ({ start, end, fromMs, toMs, key: notKey !== 0 }),
    ),
    gaps: (JSON.parse(gaps) as [number, number][]).map(([fromMs, toMs]) => ({ fromMs, toMs })),
    whole: whole === 1,
    told: told === 1,
    local: local === 1,
  };
}
