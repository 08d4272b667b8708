import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryResult } from '../../src/common/delivery.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { deferred } from '../../src/common/waits.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { assertConserved, FakeSink, openOutbox, record, temporaryDir, until } from './helpers.ts';

test('what a sink filters is settled, counted apart and not sent, also after a restart', async (context) => {
  const dir = temporaryDir(context);
  const sink = new FakeSink();
  sink.answer = (batch) =>
    Promise.resolve(
      batch.map(
        ({ atMs }): DeliveryResult => ({ status: atMs % 3 === 0 ? 'accepted' : 'filtered' }),
      ),
    );
  const outbox = await openOutbox(context, { dir, sinks: [sink] });
  const delivery = new Delivery({ outbox, sink });
  delivery.start();
  for (let index = 0; index < 30; index++) outbox.append(record(index));
  await until(() => outbox.countsOf('a').pending === 0, 'all settled');
  const { delivered, filtered, batchRecords, sendSeconds, state } = delivery.stats();
  assert.deepEqual([delivered, filtered, state], [10, 20, 'ok']);
  assert.equal(batchRecords.sum, 30);
  assert.equal(sendSeconds.ok.count, batchRecords.count);
  assert.equal(sink.delivered.length, 10);
  await delivery.close();
  await outbox.close();
  const again = await openOutbox(context, { dir, sinks: [sink] });
  assert.equal(again.countsOf('a').filtered, 20);
  assertConserved(again.countsOf('a'));
});

test('a paused sink gets nothing and keeps everything; it goes on when resumed', async (context) => {
  const sink = new FakeSink({ limits: { maxRecords: 1 } });
  const gate = deferred<void>();
  sink.answer = async (batch) => {
    await gate.promise;
    return batch.map((): DeliveryResult => ({ status: 'accepted' }));
  };
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  const delivery = new Delivery({ outbox, sink });
  context.after(() => delivery.close());
  delivery.start();
  for (let index = 0; index < 10; index++) outbox.append(record(index));
  await until(() => sink.calls.length === 1, 'the first is under way');
  const paused = delivery.pause();
  gate.resolve();
  await paused;
  assert.equal(sink.delivered.length, 1, 'what was under way ended');
  const { state, pauseReason } = delivery.stats();
  assert.deepEqual([state, pauseReason], ['paused', 'operator']);
  outbox.append(record(10));
  await outbox.flushed();
  assert.deepEqual([sink.calls.length, outbox.countsOf('a').pending], [1, 10]);
  delivery.resume();
  await until(() => outbox.countsOf('a').pending === 0, 'all delivered');
  assert.equal(sink.delivered.length, 11);
  assert.equal(delivery.stats().pauseReason, undefined);
});

test('a sink that starts paused waits for resume, and closes without delivering', async (context) => {
  const sink = new FakeSink();
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  outbox.append(record(1));
  await outbox.flushed();
  const delivery = new Delivery({ outbox, sink, paused: true });
  delivery.start();
  assert.equal(delivery.stats().state, 'paused');
  await delivery.close();
  assert.deepEqual([sink.calls.length, sink.closed, outbox.countsOf('a').pending], [0, true, 1]);
});

test('retries are counted by the code of their error', async (context) => {
  const sink = new FakeSink({ limits: { maxRecords: 5 } });
  const codes = ['SL_SINK_THROTTLED', 'SL_SINK_TIMEOUT'] as const;
  sink.answer = (batch) => {
    const code = codes[sink.calls.length - 1];
    if (code !== undefined) return Promise.reject(new SightlineError(code, 'for a while'));
    return Promise.resolve(batch.map((): DeliveryResult => ({ status: 'accepted' })));
  };
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  const delivery = new Delivery({ outbox, sink, backoff: { baseMs: 1, capMs: 2 } });
  context.after(() => delivery.close());
  for (let index = 0; index < 5; index++) outbox.append(record(index));
  await outbox.flushed();
  delivery.start();
  await until(() => outbox.countsOf('a').pending === 0, 'all delivered');
  const { retriesByCode, retries, sendSeconds } = delivery.stats();
  assert.deepEqual(retriesByCode, { SL_SINK_THROTTLED: 5, SL_SINK_TIMEOUT: 5 });
  assert.deepEqual([retries, sendSeconds.failed.count], [10, 2]);
});
