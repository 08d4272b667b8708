import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';

const SKIPPED = join(ROOT, '.cache', 'skipped');

/**
 * For `skip` of a test that needs what an optional step of set-up makes: why it is not there, false when it is.
 * @param steps of set-up, whose own reasons are told
 */
export function missing(what: string, files: readonly string[], steps: readonly string[]) {
  if (files.every((file) => existsSync(file))) return false;
  const reasons = steps
    .map((step) => join(SKIPPED, step))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').trim());
  return `${what} is not here: ${reasons.join('; ') || 'run `npm run setup -- test`'}`;
}

/** The program's file on PATH; an impossible one where there is none. */
export function program(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter).concat('/usr/sbin');
  return folders.map((folder) => join(folder, name)).find(existsSync) ?? `/nowhere/${name}`;
}
