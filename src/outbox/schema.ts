import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { Database } from '../common/sqlite.ts';
import { blobFolder } from './blobs.ts';

/** Version of the tables below. A newer one is refused, an older one is migrated. */
export const FORMAT_VERSION = 4;

const APPLICATION_ID = 0x534c4f42;
const PAGE_BYTES = 4096;
const MAX_WAL_BYTES = 16 * 1024 * 1024;

const TABLES = `
  CREATE TABLE chunk (
    first_seq INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL
  );
  CREATE INDEX chunk_by_kind ON chunk (kind, first_seq, count, bytes, stored_ms);
  CREATE TABLE blob (seq INTEGER PRIMARY KEY, checksum INTEGER NOT NULL);
  CREATE TABLE lane (
    sink TEXT NOT NULL,
    kind INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    dead_lettered INTEGER NOT NULL,
    shed TEXT NOT NULL,
    ahead TEXT NOT NULL,
    orphaned INTEGER NOT NULL,
    PRIMARY KEY (sink, kind)
  ) WITHOUT ROWID;
  CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY,
    sink TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    stream_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    at_ms REAL NOT NULL,
    dead_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (sink, seq)
  );
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_seq INTEGER NOT NULL,
    dead_letters_dropped INTEGER NOT NULL
  );
  INSERT INTO outbox VALUES (1, 0, 0);
`;

/** New in version 2: the sinks of chunks that are not for all, as a sorted JSON array. */
const ROUTES = 'CREATE TABLE route (first_seq INTEGER PRIMARY KEY, sinks TEXT NOT NULL);';

/**
 * New in version 3: records a sink filters, dead letters by code, where the lane of a removed sink ends, the outbox'
 * own clock, and keys. A checksum of -1 marks bytes that are sealed.
 */
const FATES = `
  ALTER TABLE lane ADD COLUMN filtered INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE lane ADD COLUMN dead_by_code TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE lane ADD COLUMN end_seq INTEGER;
  UPDATE lane SET dead_by_code = json_object('unknown', dead_lettered) WHERE dead_lettered > 0;
  ALTER TABLE lane DROP COLUMN dead_lettered;
  CREATE INDEX dead_letter_by_sink ON dead_letter (sink);
  ALTER TABLE outbox ADD COLUMN last_letter INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE outbox ADD COLUMN clock_ms INTEGER NOT NULL DEFAULT 0;
  UPDATE outbox SET clock_ms = (SELECT coalesce(max(stored_ms), 0) FROM chunk);
  ALTER TABLE dead_letter ADD COLUMN stored_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE dead_letter ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
  UPDATE dead_letter SET stored_ms = dead_ms;
  CREATE TABLE cipher (key_id INTEGER PRIMARY KEY, key_check BLOB NOT NULL, retired_seq INTEGER);
  UPDATE outbox SET last_letter = (SELECT coalesce(max(id), 0) FROM dead_letter);
`;

/**
 * New in version 4: which file of the spool holds a blob, where it begins and how many bytes it has there; null: all to
 * the end, as in the files of a single blob that earlier versions wrote.
 */
const SHARED_FILES = `
  ALTER TABLE blob ADD COLUMN file INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE blob ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE blob ADD COLUMN bytes INTEGER;
  UPDATE blob SET file = seq;
`;

/** What each version added, the first at index 0. */
const STEPS = [TABLES, ROUTES, FATES, SHARED_FILES];

/**
 * Opens or makes the journal's database: WAL, every commit on the disk before it returns. The log is kept below half
 * the ballast, so that giving the ballast back always leaves room to fold it into the database.
 * @throws SightlineError `SL_OUTBOX_FORMAT` for a newer version or a foreign file, `SL_OUTBOX_CORRUPT` for a damaged one
 */
export function openJournalDatabase(file: string, ballastBytes: number): Database {
  const database = new Database(file, { timeout: 0 });
  try {
    checkFormat(database, file);
    const walBytes = ballastBytes === 0 ? MAX_WAL_BYTES : Math.min(MAX_WAL_BYTES, ballastBytes / 2);
    database.pragma(`page_size = ${PAGE_BYTES}`);
    // Only a new file takes it: what is deleted can be given back to the disk.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('temp_store = MEMORY');
    database.pragma(`wal_autocheckpoint = ${Math.max(16, Math.floor(walBytes / PAGE_BYTES))}`);
    database.pragma(`journal_size_limit = ${walBytes}`);
    makeTables(database);
    return database;
  } catch (cause) {
    database.close();
    throw describeOpenError(cause, file);
  }
}

function checkFormat(database: Database, file: string): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  const application = database.pragma('application_id', { simple: true }) as number;
  const isNew = version === 0 && application === 0;
  const tables = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (isNew && tables === 0) {
    if (existsSync(blobFolder(dirname(file)))) throw emptied(file);
    return;
  }
  if (application === APPLICATION_ID && version <= FORMAT_VERSION) return;
  const reason =
    application === APPLICATION_ID
      ? `it has format version ${version}, this program reads up to ${FORMAT_VERSION}: run the newer program again, or move the folder away`
      : 'it is a database of another program: move it away';
  throw new SightlineError('SL_OUTBOX_FORMAT', `Cannot open the outbox ${file}: ${reason}`);
}

/** The tables are on the disk before the folder of blobs is made: with it, they were there once. */
function emptied(file: string): SightlineError {
  return new SightlineError(
    'SL_OUTBOX_CORRUPT',
    `Cannot open the outbox ${file}: the file is empty, though its folder was in use. Move the folder away to start with an empty one; what waited in it is lost`,
    { details: { file } },
  );
}

function makeTables(database: Database): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version === FORMAT_VERSION) return;
  database.transaction(() => {
    for (const step of STEPS.slice(version)) database.exec(step);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${FORMAT_VERSION}`);
  })();
}

function describeOpenError(cause: unknown, file: string): unknown {
  const code = (cause as { code?: string }).code ?? '';
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new SightlineError(
      'SL_OUTBOX_CORRUPT',
      `Cannot open the outbox ${file}: the file is damaged. Move its folder away to start with an empty one; what waited in it is lost`,
      { cause, details: { file } },
    );
  }
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return new SightlineError(
      'SL_OUTBOX_DISK_FULL',
      `Cannot open the outbox ${file}: its disk is full or fails (${code}). Make room and start again`,
      { cause, details: { file } },
    );
  }
  return cause;
}
