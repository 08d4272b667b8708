import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { SightlineError } from '../../common/errors.ts';
import { Database } from '../../common/sqlite.ts';
import { checkBody } from '../body-limit.ts';
import type {
  DocumentOutcome,
  FleetStore,
  LeaseClaim,
  LeaseOutcome,
  LeaseRow,
  StoredDocument,
} from '../store.ts';

/** Another process that writes is through within this. */
const BUSY_MS = 2_000;
const FORMAT = 1;
const TABLES = `
  CREATE TABLE IF NOT EXISTS leases (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, version TEXT NOT NULL, duration_ms INTEGER NOT NULL,
    token INTEGER NOT NULL, data TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS documents (
    collection TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (collection, id)
  ) WITHOUT ROWID;`;

const LEASE = 'SELECT key, owner, version, duration_ms AS durationMs, token, data FROM leases';
const DOCUMENT = 'SELECT id, version, body FROM documents';

/**
 * A file for all processes of one box (never on a network file system: SQLite's locks do not hold there). Writes are
 * durable when they return, so that no token and no epoch is ever given twice, also after a power cut.
 */
export class SqliteFleetStore implements FleetStore {
  readonly name: string;
  readonly #db: Database;

  /** Throws `SL_CONFIG_INVALID` for a file of a newer version. `:memory:` is a store for one process. */
  constructor(file: string) {
    this.name = `SQLite file ${file}`;
    if (file !== ':memory:') {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      // It holds the passwords of cameras. Made before SQLite does; the WAL files take over its mode.
      closeSync(openSync(file, 'a', 0o600));
    }
    this.#db = new Database(file, { timeout: BUSY_MS });
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    const format = this.#db.pragma('user_version', { simple: true }) as number;
    if (format > FORMAT) {
      this.#db.close();
      const message = `Cannot open ${file}: it was made by a newer version (format ${format}, this one reads ${FORMAT})`;
      throw new SightlineError('SL_CONFIG_INVALID', message);
    }
    this.#db.exec(TABLES);
    this.#db.pragma(`user_version = ${FORMAT}`);
  }

  async lease(key: string): Promise<LeaseRow | undefined> {
    return this.#do(() => this.#lease(key));
  }

  async leases(): Promise<readonly LeaseRow[]> {
    return this.#do(() => this.#db.prepare<[], LeaseRow>(`${LEASE} ORDER BY key`).all());
  }

  async acquire(key: string, claim: LeaseClaim): Promise<LeaseOutcome> {
    const { owner, version, durationMs, data, expired } = claim;
    return this.#change(() => {
      const current = this.#lease(key);
      if (current !== undefined && current.owner !== '' && current.version !== expired) {
        return { done: false, current };
      }
      return this.#write({
        ...{ key, owner, version, durationMs, data },
        token: (current?.token ?? 0) + 1,
      });
    });
  }

  async renew(
    key: string,
    { version, next, data }: { version: string; next: string; data: string },
  ): Promise<LeaseOutcome> {
    return this.#change(() => {
      const current = this.#lease(key);
      if (current?.version !== version) return { done: false, current };
      return this.#write({ ...current, version: next, data });
    });
  }

  async release(
    key: string,
    { version, next }: { version: string; next: string },
  ): Promise<LeaseOutcome> {
    return this.#change(() => {
      const current = this.#lease(key);
      if (current?.version !== version) return { done: false, current };
      return this.#write({ ...current, version: next, owner: '' });
    });
  }

  async document(collection: string, id: string): Promise<StoredDocument | undefined> {
    return this.#do(() => this.#document(collection, id));
  }

  async documents(collection: string): Promise<readonly StoredDocument[]> {
    const sql = `${DOCUMENT} WHERE collection = ? ORDER BY id`;
    return this.#do(() => this.#db.prepare<[string], StoredDocument>(sql).all(collection));
  }

  async put(
    collection: string,
    id: string,
    body: string,
    expected: number,
  ): Promise<DocumentOutcome> {
    checkBody(collection, id, body);
    return this.#change(() => {
      const current = this.#document(collection, id);
      if ((current?.version ?? 0) !== expected) return { done: false, current };
      const version = expected + 1;
      this.#db
        .prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)')
        .run(collection, id, version, body);
      return { done: true, version };
    });
  }

  async remove(collection: string, id: string, expected: number): Promise<DocumentOutcome> {
    return this.#change(() => {
      const current = this.#document(collection, id);
      if (current?.version !== expected) return { done: false, current };
      this.#db.prepare('DELETE FROM documents WHERE collection = ? AND id = ?').run(collection, id);
      return { done: true, version: expected };
    });
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #lease(key: string): LeaseRow | undefined {
    return this.#db.prepare<[string], LeaseRow>(`${LEASE} WHERE key = ?`).get(key);
  }

  #document(collection: string, id: string): StoredDocument | undefined {
    const sql = `${DOCUMENT} WHERE collection = ? AND id = ?`;
    return this.#db.prepare<[string, string], StoredDocument>(sql).get(collection, id);
  }

  #write(lease: LeaseRow): LeaseOutcome {
    const { key, owner, version, durationMs, token, data } = lease;
    this.#db
      .prepare('INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?)')
      .run(key, owner, version, durationMs, token, data);
    return { done: true, lease };
  }

  /** Reads and writes with the lock of the file held from the start: no other process comes between. */
  #change<T>(work: () => T): T {
    return this.#do(() => this.#db.transaction(work).immediate());
  }

  #do<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SightlineError('SL_UNAVAILABLE', `Cannot use the ${this.name}: ${why}`, { cause });
    }
  }
}
