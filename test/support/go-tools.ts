import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';

/** A program that a script of package.json builds from the Go module proxy, and why it cannot be used. */
export function goTool(name: string, script: string) {
  const path = join(ROOT, '.cache', 'go-tools', 'bin', name);
  return {
    path,
    isMissing: existsSync(path) ? false : `${name} is not here: \`npm run ${script}\` builds it`,
  } as const;
}
