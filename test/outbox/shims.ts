import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';

export const HAS_COMPILER = spawnSync('cc', ['--version']).status === 0;

/** Compiles children/NAME.c into `dir`, to be preloaded under a process. Returns the path of the library. */
export function compileShim(dir: string, name: 'fsync-shim' | 'fault-shim'): string {
  const shim = join(dir, `${name}.so`);
  const source = join(ROOT, `test/outbox/children/${name}.c`);
  const args = ['-shared', '-fPIC', '-O1', '-o', shim, source, '-ldl'];
  const { status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return shim;
}
