import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { compiledFile } from '../support/programs.ts';
import { temporaryDir } from './helpers.ts';

// No file can be made any more, though the disk has room: by the process' own limit, or the file system's inodes.

function runCommand(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${command}: ${stderr}`);
}

const IS_ROOT = process.getuid?.() === 0;

function canMount(): boolean {
  if (!IS_ROOT) return false;
  const args = ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'];
  return spawnSync('unshare', args).status === 0;
}

async function answer(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`it ended with ${String(code)}`);
  });
  const [word] = (await Promise.race([once(child, 'message'), ended])) as [string];
  return word;
}

async function exhaust(
  context: TestContext,
  dir: string,
  { take, lift }: { take: (pid: number) => void; lift: (pid: number) => void },
): Promise<{ state: string; shedByReason: Record<string, number> }> {
  const script = await compiledFile('test/outbox/children/exhaust.ts');
  const child = fork(script, [join(dir, 'outbox')], { execArgv: [] });
  context.after(() => child.kill('SIGKILL'));
  assert.equal(await answer(child), 'started');
  take(child.pid!);
  child.send('go');
  assert.equal(await answer(child), 'exhausted');
  lift(child.pid!);
  child.send('go');
  return JSON.parse(await answer(child)) as { state: string; shedByReason: Record<string, number> };
}

test('a process that may open no more files says so, costs what comes meanwhile, and resumes', async (context) => {
  const result = await exhaust(context, temporaryDir(context), {
    take: (pid) => runCommand('prlimit', '--pid', String(pid), '--nofile=5:'),
    lift: (pid) => runCommand('prlimit', '--pid', String(pid), '--nofile=1000:'),
  });
  assert.deepEqual(result, { state: 'storage-failed', shedByReason: { 'no-files': 5 } });
});

test('a file system without inodes is told from a full one, costs what comes meanwhile, and resumes', {
  skip: canMount() ? false : 'this machine lets no process mount a tmpfs',
}, async (context) => {
  let unmount = (): void => undefined;
  context.after(() => unmount());
  const dir = temporaryDir(context);
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  runCommand('mount', '-t', 'tmpfs', '-o', 'size=16m,nr_inodes=60', 'tmpfs', disk);
  unmount = () => runCommand('umount', '-l', disk);
  const fillers = join(disk, 'fillers');
  mkdirSync(fillers);
  const result = await exhaust(context, disk, {
    take: () => {
      try {
        for (let index = 0; ; index++) writeFileSync(join(fillers, String(index)), '');
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      }
    },
    lift: () => {
      for (const name of readdirSync(fillers)) rmSync(join(fillers, name));
    },
  });
  assert.deepEqual(result, { state: 'storage-full', shedByReason: { 'no-inodes': 5 } });
});
