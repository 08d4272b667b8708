import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sink } from '../../src/common/delivery.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import { createSink } from '../../src/sinks/registry.ts';
import type { SinkSpec } from '../../src/sinks/specs.ts';
import { TestAws } from '../sinks/aws-proxy.ts';
import { frameRecord } from '../sinks/samples.ts';
import { Mosquitto, Subscriber } from '../support/mosquitto.ts';
import { metricsOf } from '../support/outbox-metrics.ts';
import { assertConserved, assertInOrder, openOutbox, temporaryDir, until } from './helpers.ts';

// Real servers that go away while records keep coming; test/e2e does it for longer, with a camera.

const OUTAGE_MS = 3_000;
/** From the return of a server until it has what waited for it. */
const RECOVERY_MS = 20_000;
const BACKOFF = { baseMs: 50, capMs: 300 };

const FILES: SinkSpec = {
  ...{ id: 'files', type: 'file', required: true, dir: 'out', kinds: ['frame'] },
  ...{ formats: ['ndjson'], maxFileBytes: 1e8, maxFileAgeMs: 3_600_000, maxWaitMs: 10 },
};

interface Running {
  readonly outbox: Outbox;
  readonly deliveries: readonly Delivery[];
  readonly ids: string[];
  readonly dir: string;
  /** Appends frames, about one a millisecond, for that long. */
  feed(forMs: number): Promise<void>;
}

async function run(context: TestContext, specs: readonly SinkSpec[]): Promise<Running> {
  const dir = temporaryDir(context);
  const sinks: Sink[] = await Promise.all(specs.map((spec) => createSink(spec, { baseDir: dir })));
  const outbox = await openOutbox(context, { dir: join(dir, 'outbox'), sinks });
  const deliveries = sinks.map((sink) => new Delivery({ outbox, sink, backoff: BACKOFF }));
  context.after(() => Promise.all(deliveries.map((delivery) => delivery.close({ drainMs: 0 }))));
  for (const delivery of deliveries) delivery.start();
  const ids: string[] = [];
  const feed = async (forMs: number): Promise<void> => {
    const end = performance.now() + forMs;
    while (performance.now() < end) {
      const record = frameRecord(ids.length, { streamId: `cam-${ids.length % 3}` });
      assert.ok(outbox.append(record));
      ids.push(record.recordId);
      await delay(1);
    }
  };
  return { outbox, deliveries, ids, dir, feed };
}

function statsOf({ deliveries }: Running, id: string) {
  return deliveries.map((delivery) => delivery.stats()).find((stats) => stats.id === id)!;
}

function idsInFiles(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => (JSON.parse(line) as { recordId: string }).recordId);
}

function assertComplete(running: Running): void {
  assert.deepEqual(new Set(idsInFiles(join(running.dir, 'out'))), new Set(running.ids));
  for (const { id } of running.outbox.stats().sinks) {
    const counts = running.outbox.countsOf(id);
    assertConserved(counts);
    assert.deepEqual([counts.pending, counts.shed, counts.deadLettered], [0, 0, 0], id);
  }
}

test(`a broker that is away at the start and for ${OUTAGE_MS} ms in the middle gets everything`, async (context) => {
  const broker = await Mosquitto.start(context);
  const subscriber = await Subscriber.open(context, broker.url);
  await broker.stop();
  const running = await run(context, [
    FILES,
    {
      ...{ id: 'mqtt', type: 'mqtt', required: true, url: broker.url, protocolVersion: 5 },
      ...{ topic: 'sightline/{streamId}/frames', kinds: ['frame'], format: 'protobuf' },
      ...{ maxInFlight: 20, connectTimeoutMs: 2000, qos: 1, retain: [] },
    },
  ]);
  await running.feed(300);
  await until(() => statsOf(running, 'mqtt').state === 'backoff', 'the absent broker is noticed');
  assert.equal(statsOf(running, 'mqtt').lastError?.code, 'SL_SINK_UNAVAILABLE');

  await broker.start();
  await running.feed(700);
  await until(() => statsOf(running, 'mqtt').pending === 0, 'it delivers');

  await broker.stop();
  await running.feed(OUTAGE_MS);
  const down = statsOf(running, 'mqtt');
  assert.equal(down.state, 'backoff');
  const metrics = await metricsOf(running.outbox, running.deliveries);
  assert.equal(metrics('outbox_cursor_lag_records', { sink: 'mqtt' }), down.pending);
  const waiting = metrics('outbox_oldest_record_age_seconds', { sink: 'mqtt' });
  assert.ok(down.pending > 0 && waiting > OUTAGE_MS / 2000);
  const isClosed = metrics('outbox_circuit_state', { sink: 'mqtt', state: 'closed' });
  assert.equal(isClosed, 0, 'the open circuit is told');
  assert.ok(metrics('outbox_retries_total', { sink: 'mqtt', class: 'SL_SINK_UNAVAILABLE' }) > 0);
  await until(() => statsOf(running, 'files').pending === 0, 'the files go on meanwhile');

  await broker.start();
  await running.feed(300);
  await until(
    () => running.outbox.stats().sinks.every(({ pending }) => pending === 0),
    'all arrive',
    RECOVERY_MS,
  );
  const arrived = (): Set<string> => new Set(subscriber.recordIds());
  await until(() => arrived().size >= running.ids.length, 'all reach the subscriber');
  assert.deepEqual(arrived(), new Set(running.ids));
  assertComplete(running);
  assertInOrder(subscriber.recordIds(), running.ids);
  assertInOrder(idsInFiles(join(running.dir, 'out')), running.ids);
  const copies = subscriber.recordIds().length - running.ids.length;
  context.diagnostic(`${running.ids.length} records, ${copies} copies`);
});

test('a queue that refuses everything for a while, then some of it, gets everything', async (context) => {
  const aws = await TestAws.start(context);
  const running = await run(context, [
    FILES,
    {
      ...{ id: 'sqs', type: 'sqs', required: true, queue: 'frames', kinds: ['frame'] },
      ...{ format: 'protobuf', concurrency: 2, ...aws.client },
    },
  ]);
  await running.feed(200);
  await until(() => statsOf(running, 'sqs').state === 'backoff', 'the missing queue is noticed');
  aws.server.createQueue('frames');
  await running.feed(500);
  await until(() => statsOf(running, 'sqs').pending === 0, 'it delivers');
  aws.rule = () => 'cut';
  await running.feed(1000);
  assert.equal(statsOf(running, 'sqs').state, 'backoff');
  const metrics = await metricsOf(running.outbox, running.deliveries);
  assert.ok(metrics('outbox_cursor_lag_records', { sink: 'sqs' }) > 0);
  assert.ok(metrics('outbox_retries_total', { sink: 'sqs' }) > 0);
  let requests = 0;
  aws.rule = () => (requests++ % 3 === 0 ? 'cut' : undefined);
  await running.feed(500);
  aws.rule = () => undefined;
  await until(
    () => running.outbox.stats().sinks.every(({ pending }) => pending === 0),
    'all arrive',
    RECOVERY_MS,
  );
  const arrived = aws
    .messages('frames')
    .map(({ messageAttributes }) => messageAttributes['recordId']?.StringValue);
  assert.deepEqual(new Set(arrived), new Set(running.ids));
  assertComplete(running);
  context.diagnostic(
    `${running.ids.length} records, ${arrived.length - running.ids.length} copies`,
  );
});
