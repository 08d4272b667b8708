import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { DeliveryResult, PendingRecord } from '../../src/common/delivery.ts';
import { type ErrorCode, SightlineError } from '../../src/common/errors.ts';
import { Delivery, type DeliveryOptions } from '../../src/outbox/delivery.ts';
import type { AttemptReport } from '../../src/outbox/delivery-meters.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import { SqsSink } from '../../src/sinks/sqs/sink.ts';
import {
  assertConserved,
  FakeSink,
  idsOf,
  openOutbox,
  record,
  temporaryDir,
  until,
} from './helpers.ts';

const FAST = { backoff: { baseMs: 4, capMs: 20 }, authProbeMs: 30 };
const ACCEPTED: DeliveryResult = { status: 'accepted' };

function failure(code: ErrorCode, details: Record<string, unknown> = {}): SightlineError {
  return new SightlineError(code, `fails with ${code}`, { details });
}

async function setUp(
  context: TestContext,
  sinks: readonly FakeSink[],
  options: Partial<DeliveryOptions> = {},
): Promise<{ outbox: Outbox; deliveries: Delivery[] }> {
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks });
  const deliveries = sinks.map((sink) => new Delivery({ outbox, sink, ...FAST, ...options }));
  context.after(() => Promise.all(deliveries.map((delivery) => delivery.close({ drainMs: 0 }))));
  for (const delivery of deliveries) delivery.start();
  return { outbox, deliveries };
}

function fill(outbox: Outbox, count: number, streams = 1): string[] {
  const records = Array.from({ length: count }, (_, index) =>
    record(index, { streamId: `cam-${index % streams}` }),
  );
  for (const item of records) assert.ok(outbox.append(item));
  return idsOf(records);
}

function settled(outbox: Outbox, id = 'a'): () => boolean {
  return () => outbox.countsOf(id).pending === 0;
}

test('delivery brings every record in order, in batches of the sink', async (context) => {
  const sink = new FakeSink({ limits: { maxRecords: 7 } });
  const reports: AttemptReport[] = [];
  const { outbox, deliveries } = await setUp(context, [sink], {
    onAttempt: (report) => reports.push(report),
  });
  const ids = fill(outbox, 100);
  await until(settled(outbox), 'all delivered');
  assert.deepEqual(idsOf(sink.delivered), ids);
  assert.ok(sink.calls.every((batch) => batch.length <= 7));
  assert.equal(
    reports.reduce((sum, { records }) => sum + records, 0),
    100,
  );
  const stats = deliveries[0]!.stats();
  assert.deepEqual(
    [stats.state, stats.circuit, stats.delivered, stats.pending, stats.oldestAgeMs],
    ['ok', 'closed', 100, 0, 0],
  );
});

test('a batch waits to fill for as long as the sink says, not longer', async (context) => {
  const sink = new FakeSink({ limits: { maxRecords: 50, maxWaitMs: 1_500 } });
  const { outbox } = await setUp(context, [sink]);
  const started = performance.now();
  for (let index = 0; index < 10; index++) {
    outbox.append(record(index));
    await outbox.flushed();
  }
  await until(settled(outbox), 'delivered');
  assert.ok(performance.now() - started >= 1_490);
  assert.equal(sink.calls.length, 1);
  fill(outbox, 50);
  await until(() => sink.calls.length === 2, 'a full batch goes at once', 1_400);
});

test('only what failed is sent again, its stream waits for it and the others do not', async (context) => {
  const sink = new FakeSink({ limits: { maxRecords: 4 } });
  let failures = 5;
  sink.answer = (batch) =>
    Promise.resolve(
      batch.map((item) =>
        item.recordId === 'cam-0/s/0/frame' && failures-- > 0
          ? { status: 'retry', error: failure('SL_SINK_UNAVAILABLE') }
          : ACCEPTED,
      ),
    );
  const { outbox, deliveries } = await setUp(context, [sink]);
  fill(outbox, 40, 2);
  await until(settled(outbox), 'all delivered');
  const sent = sink.calls.flatMap(idsOf);
  assert.equal(sent.length, 45);
  const again = sent.filter((id) => id === 'cam-0/s/0/frame');
  assert.equal(again.length, 6);
  const ofStream = (stream: string): string[] =>
    idsOf(sink.delivered).filter((id) => id.startsWith(stream));
  const late = ofStream('cam-0').slice(ofStream('cam-0').indexOf('cam-0/s/0/frame') + 1);
  const numbers = late.map((id) => Number(id.split('/')[2]));
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
  assert.equal(ofStream('cam-1').length, 20);
  assert.equal(deliveries[0]!.stats().retries, 5);
});

