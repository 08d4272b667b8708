import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledFile } from '../../test/support/programs.ts';
import { median, option } from './harness.ts';

// Intake, a backlog, the restart with it and its drain under live traffic, from compiled code, each in its own process.
//   node --import tsx bench/delivery/backlog.ts [--records 1000000] [--intake 300000] [--rounds 3]
// TMPDIR decides the disk. Nothing else should run on the machine meanwhile.

const GROUP = 500;

/** Appends groups of records to a file and syncs each: what any durable queue has to do at least. */
function plainLoop(dir: string, records: number): number {
  const group = Buffer.alloc(GROUP * 1024, 1);
  const descriptor = openSync(join(dir, 'plain'), 'w');
  const started = performance.now();
  for (let done = 0; done < records; done += GROUP) {
    writeSync(descriptor, group);
    fdatasyncSync(descriptor);
  }
  const perSecond = (records / (performance.now() - started)) * 1000;
  closeSync(descriptor);
  return perSecond;
}

async function run(part: string, dir: string, count: number): Promise<Record<string, number>> {
  const program = await compiledFile('bench/delivery/children/backlog.ts');
  const child = fork(program, [part, dir, `${count}`], { execArgv: [] });
  const exited = once(child, 'exit');
  const figures = await Promise.race([
    once(child, 'message').then(([message]) => message as Record<string, number>),
    exited.then(([code]) => Promise.reject(new Error(`${part} ended with ${String(code)}`))),
  ]);
  await exited;
  return figures;
}

const values = new Map<string, number[]>();
function add(figures: Record<string, number>): void {
  for (const [name, value] of Object.entries(figures)) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
}

async function inFolder(work: (dir: string) => void | Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sightline-backlog-'));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const records = option('records', 1_000_000);
const intake = option('intake', 300_000);
console.log(
  `${new Date().toISOString()} ${cpus().length} x ${cpus()[0]?.model}, Linux ${release()}, ${process.version}; backlog ${records}`,
);
for (let round = 0; round < option('rounds', 3); round++) {
  await inFolder((dir) => {
    add({ 'plain append+fdatasync in groups of 500, /s': plainLoop(dir, intake) });
  });
  for (const part of ['intake', 'sealed']) {
    await inFolder(async (dir) => add(await run(part, dir, intake)));
  }
}
await inFolder(async (dir) => {
  const filled = await run('intake', dir, records);
  add({
    'backlog coming in: peak RSS, MiB': filled['durable intake of 1 KiB records, peak RSS, MiB']!,
  });
  add(await run('restart', dir, records));
  add(await run('drain', dir, records));
});
for (const [name, all] of values) {
  const shown = all.map((value) => value.toLocaleString('en', { maximumFractionDigits: 1 }));
  const middle = median(all).toLocaleString('en', { maximumFractionDigits: 1 });
  console.log(`${name.padEnd(68)} ${middle.padStart(12)}   of ${all.length} [${shown.join(', ')}]`);
}
