import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileOutbox } from './compiled.ts';
import { temporaryDir } from './helpers.ts';

function run(
  command: string,
  args: readonly string[],
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
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
  const script = join(compileOutbox(context), 'test/outbox/children/disk-full.js');
  const body = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" "$3" tmpfs "$1"';
  const args = [...NAMESPACE, 'sh', '-c', body, 'sh', dir, process.execPath, script];
  const { status, out, err } = run('unshare', args);
  assert.equal(status, 0, err);
  assert.deepEqual(JSON.parse(out), { 'disk-full': 50 });
});

test('a disk that fails writes costs only what comes while it fails, counted', (context) => {
  const dir = temporaryDir(context);
  const script = join(compileOutbox(context), 'test/outbox/children/disk-full.js');
  const limit = 3 * 1024 * 1024;
  const args = [`--fsize=${limit}:unlimited`, process.execPath, script, 'rlimit', dir];
  const { status, out, err } = run('prlimit', args);
  assert.equal(status, 0, err);
  assert.deepEqual(JSON.parse(out), { 'disk-error': 50 });
});
