import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PendingRecord } from '../../../src/common/delivery.ts';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { metricsOf } from '../../support/outbox-metrics.ts';

// Fills the disk under an outbox and frees it again. `tmpfs`: with a file beside it; `rlimit`: the process may not
// write files above a size, until it lifts that limit itself; `shim`: every write fails with the errno of this number
// while the file that SHIM_ERROR names is there.

const [mode, dir, errno = ''] = process.argv.slice(2) as ['tmpfs' | 'rlimit' | 'shim', string];
const filler = process.env['SHIM_ERROR'] ?? join(dir, 'filler');
const BLOB_BYTES = 20_000;
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

async function append(): Promise<void> {
  const bytes = mode === 'shim' && next % 5 === 0 ? BLOB_BYTES : 2000;
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
  if (mode === 'shim') {
    writeFileSync(filler, errno);
    return;
  }
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
  if (mode !== 'rlimit') rmSync(filler);
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
let metrics = await metricsOf(outbox);
assert.equal(metrics('outbox_records_dropped_total', { sink: 'a', class: 'frame' }), 50);
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
metrics = await metricsOf(outbox);
assert.equal(metrics('outbox_records_dropped_total'), refused.length, 'told after a restart, too');
stats = outbox.stats();
assert.deepEqual(Object.keys(stats.sinks[0]!.shedByReason).length, 1);
process.stdout.write(JSON.stringify(stats.sinks[0]!.shedByReason));

if (mode === 'tmpfs') await restartWhileFull(left);
await outbox.close();

/** Numbers of records that were given up are not given again to new ones, which a sink would take for old. */
async function restartWhileFull(backlog: readonly PendingRecord[]): Promise<void> {
  fillDisk();
  for (const last = refused.length + 20; refused.length < last; ) await append();
  const more = await outbox.read('a', LIMITS);
  outbox.ack(
    'a',
    [...backlog, ...more].map((record) => ({ status: 'delivered', record })),
  );
  await outbox.close();
  freeDisk();
  outbox = await Outbox.open(options);
  const before = stored.length;
  for (let count = 0; count < 10; count++) await append();
  const fresh = await outbox.read('a', LIMITS);
  assert.deepEqual(
    fresh.map(({ recordId }) => recordId),
    stored.slice(before),
  );
  conserve();
}
