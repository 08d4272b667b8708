import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryResult, PendingRecord, Sink } from '../../../src/common/delivery.ts';
import { SightlineError } from '../../../src/common/errors.ts';
import { Delivery } from '../../../src/outbox/delivery.ts';
import { Outbox } from '../../../src/outbox/outbox.ts';

// Appends and delivers until it is killed. Writes to `durable` what flushed() promised, to `delivered` what its sink
// took: plain writes, which a killed process leaves behind in full.

const [dir, round] = process.argv.slice(2) as [string, string];
const durable = openSync(join(dir, 'durable'), 'a');
const delivered = openSync(join(dir, 'delivered'), 'a');

class LogSink implements Sink {
  readonly id = 'log';
  readonly type = 'log';
  readonly kinds = ['frame', 'image'] as const;
  readonly limits = { maxRecords: 20, maxBytes: 1_000_000, maxWaitMs: 2 };

  deliver(batch: readonly PendingRecord[]): Promise<readonly DeliveryResult[]> {
    const dice = Math.random();
    const error = new SightlineError('SL_SINK_UNAVAILABLE', 'by chance');
    if (dice < 0.05) return Promise.reject(error);
    // As a sink must that keeps the order: after a failure nothing more of that stream.
    const failed = new Set<string>();
    const results = batch.map((record): DeliveryResult => {
      if (Math.random() < 0.02) failed.add(record.streamId);
      if (failed.has(record.streamId)) return { status: 'retry', error };
      const { payload, recordId } = record;
      const isWhole = payload.every((byte) => byte === payload[0]);
      writeSync(delivered, `${recordId} ${payload.byteLength} ${isWhole ? payload[0] : 'torn'}\n`);
      return { status: 'accepted' };
    });
    return Promise.resolve(results);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const sink = new LogSink();
const outbox = await Outbox.open({
  dir: join(dir, 'outbox'),
  sinks: [{ id: sink.id, kinds: sink.kinds }],
  limits: { ballastBytes: 0, commitIntervalMs: 1, inlineBytes: 1000, cacheBytes: 100_000 },
});
const delivery = new Delivery({ outbox, sink, backoff: { baseMs: 2, capMs: 10 } });
delivery.start();
process.send?.('ready');

for (let index = 0; ; index++) {
  const ids: string[] = [];
  for (let count = Math.floor(Math.random() * 20); count >= 0; count--) {
    const streamId = `cam-${count % 3}`;
    const kind = count % 7 === 0 ? 'image' : 'frame';
    const recordId = `${streamId}/${kind}/${round}/${index * 20 + (20 - count)}`;
    const payload = Buffer.alloc(kind === 'image' ? 5000 : 100, index % 256);
    outbox.append({ kind, streamId, recordId, atMs: Date.now(), payload });
    ids.push(`${recordId} ${payload.byteLength} ${index % 256}\n`);
  }
  await outbox.flushed();
  writeSync(durable, ids.join(''));
}
