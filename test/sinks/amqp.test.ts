import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { SightlineError } from '../../src/common/errors.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { followAmqp } from '../../src/services/tail/amqp.ts';
import { AmqpSink } from '../../src/sinks/amqp/sink.ts';
import type { AmqpSinkSpec } from '../../src/sinks/amqp/spec.ts';
import { assertConserved, openOutbox, temporaryDir } from '../outbox/helpers.ts';
import { receiver, startInput } from '../services/rules/support.ts';
import { freePort } from '../support/config.ts';
import { MAX_MESSAGE_BYTES, noRabbitMq, RabbitMq } from '../support/rabbitmq.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';
import { amqpSpec } from './amqp-spec.ts';
import { errorCode, eventRecord, frameRecord, imageRecord, NO_LIMIT, statuses } from './samples.ts';

async function failureOf(promise: Promise<unknown>): Promise<SightlineError> {
  return promise.then(
    () => assert.fail('it did not throw'),
    (thrown: SightlineError) => thrown,
  );
}

describe('amqp sink', { skip: noRabbitMq }, () => {
  let broker: RabbitMq;

  before(async () => {
    broker = await RabbitMq.start();
  });
  after(() => broker.close());

  function makeSink(context: TestContext, spec: Partial<AmqpSinkSpec> = {}): AmqpSink {
    const sink = new AmqpSink(amqpSpec({ url: broker.url, ...spec }), '/');
    context.after(() => sink.close());
    return sink;
  }

  async function idsIn(queue: string): Promise<string[]> {
    return (await broker.drain(queue)).map(({ properties }) => String(properties.messageId));
  }

  it('is read by the rules of another server: what fails there, and what a lost connection takes, comes again', async (context) => {
    const proxy = await TcpProxy.start(await freePort(), () => broker.port);
    context.after(() => proxy.close());
    const { ids, handle } = receiver(1);
    const queue = 'for-rules';
    const binding = { queue, exchange: 'amq.topic', routingKey: 'sightline.frames.ruled' };
    startInput(
      context,
      { type: 'amqp', url: `amqp://127.0.0.1:${proxy.port}`, ...binding },
      { handle },
    );
    const sink = makeSink(context);
    const send = async (seq: number) => {
      const [result] = await sink.deliver([frameRecord(seq, { streamId: 'ruled' })], NO_LIMIT);
      return result?.status === 'accepted';
    };
    await until('the queue is there, and its first message handled', 20_000, async () => {
      if (ids.length === 0) await send(1);
      return ids.length > 0;
    });
    proxy.cutAll();
    await until('it is sent', 10_000, () => send(2));
    await until('it is handled after the cut', 20_000, () => ids.includes('ruled/s1/2'));
  });

  it('publishes in order, persistent, with id, content type and headers', async (context) => {
    await broker.createQueue('plain', 'sightline.*.plain-1');
    const sink = makeSink(context);
    const batch = Array.from({ length: 300 }, (_, seq) =>
      frameRecord(seq, { streamId: 'plain-1' }),
    );
    assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
    const messages = await broker.drain('plain');
    assert.deepEqual(
      messages.map(({ properties }) => properties.messageId),
      batch.map(({ recordId }) => recordId),
    );
    const [{ properties, content, fields }] = messages as [(typeof messages)[number]];
    assert.equal(fields.routingKey, 'sightline.frames.plain-1');
    assert.deepEqual(content, Buffer.from(batch[0]!.payload));
    assert.equal(properties.deliveryMode, 2);
    assert.equal(
      properties.contentType,
      'application/x-protobuf; messageType="sightline.v1.Frame"',
    );
    assert.equal(properties.timestamp, Math.floor(batch[0]!.atMs / 1000));
    assert.deepEqual(properties.headers, {
      ...{ kind: 'frame', recordId: 'plain-1/s1/0', streamId: 'plain-1' },
      ...{ schemaVersion: '1', format: 'protobuf' },
    });
  });

  it('can be watched by a queue of its own', async (context) => {
    await broker.createQueue('watched', 'sightline.*.watched-1');
    const spec = amqpSpec({ url: broker.url, routingKey: 'sightline.{kind}s.{streamId}' });
    const { signal } = context;
    const told: string[] = [];
    const options = { baseDir: '/', stream: undefined, peekVisibilityS: undefined, signal };
    const reading = followAmqp(spec, { ...options, tell: (line) => told.push(line) });
    const watching = reading[Symbol.asyncIterator]();
    const first = watching.next();
    await until('it is bound', 10_000, () => told.length > 0);
    const record = frameRecord(1, { streamId: 'watched-1' });
    await makeSink(context).deliver([record], NO_LIMIT);
    const records = (await first).value as readonly { readonly recordId: string }[];
    assert.deepEqual(
      records.map(({ recordId }) => recordId),
      [record.recordId],
    );
    await watching.return?.();
    // The others got their copy.
    assert.deepEqual(await idsIn('watched'), [record.recordId]);
  });

  it('writes CloudEvents in binary mode, and keeps a value one word of the routing key', async (context) => {
    await broker.createQueue('cloud', 'words.*.end');
    const routingKey = 'words.{recordId}.end';
    const sink = makeSink(context, { envelope: 'cloudevents', format: 'json', routingKey });
    const record = { ...frameRecord(1), recordId: 'a.b#c*d%' };
    assert.deepEqual(statuses(await sink.deliver([record], NO_LIMIT)), ['accepted']);
    const [message] = await broker.drain('cloud');
    assert.equal(message?.fields.routingKey, 'words.a%2Eb%23c%2Ad%25.end');
    const headers = { ...message?.properties.headers } as Record<string, unknown>;
    assert.equal(headers['cloudEvents:id'], 'a.b#c*d%');
    assert.equal(headers['cloudEvents:type'], 'sightline.frame.v1');
  });

  it('a message that no queue takes is tried again, or given up where that is wanted', async (context) => {
    await broker.createQueue('routed', 'sightline.frames.routed');
    const batch = [
      frameRecord(1, { streamId: 'routed' }),
      frameRecord(2, { streamId: 'nowhere' }),
      frameRecord(3, { streamId: 'routed' }),
    ];
    const patient = makeSink(context);
    const results = await patient.deliver(batch, NO_LIMIT);
    assert.deepEqual(statuses(results), ['accepted', 'retry', 'accepted']);
    assert.match(JSON.stringify(results[1], ['error', 'details', 'reason']), /NO_ROUTE/);
    const strict = makeSink(context, { unroutable: 'reject' });
    assert.deepEqual(statuses(await strict.deliver(batch, NO_LIMIT)), [
      ...['accepted', 'rejected', 'accepted'],
    ]);
    const missing = makeSink(context, { exchange: 'no-such-exchange' });
    const refused = await missing.deliver(batch, NO_LIMIT);
    assert.deepEqual(new Set(statuses(refused)), new Set(['retry']));
    assert.equal(errorCode(refused[0]), 'SL_SINK_UNAVAILABLE');
  });

  it('rejects what is too big, and only that, whether it knows the limit of the broker or not', async (context) => {
    await broker.createQueue('sizes', 'sightline.*.sizes');
    const batch = Array.from({ length: 40 }, (_, seq) =>
      seq === 17 || seq === 30
        ? imageRecord(seq, MAX_MESSAGE_BYTES, 'sizes')
        : frameRecord(seq, { streamId: 'sizes' }),
    );
    const expected = batch.map(({ kind }) => (kind === 'image' ? 'rejected' : 'accepted'));
    const small = batch.filter(({ kind }) => kind === 'frame').map(({ recordId }) => recordId);
    const knowing = makeSink(context, { maxBodyBytes: MAX_MESSAGE_BYTES, kinds: ['image'] });
    assert.deepEqual(statuses(await knowing.deliver(batch, NO_LIMIT)), expected);
    assert.deepEqual(await idsIn('sizes'), small);
    const guessing = makeSink(context);
    const results = await guessing.deliver(batch, NO_LIMIT);
    assert.deepEqual(statuses(results), expected);
    assert.equal(errorCode(results[17]), 'SL_SINK_REJECTED');
    assert.deepEqual([...new Set(await idsIn('sizes'))], small);
  });

  it('makes exchange and queue where it is told to, and leaves what is there alone', async (context) => {
    const declare = { exchangeType: 'topic', queue: 'made', queueType: 'classic' } as const;
    const exchange = 'sightline-made';
    const sink = makeSink(context, { exchange, declare: { ...declare, bindingKey: '#' } });
    assert.deepEqual(statuses(await sink.deliver([eventRecord(1)], NO_LIMIT)), ['accepted']);
    assert.equal((await broker.drain('made')).length, 1);
    const other = { ...declare, exchangeType: 'fanout', bindingKey: '#' } as const;
    const clashing = makeSink(context, { exchange, declare: other });
    const error = await failureOf(clashing.deliver([eventRecord(2)], NO_LIMIT));
    assert.equal(error.code, 'SL_SINK_UNAVAILABLE', error.message);
  });

  it('refused credentials work once they are changed, without a new sink', async (context) => {
    const dir = mkdtempSync(join(tmpdir(), 'sightline-password-'));
    context.after(() => rmSync(dir, { recursive: true, force: true }));
    const passwordFile = join(dir, 'password');
    writeFileSync(passwordFile, 'wrong-one\n');
    await broker.createQueue('rotated', 'sightline.events.cam-1');
    const sink = makeSink(context, { passwordFile });
    const error = await failureOf(sink.deliver([eventRecord(1)], NO_LIMIT));
    assert.equal(error.code, 'SL_SINK_UNAUTHORIZED', error.message);
    assert.ok(!error.message.includes('wrong-one'));
    writeFileSync(passwordFile, 'guest\n');
    assert.deepEqual(statuses(await sink.deliver([eventRecord(1)], NO_LIMIT)), ['accepted']);
    const url = `${broker.url}/no-such-vhost`;
    const elsewhere = makeSink(context, { url });
    const refused = await failureOf(elsewhere.deliver([eventRecord(1)], NO_LIMIT));
    assert.equal(refused.code, 'SL_SINK_UNAUTHORIZED', refused.message);
    const absent = makeSink(context, { url: `amqp://127.0.0.1:${await freePort()}` });
    const away = await failureOf(absent.deliver([eventRecord(1)], NO_LIMIT));
    assert.equal(away.code, 'SL_SINK_UNAVAILABLE');
  });

  it('speaks TLS and refuses a certificate it cannot check', async (context) => {
    await broker.createQueue('tls', 'sightline.events.cam-1');
    const url = `amqps://127.0.0.1:${broker.tlsPort}`;
    const trusting = makeSink(context, {
      url,
      tls: { caFile: broker.caFile, rejectUnauthorized: true },
    });
    assert.deepEqual(statuses(await trusting.deliver([eventRecord(1)], NO_LIMIT)), ['accepted']);
    const error = await failureOf(makeSink(context, { url }).deliver([eventRecord(1)], NO_LIMIT));
    assert.equal(error.code, 'SL_SINK_UNAVAILABLE');
  });

  it('a broker short of memory throttles, and is used again when it has recovered', async (context) => {
    await broker.createQueue('alarm', 'sightline.events.cam-1');
    const sink = makeSink(context);
    await sink.deliver([eventRecord(0)], NO_LIMIT);
    broker.memoryAlarm(true);
    const first = await sink.deliver([eventRecord(1)], NO_LIMIT).catch((thrown) => thrown);
    assert.equal(Array.isArray(first) ? errorCode(first[0]) : first.code, 'SL_SINK_THROTTLED');
    const error = await failureOf(sink.deliver([eventRecord(1)], NO_LIMIT));
    assert.equal(error.code, 'SL_SINK_THROTTLED');
    broker.memoryAlarm(false);
    await until('it is unblocked', 30_000, async () => {
      const [result] = await sink.deliver([eventRecord(2)], NO_LIMIT);
      return result?.status === 'accepted';
    });
  });

  it('ends an attempt when it is told to, and when no confirm comes', async (context) => {
    await broker.createQueue('frozen', 'sightline.events.cam-1');
    const patient = makeSink(context);
    const sink = makeSink(context, { confirmTimeoutMs: 300, connectTimeoutMs: 300 });
    await patient.deliver([eventRecord(0)], NO_LIMIT);
    await sink.deliver([eventRecord(0)], NO_LIMIT);
    broker.signal('SIGSTOP');
    context.after(() => broker.signal('SIGCONT'));
    const [result] = await sink.deliver([eventRecord(1)], NO_LIMIT);
    assert.equal(errorCode(result), 'SL_SINK_TIMEOUT');
    const error = await failureOf(sink.deliver([eventRecord(1)], NO_LIMIT));
    assert.equal(error.code, 'SL_SINK_TIMEOUT', error.message);
    const cut = patient.deliver([eventRecord(1)], { signal: AbortSignal.timeout(100) });
    await assert.rejects(cut, { name: 'TimeoutError' });
  });

  it('loses nothing and keeps the order while the broker freezes and connections break', async (context) => {
    await broker.createQueue('survivor', 'sightline.frames.*');
    const proxy = await TcpProxy.start(await freePort(), () => broker.port);
    context.after(() => proxy.close());
    const url = `amqp://127.0.0.1:${proxy.port}`;
    const sink = makeSink(context, { url, confirmTimeoutMs: 1500, connectTimeoutMs: 200 });
    const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
    const delivery = new Delivery({
      ...{ outbox, sink, attemptTimeoutMs: 5000 },
      backoff: { baseMs: 20, capMs: 100 },
    });
    context.after(() => delivery.close({ drainMs: 0 }));
    delivery.start();
    const streams = ['cam-0', 'cam-1', 'cam-2'];
    let seq = 0;
    const put = (count: number): void => {
      for (let index = 0; index < count; index++, seq++) {
        outbox.append(frameRecord(seq, { streamId: streams[seq % streams.length]! }));
      }
    };
    put(3000);
    await until('some are delivered', 20_000, () => delivery.stats().delivered > 0);
    broker.signal('SIGSTOP');
    put(300);
    await until('the circuit opens', 20_000, () => delivery.stats().circuit !== 'closed');
    broker.signal('SIGCONT');
    await until('delivery goes on', 20_000, () => delivery.stats().circuit === 'closed');
    for (let cuts = 0; cuts < 3; cuts++) {
      const { delivered } = delivery.stats();
      put(1500);
      await until('some more', 20_000, () => delivery.stats().delivered > delivered);
      proxy.cutAll();
    }
    await until('all are delivered', 30_000, () => delivery.stats().pending === 0);
    assertConserved(delivery.stats());
    assert.equal(delivery.stats().delivered, seq);
    const ids = [...new Set(await idsIn('survivor'))];
    for (const [index, streamId] of streams.entries()) {
      const expected = Array.from({ length: seq / 3 }, (_, n) => `${streamId}/s1/${3 * n + index}`);
      assert.deepEqual(
        ids.filter((id) => id.startsWith(streamId)),
        expected,
      );
    }
  });
});
