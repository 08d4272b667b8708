import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from 'better-sqlite3';
import { SightlineError } from '../common/errors.ts';
import { Database } from '../common/sqlite.ts';
import { type SealedSpec, sealSpec, unsealSpec } from './sealed-spec.ts';
import type { JsonObject } from './types.ts';

/** 2: labels. */
const FORMAT = 2;

/** A stream that someone asked for by the API. */
export interface DesiredStream {
  readonly id: string;
  /** With its secrets: for compiling only. */
  readonly spec: JsonObject;
  readonly sealed: SealedSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

interface Row {
  readonly id: string;
  readonly spec: string;
  readonly secrets: string;
  readonly created_at: string;
  readonly labels: string;
}

/**
 * The desired state of the box: what must run again after a restart. One SQLite file that only its owner may read,
 * with secrets in a column of their own.
 */
export class Registry {
  readonly #db: Database;

  /** Opens `<dataDir>/registry.sqlite`, made when absent. Throws `SL_CONFIG_INVALID` for a file of a newer version. */
  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = join(dataDir, 'registry.sqlite');
    // Made before SQLite does, so that it is never readable by others; the WAL files take over its mode.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    this.#db = new Database(file, { timeout: 2_000 });
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    // Removed secrets must not stay in free pages.
    this.#db.pragma('secure_delete = ON');
    this.#migrate(file);
  }

  #migrate(file: string): void {
    const format = this.#db.pragma('user_version', { simple: true }) as number;
    if (format > FORMAT) {
      this.#db.close();
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        `Cannot open ${file}: it was written by a newer Sightline (format ${format}, this one reads ${FORMAT}). Upgrade, or use another data folder.`,
      );
    }
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS streams (
        id TEXT PRIMARY KEY,
        spec TEXT NOT NULL,
        secrets TEXT NOT NULL,
        created_at TEXT NOT NULL
      ) STRICT;
    `);
    if (format === FORMAT) return;
    this.#db.exec(`
      BEGIN;
      ALTER TABLE streams ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
      PRAGMA user_version = ${FORMAT};
      COMMIT;
    `);
  }

  /** Ordered by creation. */
  streams(): readonly DesiredStream[] {
    const rows = this.#db.prepare<[], Row>('SELECT * FROM streams ORDER BY created_at, id').all();
    return rows.map((row) => {
      const sealed: SealedSpec = { open: JSON.parse(row.spec), secrets: JSON.parse(row.secrets) };
      return {
        id: row.id,
        spec: unsealSpec(sealed),
        sealed,
        labels: JSON.parse(row.labels),
        createdAt: new Date(row.created_at),
      };
    });
  }

  /** Durable when it returns. Throws `SL_CONFLICT` when the id is there, `SL_UNAVAILABLE` when it cannot be written. */
  add(
    id: string,
    spec: object,
    createdAt: Date,
    labels: Readonly<Record<string, string>> = {},
  ): void {
    const { open, secrets } = sealSpec(spec);
    const { changes } = this.#write(
      'INSERT OR IGNORE INTO streams (id, spec, secrets, created_at, labels) VALUES (?, ?, ?, ?, ?)',
      [
        ...[id, JSON.stringify(open), JSON.stringify(secrets)],
        ...[createdAt.toISOString(), JSON.stringify(labels)],
      ],
    );
    if (changes === 0) {
      throw new SightlineError('SL_CONFLICT', `Cannot keep stream '${id}': the id is taken`);
    }
  }

  /** Durable when it returns. False when there was none. Throws `SL_UNAVAILABLE` when it cannot be written. */
  remove(id: string): boolean {
    return this.#write('DELETE FROM streams WHERE id = ?', [id]).changes > 0;
  }

  #write(sql: string, values: readonly string[]): RunResult {
    try {
      return this.#db.prepare(sql).run(...values);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SightlineError(
        'SL_UNAVAILABLE',
        `Cannot write ${this.#db.name}: ${why}. Nothing was changed; free the disk or mend its permissions.`,
        { cause },
      );
    }
  }

  close(): void {
    this.#db.close();
  }
}
