import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { tryFileLock } from '../common/file-lock.ts';

/**
 * Takes the folder for this process alone until `release`, by a lock on its file named `lock`.
 * @throws SightlineError `SL_DATA_DIR_LOCKED` when another process, or another owner in this one, holds it
 */
export function lockFolder(dir: string): { release(): void } {
  const lock = tryFileLock(join(dir, 'lock'));
  if (lock !== undefined) return lock;
  throw new SightlineError(
    'SL_DATA_DIR_LOCKED',
    `The folder ${dir} is in use by another sightline process: stop that process, or give this one a folder of its own`,
    { details: { dir } },
  );
}
