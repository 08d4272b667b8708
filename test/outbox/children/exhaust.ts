import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { metricsOf } from '../../support/outbox-metrics.ts';

// Appends pictures, a file each, until its parent's measures let it make no more files; then the parent lifts them.

const [dir] = process.argv.slice(2) as [string];
const outbox = await Outbox.open({
  dir,
  sinks: [{ id: 'a', kinds: ['image'] }],
  limits: {
    ...{ ballastBytes: 0, commitIntervalMs: 0, cacheBytes: 0, inlineBytes: 100 },
    ...{ minFreeBytes: 0, minFreePercent: 0, minFreeInodePercent: 0 },
  },
});
let next = 0;
let stored = 0;

/** Whether the disk took it. */
async function append(): Promise<boolean> {
  const recordId = `r${next}`;
  const payload = Buffer.alloc(1000, next);
  assert.ok(outbox.append({ kind: 'image', streamId: 'cam', recordId, atMs: next++, payload }));
  return outbox.flushed().then(
    () => ++stored > 0,
    () => false,
  );
}

async function tell(word: string): Promise<void> {
  process.send?.(word);
  await once(process, 'message');
}

for (let count = 0; count < 5; count++) assert.ok(await append());
await tell('started');
while (await append()) assert.ok(next < 1000, 'the measures of the parent have no effect');
for (let count = 0; count < 4; count++) await append();
const { state } = outbox.stats();
const { shedByReason } = outbox.countsOf('a');
await tell('exhausted');
const lifted = performance.now();
while (!(await append())) {
  assert.ok(performance.now() - lifted < 10_000, 'it resumes within 10 s');
  await delay(10);
}
const read = await outbox.read('a', { maxRecords: 10_000, maxBytes: 1e9 });
assert.equal(read.length, stored);
for (const { atMs, payload } of read) assert.ok(payload.every((byte) => byte === atMs % 256));
const { accepted, shed, pending } = outbox.countsOf('a');
assert.deepEqual([accepted, shed + pending], [next, next]);
assert.equal(outbox.stats().state, 'ok');
for (const [reason, count] of Object.entries(outbox.countsOf('a').shedByReason)) {
  const labels = { sink: 'a', class: 'image', reason };
  assert.equal((await metricsOf(outbox))('outbox_records_dropped_total', labels), count);
}
process.send?.(JSON.stringify({ state, shedByReason }));
await outbox.close();
process.disconnect();
