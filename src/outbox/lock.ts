import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { Database } from '../common/sqlite.ts';

/**
 * Takes the folder for this process alone until `release`. The lock is SQLite's own on a file named `lock`: the
 * kernel drops it with the process, also on kill -9, so a stale one cannot exist.
 * @throws SightlineError `SL_DATA_DIR_LOCKED` when another process, or another owner in this one, holds it
 */
export function lockFolder(dir: string): { release(): void } {
  const file = join(dir, 'lock');
  const database = new Database(file, { timeout: 0 });
  try {
    database.pragma('journal_mode = MEMORY');
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if ((cause as { code?: string }).code !== 'SQLITE_BUSY') throw cause;
    throw new SightlineError(
      'SL_DATA_DIR_LOCKED',
      `The folder ${dir} is in use by another sightline process: stop that process, or give this one a folder of its own`,
      { cause, details: { dir } },
    );
  }
  return { release: () => database.close() };
}
