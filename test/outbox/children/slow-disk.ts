import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { metricsOf } from '../../support/outbox-metrics.ts';

// Appends to an outbox on a disk that the parent made slow, and reports how that felt.

const [dir] = process.argv.slice(2) as [string];
const outbox = await Outbox.open({
  dir,
  sinks: [{ id: 'a', kinds: ['frame'] }],
  limits: { ballastBytes: 0, commitIntervalMs: 5 },
});
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
let maxAppendMs = 0;
for (let index = 0; index < 200; index++) {
  const started = performance.now();
  const payload = Buffer.alloc(1000, index);
  outbox.append({ kind: 'frame', streamId: 'cam', recordId: `r${index}`, atMs: index, payload });
  maxAppendMs = Math.max(maxAppendMs, performance.now() - started);
  await new Promise((resolve) => setTimeout(resolve, 2));
}
await outbox.flushed();
loop.disable();
const metrics = await metricsOf(outbox);
const commits = 'outbox_fsync_duration_seconds';
const slowCommits = metrics(`${commits}_count`) - metrics(`${commits}_bucket`, { le: '0.25' });
const dropped = metrics('outbox_records_dropped_total');
const stored = (await outbox.read('a', { maxRecords: 1000, maxBytes: 1e9 })).length;
process.send?.({ maxAppendMs, maxPauseMs: loop.max / 1e6, slowCommits, stored, dropped });
await outbox.close();
process.disconnect();
