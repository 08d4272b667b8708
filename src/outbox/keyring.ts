import type Database from 'better-sqlite3';
import { SightlineError } from '../common/errors.ts';
import { Cipher, type OutboxKey, readKey } from './cipher.ts';
import type { OutboxEncryption } from './options.ts';

const CONTEXT = 'key check';
const CHECK = Buffer.from('sightline outbox');

interface KeyRow {
  key_id: number;
  /** A known text sealed with the key. */
  key_check: Buffer;
  /** Last sequence number that may be sealed with it; null while it is in use. */
  retired_seq: number | null;
}

/**
 * Opens the cipher of a journal. The first key marks the journal as encrypted for good; a new key retires the one
 * before, which has to be given as the previous one for as long as anything sealed with it is left.
 * @throws SightlineError `SL_OUTBOX_KEY` when a key is missing, wrong or unreadable
 */
export function openCipher(
  database: Database.Database,
  encryption: OutboxEncryption | undefined,
  lastSeq: number,
): Cipher {
  const { keyFile, previousKeyFile } = encryption ?? {};
  const files = [keyFile, previousKeyFile].filter((file) => file !== undefined);
  const keys = files.map((file) => readKey(file));
  const cipher = new Cipher(keys);
  const rows = database.prepare('SELECT * FROM cipher').all() as KeyRow[];
  for (const row of rows) checkKey(database, row, keys);
  const [current] = keys;
  if (current === undefined) return cipher;
  database.transaction(() => {
    database
      .prepare('UPDATE cipher SET retired_seq = ? WHERE retired_seq IS NULL AND key_id <> ?')
      .run(lastSeq, current.id);
    database
      .prepare('INSERT OR REPLACE INTO cipher VALUES (?, ?, NULL)')
      .run(current.id, current.seal(CHECK, CONTEXT));
  })();
  return cipher;
}

function checkKey(database: Database.Database, row: KeyRow, keys: readonly OutboxKey[]): void {
  const key = keys.find(({ id }) => id === row.key_id);
  if (key?.open(row.key_check, CONTEXT) !== undefined) return;
  if (row.retired_seq !== null && !isNeeded(database, row.retired_seq)) {
    database.prepare('DELETE FROM cipher WHERE key_id = ?').run(row.key_id);
    return;
  }
  const which = row.retired_seq === null ? 'outbox.encryption.keyFile' : 'previousKeyFile';
  throw new SightlineError(
    'SL_OUTBOX_KEY',
    `The outbox holds records sealed with a key that was not given: name its file as ${which}${
      row.retired_seq === null ? ', or as previousKeyFile beside a new one' : ''
    }`,
  );
}

/** Whether anything sealed with a key that was retired at `seq` may be left. */
function isNeeded(database: Database.Database, seq: number): boolean {
  const chunk = database.prepare(
    'SELECT 1 FROM chunk WHERE first_seq <= ? AND checksum = -1 LIMIT 1',
  );
  const letter = database.prepare(
    'SELECT 1 FROM dead_letter WHERE sealed = 1 AND seq <= ? LIMIT 1',
  );
  return chunk.get(seq) !== undefined || letter.get(seq) !== undefined;
}
