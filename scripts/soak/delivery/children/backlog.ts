import { setImmediate as nextTurn } from 'node:timers/promises';
import { Outbox } from '../../../../src/outbox/outbox.ts';

// One part of restart-backlog.ts, compiled, in a process of its own: what it says of memory is the outbox' alone.

const [part, dir, countText] = process.argv.slice(2) as ['fill' | 'restart', string, string];
const count = Number(countText);
const MIB = 1024 * 1024;
/** A frame with a few objects, packed. */
const PAYLOAD = Buffer.alloc(200, 7);
const options = { dir, sinks: [{ id: 'a', kinds: ['frame'] }] } as const;

/** Appends so many, then kills itself. */
async function fill(): Promise<void> {
  const outbox = await Outbox.open(options);
  for (let index = 0; index < count; index++) {
    const streamId = `cam-${index % 64}`;
    const record = { kind: 'frame', streamId, recordId: `${index}`, payload: PAYLOAD } as const;
    while (!outbox.append({ ...record, atMs: index })) await nextTurn();
    if (index % 100 === 99) await nextTurn();
  }
  await outbox.flushed();
  process.kill(process.pid, 'SIGKILL');
}

async function restart(): Promise<void> {
  const started = performance.now();
  const outbox = await Outbox.open(options);
  const readyMs = performance.now() - started;
  const first = await outbox.read('a', { maxRecords: 1000, maxBytes: 8 * MIB });
  const firstMs = performance.now() - started;
  const { pending, accepted, shed } = outbox.countsOf('a');
  const { bytes } = outbox.stats();
  process.send?.({
    ...{ readyMs, firstMs, pending, accepted, shed, bytes },
    isOldest: first[0]?.recordId === '0',
    rssMib: process.memoryUsage.rss() / MIB,
  });
  await outbox.close();
  process.disconnect();
}

await (part === 'fill' ? fill() : restart());
