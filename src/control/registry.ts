import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from 'better-sqlite3';
import { SightlineError } from '../common/errors.ts';
import { Database } from '../common/sqlite.ts';
import { migrateRegistry } from './registry-format.ts';
import { type SealedSpec, sealSpec, unsealSpec } from './sealed-spec.ts';
import type { CameraSpec, JsonObject, PipelineView } from './types.ts';

/** What the registry keeps of anything that is declared. */
interface Kept {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly generation: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A pipeline that someone asked for by the API. */
export interface KeptPipeline extends Kept {
  readonly kind: PipelineView['kind'];
  /** As given, with its secrets: for compiling only. */
  readonly spec: JsonObject;
}

export interface KeptCamera extends Kept {
  readonly spec: CameraSpec;
}

/** A sink that someone asked for by the API. */
export interface KeptSink extends Kept {
  /** As given, with its secrets. */
  readonly spec: JsonObject;
}

interface Row {
  readonly id: string;
  readonly spec: string;
  readonly labels: string;
  readonly generation: number;
  readonly created_at: string;
  readonly updated_at: string;
}

interface PipelineRow extends Row {
  readonly kind: PipelineView['kind'];
  readonly secrets: string;
}

interface SinkRow extends Row {
  readonly secrets: string;
}

const PUT_PIPELINE = `INSERT INTO pipelines VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
  kind = excluded.kind, spec = excluded.spec, secrets = excluded.secrets, labels = excluded.labels,
  generation = excluded.generation, updated_at = excluded.updated_at`;
const PUT_CAMERA = `INSERT INTO cameras VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
  spec = excluded.spec, labels = excluded.labels, generation = excluded.generation, updated_at = excluded.updated_at`;
const PUT_SINK = `INSERT INTO sinks VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
  spec = excluded.spec, secrets = excluded.secrets, labels = excluded.labels, generation = excluded.generation,
  updated_at = excluded.updated_at`;

/**
 * The desired state of the box: what must run again after a restart. One SQLite file that only its owner may read,
 * with secrets in a column of their own. Writes are durable when they return, and throw `SL_UNAVAILABLE` when they
 * cannot be made.
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
    migrateRegistry(this.#db, file);
  }

  /** Ordered by creation. */
  pipelines(): readonly KeptPipeline[] {
    const sql = 'SELECT * FROM pipelines ORDER BY created_at, id';
    return this.#db
      .prepare<[], PipelineRow>(sql)
      .all()
      .map((row) => ({ ...keptOf(row), kind: row.kind, spec: wholeSpec(row) }));
  }

  /** Keeps it as it is now, in place of what was kept of it before. */
  putPipeline({ kind, spec, ...kept }: KeptPipeline): void {
    const { open, secrets } = sealSpec(spec);
    this.#write(PUT_PIPELINE, [
      ...[kept.id, kind, JSON.stringify(open), JSON.stringify(secrets)],
      ...factsOf(kept),
    ]);
  }

  /** False when there was none. */
  removePipeline(id: string): boolean {
    return this.#write('DELETE FROM pipelines WHERE id = ?', [id]).changes > 0;
  }

  /** Ordered by creation. */
  cameras(): readonly KeptCamera[] {
    const sql = 'SELECT * FROM cameras ORDER BY created_at, id';
    return this.#db
      .prepare<[], Row>(sql)
      .all()
      .map((row) => ({ ...keptOf(row), spec: JSON.parse(row.spec) }));
  }

  putCamera({ spec, ...kept }: KeptCamera): void {
    this.#write(PUT_CAMERA, [kept.id, JSON.stringify(spec), ...factsOf(kept)]);
  }

  /** False when there was none. */
  removeCamera(id: string): boolean {
    return this.#write('DELETE FROM cameras WHERE id = ?', [id]).changes > 0;
  }

  /** Ordered by creation. */
  sinks(): readonly KeptSink[] {
    const sql = 'SELECT * FROM sinks ORDER BY created_at, id';
    return this.#db
      .prepare<[], SinkRow>(sql)
      .all()
      .map((row) => ({ ...keptOf(row), spec: wholeSpec(row) }));
  }

  putSink({ spec, ...kept }: KeptSink): void {
    const { open, secrets } = sealSpec(spec);
    const texts = [kept.id, JSON.stringify(open), JSON.stringify(secrets)];
    this.#write(PUT_SINK, [...texts, ...factsOf(kept)]);
  }

  /** False when there was none. */
  removeSink(id: string): boolean {
    return this.#write('DELETE FROM sinks WHERE id = ?', [id]).changes > 0;
  }

  /** Ids of sinks that someone paused, also of those that a configuration has. */
  pausedSinks(): ReadonlySet<string> {
    const rows = this.#db.prepare<[], { id: string }>('SELECT id FROM paused_sinks').all();
    return new Set(rows.map(({ id }) => id));
  }

  setSinkPaused(id: string, paused: boolean): void {
    const sql = paused
      ? 'INSERT INTO paused_sinks VALUES (?) ON CONFLICT (id) DO NOTHING'
      : 'DELETE FROM paused_sinks WHERE id = ?';
    this.#write(sql, [id]);
  }

  #write(sql: string, values: readonly (string | number)[]): RunResult {
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

function wholeSpec(row: { readonly spec: string; readonly secrets: string }): JsonObject {
  const sealed: SealedSpec = { open: JSON.parse(row.spec), secrets: JSON.parse(row.secrets) };
  return unsealSpec(sealed);
}

function keptOf(row: Row): Kept {
  return {
    id: row.id,
    labels: JSON.parse(row.labels),
    generation: row.generation,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

function factsOf(kept: Kept): readonly (string | number)[] {
  const { labels, generation, createdAt, updatedAt } = kept;
  return [JSON.stringify(labels), generation, createdAt.toISOString(), updatedAt.toISOString()];
}
