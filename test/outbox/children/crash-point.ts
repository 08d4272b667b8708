import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Outbox } from '../../../src/outbox/outbox.ts';

// Stores pictures three at a time, in a file, and delivers the older half of them from the twelfth group on; the shim
// kills it at one exact call. Writes to `durable` what flushed() promised, to `delivered` what it acknowledges.

const [dir] = process.argv.slice(2) as [string];
const durable = openSync(join(dir, 'durable'), 'a');
const delivered = openSync(join(dir, 'delivered'), 'a');
const outbox = await Outbox.open({
  dir: join(dir, 'outbox'),
  sinks: [{ id: 'log', kinds: ['image'] }],
  limits: { ballastBytes: 0, commitIntervalMs: 1, inlineBytes: 1000, cacheBytes: 0 },
});

for (let group = 0; group < 12; group++) {
  const ids: string[] = [];
  for (let index = 0; index < 3; index++) {
    const atMs = group * 3 + index;
    const recordId = `r${atMs}`;
    const payload = Buffer.alloc(5000, atMs);
    outbox.append({ kind: 'image', streamId: 'cam', recordId, atMs, payload });
    ids.push(`${recordId}\n`);
  }
  await outbox.flushed();
  writeSync(durable, ids.join(''));
}
const half = await outbox.read('log', { maxRecords: 18, maxBytes: 1e9 });
writeSync(delivered, half.map(({ recordId }) => `${recordId}\n`).join(''));
outbox.ack(
  'log',
  half.map((record) => ({ status: 'delivered', record })),
);
await delay(10_000);
