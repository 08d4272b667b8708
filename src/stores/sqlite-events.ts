import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { Database } from '../common/sqlite.ts';
import { type EventQuery, type EventStore, parseEvent, type StoredEvent } from './event-store.ts';

const FORMAT = 1;
const SCHEMA = `
  CREATE TABLE event (
    id TEXT PRIMARY KEY, time TEXT NOT NULL, rule TEXT NOT NULL, stream TEXT NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX event_by_time ON event (time, id);
  CREATE INDEX event_by_stream ON event (stream, time, id);
  CREATE INDEX event_by_rule ON event (rule, time, id);
  PRAGMA user_version = ${FORMAT};`;

const COLUMNS = 'id, time, rule, stream AS streamId, body';

interface Row extends Pick<StoredEvent, 'id' | 'time' | 'rule' | 'streamId'> {
  readonly body: string;
}

/** Events in one SQLite file that only its owner may read. */
export class SqliteEventStore implements EventStore {
  readonly #db: Database;
  readonly #file: string;

  /**
   * Opens the file, made when absent.
   * @throws SightlineError `SL_CONFIG_INVALID` for a file of a newer version, `SL_UNAVAILABLE` for one that cannot be opened
   */
  constructor(file: string) {
    this.#file = file;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      closeSync(openSync(file, 'a', 0o600));
      chmodSync(file, 0o600);
      this.#db = new Database(file, { timeout: 2_000 });
      this.#db.pragma('journal_mode = WAL');
      this.#db.pragma('synchronous = FULL');
    } catch (cause) {
      throw this.#failed('open', cause);
    }
    const version = Number(this.#db.pragma('user_version', { simple: true }));
    if (version > FORMAT) {
      this.#db.close();
      const message = `Cannot use ${file}: it was written by a newer version (format ${version}, this one knows ${FORMAT})`;
      throw new SightlineError('SL_CONFIG_INVALID', message);
    }
    if (version === 0) this.#db.exec(SCHEMA);
  }

  async put(events: readonly StoredEvent[]): Promise<void> {
    if (events.length === 0) return;
    this.#run('write to', () => {
      const insert = this.#db.prepare('INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)');
      this.#db.transaction(() => {
        for (const event of events) {
          const { id, time, rule, streamId } = event;
          insert.run(id, time, rule, streamId, JSON.stringify(event));
        }
      })();
    });
  }

  async list(query: EventQuery): Promise<readonly StoredEvent[]> {
    const { streamId, rule, from, to, after, limit } = query;
    const conditions = [
      ['stream = ?', streamId],
      ['rule = ?', rule],
      ['time >= ?', from],
      ['time < ?', to],
    ].filter(([, value]) => value !== undefined);
    const values: unknown[] = conditions.map(([, value]) => value);
    const where = conditions.map(([condition]) => condition);
    if (after !== undefined) {
      where.push('(time, id) < (?, ?)');
      values.push(after.time, after.id);
    }
    const filter = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
    const sql = `SELECT ${COLUMNS} FROM event ${filter} ORDER BY time DESC, id DESC LIMIT ?`;
    const rows = this.#run('read', () => this.#db.prepare(sql).all(...values, limit));
    return (rows as Row[]).map(({ body, ...beside }) => parseEvent(body) ?? beside);
  }

  async get(id: string): Promise<StoredEvent | undefined> {
    const row = this.#run('read', () =>
      this.#db.prepare(`SELECT ${COLUMNS} FROM event WHERE id = ?`).get(id),
    ) as Row | undefined;
    if (row === undefined) return undefined;
    const { body, ...beside } = row;
    return parseEvent(body) ?? beside;
  }

  async prune(before: string): Promise<number> {
    return this.#run(
      'write to',
      () => this.#db.prepare('DELETE FROM event WHERE time < ?').run(before).changes,
    );
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #run<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw this.#failed(what, cause);
    }
  }

  #failed(what: string, cause: unknown): SightlineError {
    const message = `Cannot ${what} the events in ${this.#file}: ${(cause as Error).message}`;
    return new SightlineError('SL_UNAVAILABLE', message, { cause });
  }
}
