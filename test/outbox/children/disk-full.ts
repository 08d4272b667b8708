import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Outbox } from '../../../src/outbox/outbox.ts';

// Fills the disk under an outbox and frees it again. `tmpfs`: with a file beside it; `rlimit`: the process may not
// write files above a size, until it lifts that limit itself.

const [mode, dir] = process.argv.slice(2) as ['tmpfs' | 'rlimit', string];
const filler = join(dir, 'filler');
const options = {
  dir: join(dir, 'outbox'),
  sinks: [{ id: 'a', kinds: ['frame'] }] as const,
  limits: {
    ballastBytes: 1024 * 1024,
    commitIntervalMs: 0,
    cacheBytes: 0,
    minFreeBytes: 0,
    minFreePercent: 0,
  },
};
const LIMITS = { maxRecords: 1_000_000, maxBytes: 1e9 };

let outbox = await Outbox.open(options);
const stored: string[] = [];
const refused: string[] = [];
let next = 0;

async function append(bytes = 2000): Promise<void> {
  const recordId = `r${next++}`;
  const payload = Buffer.alloc(bytes, next);
  assert.ok(outbox.append({ kind: 'frame', streamId: 'cam', recordId, atMs: next, payload }));
  try {
    await outbox.flushed();
    stored.push(recordId);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'SL_OUTBOX_DISK_FULL');
    refused.push(recordId);
  }
}

function fillDisk(): void {
  if (mode === 'rlimit') return;
  const descriptor = openSync(filler, 'w');
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(4096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(descriptor);
  }
}

function freeDisk(): void {
  if (mode === 'tmpfs') rmSync(filler);
  else spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:unlimited']);
}

function conserve(): void {
  const { accepted, delivered, deadLettered, shed, pending } = outbox.countsOf('a');
  assert.equal(accepted, next);
  assert.equal(accepted, delivered + deadLettered + shed + pending);
  assert.equal(shed, refused.length);
}

for (let count = 0; count < 100; count++) await append();
fillDisk();
while (refused.length < 50 && next < 20_000) await append();
assert.equal(refused.length, 50, `no trouble after ${next} records`);
conserve();
let stats = outbox.stats();
assert.equal(stats.state, mode === 'tmpfs' ? 'storage-full' : 'storage-failed');
assert.equal(stats.lastError?.code, 'SL_OUTBOX_DISK_FULL');

// What was accepted before can still be read and acknowledged.
const some = await outbox.read('a', { maxRecords: 60, maxBytes: 1e9 });
assert.deepEqual(
  some.map(({ recordId }) => recordId),
  stored.slice(0, 60),
);
outbox.ack(
  'a',
  some.map((record) => ({ status: 'delivered', record })),
);
conserve();

freeDisk();
const freed = performance.now();
while (outbox.stats().state !== 'ok') {
  assert.ok(performance.now() - freed < 10_000, 'it resumes by itself within 10 s');
  await delay(10);
}
const refusedBefore = refused.length;
for (let count = 0; count < 100; count++) await append();
assert.equal(refused.length, refusedBefore, 'nothing is refused after it resumed');
conserve();
await outbox.close();

outbox = await Outbox.open(options);
const left = await outbox.read('a', LIMITS);
assert.deepEqual(
  left.map(({ recordId }) => recordId),
  stored.slice(60),
);
conserve();
stats = outbox.stats();
assert.deepEqual(Object.keys(stats.sinks[0]!.shedByReason).length, 1);
process.stdout.write(JSON.stringify(stats.sinks[0]!.shedByReason));
await outbox.close();
