import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Delivery } from '../../../src/outbox/delivery.ts';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { AmqpSink } from '../../../src/sinks/amqp/sink.ts';
import { amqpSpec } from '../../../test/sinks/amqp-spec.ts';
import { frameRecord } from '../../../test/sinks/samples.ts';
import { RabbitMq } from '../../../test/support/rabbitmq.ts';
import { until } from '../../../test/support/wait.ts';

const STREAMS = ['cam-0', 'cam-1', 'cam-2'];
const PER_ROUND = 3000;
const LIMIT_MS = 120_000;

interface Options {
  readonly minutes: number;
  readonly print: (line: string) => void;
  readonly context: { after(end: () => unknown): void };
}

/** RabbitMQ is killed while it takes messages, and started again, over and over: nothing is lost, and the order stays. */
export default async function amqpKilled({ minutes, print, context }: Options): Promise<void> {
  const broker = await RabbitMq.start();
  context.after(() => broker.close());
  await broker.createQueue('survivor', 'sightline.frames.*');
  const dir = mkdtempSync(join(tmpdir(), 'sightline-soak-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  const sink = new AmqpSink(amqpSpec({ url: broker.url }), '/');
  const outbox = await Outbox.open({ dir, sinks: [sink] });
  context.after(() => outbox.close());
  const delivery = new Delivery({ outbox, sink, backoff: { baseMs: 20, capMs: 1000 } });
  context.after(() => delivery.close({ drainMs: 0 }));
  delivery.start();

  const ends = performance.now() + minutes * 60_000;
  let seq = 0;
  let kills = 0;
  let copies = 0;
  const seen = new Set<string>();
  while (performance.now() < ends || kills === 0) {
    const { delivered } = delivery.stats();
    for (const last = seq + PER_ROUND; seq < last; seq++) {
      const record = frameRecord(seq, { streamId: STREAMS[seq % STREAMS.length]! });
      assert.ok(outbox.append(record), 'the outbox takes what this test puts');
    }
    await until('some are delivered', LIMIT_MS, () => delivery.stats().delivered > delivered);
    await broker.kill();
    kills++;
    await broker.restart();
    await until('all are delivered', LIMIT_MS, () => delivery.stats().pending === 0);
    const arrived = (await broker.drain('survivor')).map(({ properties }) => {
      return String(properties.messageId);
    });
    copies += arrived.length;
    for (const id of arrived) seen.add(id);
  }
  const ids = [...seen];
  for (const [index, streamId] of STREAMS.entries()) {
    const expected = Array.from({ length: seq / 3 }, (_, n) => `${streamId}/s1/${3 * n + index}`);
    assert.deepEqual(
      ids.filter((id) => id.startsWith(`${streamId}/`)),
      expected,
    );
  }
  const { accepted, delivered, pending } = delivery.stats();
  assert.deepEqual([delivered, pending], [accepted, 0]);
  print(`${kills} kills, ${seq} records, ${copies - seq} of them came twice`);
}
