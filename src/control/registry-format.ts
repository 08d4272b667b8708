import { SightlineError } from '../common/errors.ts';
import type { Database } from '../common/sqlite.ts';

/** 2: labels of streams. 3: pipelines in place of streams, cameras, generations. 4: sinks. */
const FORMAT = 4;

const CREATE = `
  CREATE TABLE pipelines (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    spec TEXT NOT NULL,
    secrets TEXT NOT NULL,
    labels TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE cameras (
    id TEXT PRIMARY KEY,
    spec TEXT NOT NULL,
    labels TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
`;

const SINKS = `
  CREATE TABLE sinks (
    id TEXT PRIMARY KEY,
    spec TEXT NOT NULL,
    secrets TEXT NOT NULL,
    labels TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE paused_sinks (id TEXT PRIMARY KEY) STRICT;
`;

/** Each stream that was kept is a pipeline of its own. */
const FROM_STREAMS = (labels: string) => `
  INSERT INTO pipelines
    SELECT id, 'stream', spec, secrets, ${labels}, 1, created_at, created_at FROM streams;
  DROP TABLE streams;
`;

/** Brings the file to the format of this version, all at once or not at all. Throws `SL_CONFIG_INVALID` for a newer one. */
export function migrateRegistry(db: Database, file: string): void {
  const format = db.pragma('user_version', { simple: true }) as number;
  if (format === FORMAT) return;
  if (format > FORMAT) {
    db.close();
    throw new SightlineError(
      'SL_CONFIG_INVALID',
      `Cannot open ${file}: it was written by a newer Sightline (format ${format}, this one reads ${FORMAT}). Upgrade, or use another data folder.`,
    );
  }
  const hasStreams =
    db.prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'streams'`).get() !==
    undefined;
  db.transaction(() => {
    if (format < 3) db.exec(CREATE);
    db.exec(SINKS);
    if (hasStreams) db.exec(FROM_STREAMS(format === 2 ? 'labels' : `'{}'`));
    db.pragma(`user_version = ${FORMAT}`);
  }).exclusive();
}
