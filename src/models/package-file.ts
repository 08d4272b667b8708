import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';

const require = createRequire(import.meta.url);

/**
 * Absolute path of a file in an installed npm package, also one its `exports` do not name.
 * @throws SightlineError `SL_MODEL_NOT_FOUND` when the package or the file is not installed.
 */
export function findPackageFile(packageName: string, path: string): string {
  for (const folder of require.resolve.paths(packageName) ?? []) {
    const file = join(folder, packageName, path);
    if (existsSync(file)) return file;
  }
  throw new SightlineError(
    'SL_MODEL_NOT_FOUND',
    `Cannot find ${path} of the npm package ${packageName}: run \`npm ci\` first`,
  );
}
