import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compiledFile } from '../support/programs.ts';
import { temporaryDir } from './helpers.ts';
import { compileShim, HAS_COMPILER } from './shims.ts';

const script = await compiledFile('test/outbox/children/disk-full.ts');

function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, out: stdout, err: stderr };
}

/** A mount of its own in a namespace of its own: as root, or as a user where the kernel lets users have one. */
const NAMESPACE = process.getuid?.() === 0 ? ['-m'] : ['-rm'];
const CAN_MOUNT =
  run('unshare', [...NAMESPACE, 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'])
    .status === 0;

test('a full disk costs only what comes while it is full, counted, and the outbox resumes by itself', {
  skip: CAN_MOUNT ? false : 'this machine lets no process mount a tmpfs of its own',
}, (context) => {
  const dir = temporaryDir(context);
  const body = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" "$3" tmpfs "$1"';
  const args = [...NAMESPACE, 'sh', '-c', body, 'sh', dir, process.execPath, script];
  const { status, out, err } = run('unshare', args);
  assert.equal(status, 0, err);
  assert.deepEqual(JSON.parse(out), { 'disk-full': 50 });
});

test('a disk that fails writes costs only what comes while it fails, counted', (context) => {
  const dir = temporaryDir(context);
  const limit = 3 * 1024 * 1024;
  const args = [`--fsize=${limit}:unlimited`, process.execPath, script, 'rlimit', dir];
  const { status, out, err } = run('prlimit', args);
  assert.equal(status, 0, err);
  assert.deepEqual(JSON.parse(out), { 'disk-error': 50 });
});

// F6. The kernel makes no file system read-only while files of it are open for writing, unless it fails: hence the shim.
for (const [name, reason] of [
  ['EROFS', 'read-only'],
  ['EIO', 'disk-error'],
] as const) {
  test(`a disk that answers every write with ${name} costs only what comes meanwhile, as ${reason}`, {
    skip: HAS_COMPILER ? false : 'this machine has no C compiler for the shim',
  }, (context) => {
    const dir = temporaryDir(context);
    const env = {
      LD_PRELOAD: compileShim(dir, 'fault-shim'),
      SHIM_ROOT: join(dir, 'outbox'),
      SHIM_ERROR: join(dir, 'error'),
    };
    const errno = String(constants.errno[name]);
    const { status, out, err } = run(process.execPath, [script, 'shim', dir, errno], env);
    assert.equal(status, 0, err);
    assert.deepEqual(JSON.parse(out), { [reason]: 50 });
  });
}