test('a poison record is isolated and becomes a dead letter, the rest arrives in order', async (context) => {
  const sink = new FakeSink({ limits: { maxRecords: 64 } });
  const poison = new Set(['cam-1/s/13/frame', 'cam-1/s/40/frame']);
  sink.answer = (batch) => {
    const isBad = batch.some((item) => poison.has(item.recordId));
    return isBad
      ? Promise.reject(failure('SL_SINK_REJECTED'))
      : Promise.resolve(batch.map(() => ACCEPTED));
  };
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  for (let index = 0; index < 64; index++) outbox.append(record(index));
  await outbox.flushed();
  const delivery = new Delivery({ outbox, sink, ...FAST });
  context.after(() => delivery.close({ drainMs: 0 }));
  delivery.start();
  await until(settled(outbox), 'all settled');
  const expected = Array.from({ length: 64 }, (_, index) => record(index).recordId);
  assert.deepEqual(
    idsOf(sink.delivered),
    expected.filter((id) => !poison.has(id)),
  );
  const letters = await outbox.deadLetters();
  assert.deepEqual(new Set(letters.map(({ recordId }) => recordId)), poison);
  assert.equal(letters[0]?.code, 'SL_SINK_REJECTED');
  const failing = sink.calls.filter((batch) => batch.some((item) => poison.has(item.recordId)));
  assert.ok(failing.length <= 2 * (Math.log2(64) + 1), `${failing.length} failing tries`);
  assertConserved(outbox.countsOf('a'));
});

test('a sink that is away is left alone longer and longer, probed with one record, and loses nothing', async (context) => {
  const sink = new FakeSink({ limits: { maxRecords: 50 } });
  let down = true;
  const accept = sink.answer;
  sink.answer = (batch, options) =>
    down ? Promise.reject(failure('SL_SINK_UNAVAILABLE')) : accept(batch, options);
  const { outbox, deliveries } = await setUp(context, [sink]);
  const ids = fill(outbox, 200);
  await until(() => sink.calls.length > 8, 'several attempts');
  const stats = deliveries[0]!.stats();
  assert.equal(stats.state, 'backoff');
  assert.notEqual(stats.circuit, 'closed');
  assert.equal(stats.lastError?.code, 'SL_SINK_UNAVAILABLE');
  assert.ok(stats.oldestAgeMs > 0);
  assert.ok(
    sink.calls.slice(6).every((batch) => batch.length === 1),
    'probes hold one record',
  );
  down = false;
  await until(settled(outbox), 'all delivered');
  assert.deepEqual(idsOf(sink.delivered), ids);
  assert.equal(deliveries[0]!.stats().state, 'ok');
});

test('wrong credentials pause the sink, nothing is given up, and new ones resume it', async (context) => {
  const sink = new FakeSink();
  let authorized = false;
  const accept = sink.answer;
  sink.answer = (batch, options) =>
    authorized ? accept(batch, options) : Promise.reject(failure('SL_SINK_UNAUTHORIZED'));
  const { outbox, deliveries } = await setUp(context, [sink]);
  fill(outbox, 20);
  await until(() => sink.calls.length >= 3, 'it is asked slowly');
  assert.equal(deliveries[0]!.stats().state, 'paused');
  assert.equal(outbox.countsOf('a').pending, 20);
  authorized = true;
  await until(settled(outbox), 'all delivered');
});

test('a throttling sink is given the time it asks for', async (context) => {
  const sink = new FakeSink();
  const times: number[] = [];
  const accept = sink.answer;
  sink.answer = (batch, options) => {
    times.push(performance.now());
    return times.length === 1
      ? Promise.reject(failure('SL_SINK_THROTTLED', { retryAfterMs: 200 }))
      : accept(batch, options);
  };
  const { outbox } = await setUp(context, [sink]);
  fill(outbox, 1);
  await until(settled(outbox), 'delivered');
  assert.ok(times[1]! - times[0]! >= 195);
});

test('an attempt ends at its limit, also when the sink ignores the signal, and the sink is tried again', async (context) => {
  const sink = new FakeSink();
  const accept = sink.answer;
  sink.answer = (batch, options) =>
    sink.calls.length === 1 ? new Promise(() => undefined) : accept(batch, options);
  const { outbox, deliveries } = await setUp(context, [sink], { attemptTimeoutMs: 50 });
  fill(outbox, 5);
  await until(settled(outbox), 'delivered by the second attempt');
  assert.equal(deliveries[0]!.stats().lastError?.code, 'SL_SINK_TIMEOUT');
});

