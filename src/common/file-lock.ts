import { Database } from './sqlite.ts';

/**
 * Takes a lock on `file` (made when absent) for this process alone; undefined while another process, or another owner
 * in this one, holds it. The lock is SQLite's own: the kernel drops it with the process, also on kill -9, so a stale
 * one cannot exist.
 */
export function tryFileLock(file: string): { release(): void } | undefined {
  const database = new Database(file, { timeout: 0 });
  try {
    database.pragma('journal_mode = MEMORY');
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    return undefined;
  }
  return { release: () => database.close() };
}
