import { SightlineError } from '../common/errors.ts';
import type { Database } from '../common/sqlite.ts';

const VERSION = 1;

const SCHEMA = `
CREATE TABLE segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  stream_id TEXT NOT NULL,
  session TEXT NOT NULL,
  number INTEGER NOT NULL,
  container TEXT NOT NULL,
  key TEXT UNIQUE,
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL,
  bytes INTEGER NOT NULL DEFAULT 0,
  frames INTEGER NOT NULL DEFAULT 0,
  missing INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  first_sequence INTEGER NOT NULL DEFAULT 0,
  last_sequence INTEGER NOT NULL DEFAULT 0,
  frame_ms REAL NOT NULL DEFAULT 0,
  sha256 TEXT NOT NULL DEFAULT '',
  codec TEXT NOT NULL DEFAULT '',
  init_bytes INTEGER NOT NULL DEFAULT 0,
  fragments TEXT NOT NULL DEFAULT '[]',
  gaps TEXT NOT NULL DEFAULT '[]',
  state TEXT NOT NULL,
  whole INTEGER NOT NULL DEFAULT 0,
  told INTEGER NOT NULL DEFAULT 0,
  local INTEGER NOT NULL DEFAULT 1,
  stored_ms REAL,
  UNIQUE (stream_id, session, number)
);
CREATE INDEX segments_by_time ON segments (stream_id, start_ms);
CREATE INDEX segments_waiting ON segments (start_ms) WHERE state IN ('closed', 'uploading');
CREATE INDEX segments_local ON segments (start_ms) WHERE local = 1;
CREATE INDEX segments_stored ON segments (start_ms) WHERE state = 'stored';
`;

/** @throws SightlineError `SL_CONFIG_INVALID` for a file of a newer version */
export function prepareCatalogue(database: Database, file: string): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version > VERSION) {
    throw new SightlineError(
      'SL_CONFIG_INVALID',
      `Cannot use ${file}: a newer version of Sightline made it (format ${version}, this one knows ${VERSION})`,
    );
  }
  if (version === VERSION) return;
  database.transaction(() => {
    database.exec(SCHEMA);
    database.pragma(`user_version = ${VERSION}`);
  })();
}