test('a server that takes connections and never answers costs one limit per attempt', async (context) => {
  const server = createServer((socket) => socket.resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const sink = new SqsSink({
    ...{ id: 'a', type: 'sqs', required: true, kinds: ['frame'], format: 'protobuf' },
    ...{ queue: 'q', concurrency: 1, region: 'us-east-1', endpoint: `http://127.0.0.1:${port}` },
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  });
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  const reports: AttemptReport[] = [];
  const delivery = new Delivery({
    ...{ outbox, sink, ...FAST, attemptTimeoutMs: 300 },
    onAttempt: (report) => reports.push(report),
  });
  context.after(async () => {
    await delivery.close({ drainMs: 0 });
    server.close();
  });
  delivery.start();
  fill(outbox, 5);
  await until(() => reports.length >= 2, 'two attempts');
  for (const { durationMs, outcome } of reports) {
    assert.equal(outcome, 'failed');
    assert.ok(durationMs >= 295 && durationMs < 2000, `${durationMs} ms`);
  }
  assert.equal(delivery.stats().lastError?.code, 'SL_SINK_TIMEOUT');
  assert.equal(delivery.stats().pending, 5);
});

test('a slow sink does not hold up another', async (context) => {
  const slow = new FakeSink({ id: 'slow' });
  const fast = new FakeSink({ id: 'fast' });
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  slow.answer = async (batch) => {
    await gate;
    return batch.map(() => ACCEPTED);
  };
  const { outbox } = await setUp(context, [slow, fast]);
  fill(outbox, 500);
  await until(settled(outbox, 'fast'), 'the fast one has all');
  assert.equal(outbox.countsOf('slow').delivered, 0);
  release();
  await until(settled(outbox, 'slow'), 'the slow one has all too');
});

test('a sink that breaks its contract is tried again, nothing is lost', async (context) => {
  const sink = new FakeSink();
  const accept = sink.answer;
  sink.answer = (batch, options) => {
    if (sink.calls.length === 1) return Promise.resolve([]);
    if (sink.calls.length === 2) return Promise.reject(new TypeError('a bug'));
    return accept(batch, options);
  };
  const { outbox } = await setUp(context, [sink]);
  const ids = fill(outbox, 10);
  await until(settled(outbox), 'all delivered');
  assert.deepEqual(idsOf(sink.delivered), ids);
});

test('a record above the limits of a sink goes alone', async (context) => {
  const sink = new FakeSink({ limits: { maxBytes: 1000 } });
  const { outbox } = await setUp(context, [sink]);
  const sizes = [10, 5000, 10, 400, 400, 400];
  for (const [index, size] of sizes.entries()) {
    outbox.append(record(index, { payload: Buffer.alloc(size) }));
  }
  await until(settled(outbox), 'all delivered');
  const bytes = (batch: readonly PendingRecord[]): number =>
    batch.reduce((sum, { payload }) => sum + payload.byteLength, 0);
  assert.ok(sink.calls.every((batch) => batch.length === 1 || bytes(batch) <= 1000));
});

test('close drains a working sink, stops a failing one at once, and the rest waits on the disk', async (context) => {
  const working = new FakeSink({ id: 'working', limits: { maxWaitMs: 60_000, maxRecords: 1000 } });
  const failing = new FakeSink({ id: 'failing' });
  failing.answer = () => Promise.reject(failure('SL_SINK_UNAVAILABLE'));
  const { outbox, deliveries } = await setUp(context, [working, failing], {
    backoff: { baseMs: 60_000, random: () => 0.999 },
  });
  fill(outbox, 30);
  await outbox.flushed();
  await until(() => deliveries[1]!.stats().state === 'backoff', 'the failing one waits');
  const started = performance.now();
  await Promise.all(deliveries.map((delivery) => delivery.close()));
  assert.ok(performance.now() - started < 1000);
  assert.equal(outbox.countsOf('working').pending, 0);
  assert.equal(outbox.countsOf('failing').pending, 30);
  assert.ok(working.closed && failing.closed);
  assert.equal(deliveries[0]!.stats().state, 'closed');
});

test('a sink is told the next full batch while one is under way', async (context) => {
  const told: (readonly PendingRecord[])[] = [];
  const sink = Object.assign(new FakeSink({ limits: { maxRecords: 5 } }), {
    prepare: (batch: readonly PendingRecord[]) => void told.push(batch),
  });
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  sink.answer = async (batch) => {
    await held;
    return batch.map(() => ACCEPTED);
  };
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  const ids = fill(outbox, 18, 2);
  await outbox.flushed();
  const delivery = new Delivery({ outbox, sink, ...FAST });
  context.after(() => delivery.close({ drainMs: 0 }));
  delivery.start();
  await until(() => told.length === 1, 'told');
  assert.deepEqual(idsOf(told[0]!), ids.slice(5, 10));
  assert.equal(sink.calls.length, 1, 'one attempt at a time');

  release!();
  await until(settled(outbox), 'all delivered');
  assert.deepEqual(idsOf(sink.delivered), ids);
  const calls = sink.calls.map((batch) => idsOf(batch).join());
  assert.ok(told.every((batch) => batch.length === 5 && calls.includes(idsOf(batch).join())));
});
