import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { SightlineError } from '../../src/common/errors.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { followKafka } from '../../src/services/tail/kafka.ts';
import type { ReadMessage } from '../../src/sinks/kafka/reader.ts';
import { KafkaSink } from '../../src/sinks/kafka/sink.ts';
import type { KafkaSinkSpec } from '../../src/sinks/kafka/spec.ts';
import { assertConserved, openOutbox, temporaryDir } from '../outbox/helpers.ts';
import { receiver, startInput } from '../services/rules/support.ts';
import { freePort } from '../support/config.ts';
import { ExampleRun, LANGUAGES } from '../support/example.ts';
import { Kafka, kafkaSpec, noKafka } from '../support/kafka.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';
import { errorCode, eventRecord, frameRecord, imageRecord, NO_LIMIT, statuses } from './samples.ts';

async function failureOf(promise: Promise<unknown>): Promise<SightlineError> {
  return promise.then(
    () => assert.fail('it did not throw'),
    (thrown: SightlineError) => thrown,
  );
}

function idOf({ headers }: ReadMessage): string {
  return headers['recordId'] ?? '';
}

/** Without resends: the first of each id. */
function firsts(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}

describe('kafka sink', { skip: noKafka }, () => {
  let broker: Kafka;
  let lastTopic = 0;

  before(async () => {
    broker = await Kafka.start();
  });
  after(() => broker.close());

  async function newTopic(configs: Record<string, string> = {}, partitions = 1): Promise<string> {
    const topic = `topic-${++lastTopic}`;
    await broker.createTopic(topic, configs, partitions);
    return topic;
  }

  function makeSink(context: TestContext, spec: Partial<KafkaSinkSpec> & { port?: number }) {
    const sink = new KafkaSink(kafkaSpec({ port: broker.port, ...spec }), '/');
    context.after(() => sink.close());
    return sink;
  }

  it('is read by the rules of another server: as a group that begins again where it had committed', async (context) => {
    const topic = await newTopic();
    const sink = makeSink(context, { topic });
    const send = (...seqs: number[]) =>
      sink.deliver(
        seqs.map((seq) => frameRecord(seq)),
        NO_LIMIT,
      );
    await send(1, 2, 3);
    const spec = {
      ...{ type: 'kafka', brokers: kafkaSpec({ port: broker.port }).brokers },
      ...{ topics: [topic], groupId: 'rules', from: 'earliest' },
    };
    const { ids, handle } = receiver();
    const first = startInput(context, spec, { handle });
    await until('what is there is read', 20_000, () => ids.length === 3);
    await first.stop();
    await send(4);
    startInput(context, spec, { handle });
    await until('what came meanwhile', 20_000, () => ids.includes('cam-1/s1/4'));
    assert.deepEqual(
      ids,
      [1, 2, 3, 4].map((seq) => `cam-1/s1/${seq}`),
    );
  });

  it('writes each stream in order to one partition, with key, headers and capture time', async (context) => {
    const topic = await newTopic({}, 3);
    // One of the named brokers is away.
    const brokers = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${broker.port}`];
    const sink = makeSink(context, { topic, brokers });
    // The second one is older than the first: times may go back.
    const batch = Array.from({ length: 60 }, (_, seq) =>
      frameRecord(seq, { streamId: `cam-${seq % 4}`, ...(seq === 1 ? { atMs: 1000 } : {}) }),
    );
    batch.push(eventRecord(60, 'cam-0'));
    assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
    const messages = await broker.read(topic, batch.length);
    for (const streamId of ['cam-0', 'cam-1', 'cam-2', 'cam-3']) {
      const own = messages.filter(({ key }) => key === streamId);
      assert.equal(new Set(own.map(({ partition }) => partition)).size, 1);
      assert.deepEqual(
        own.map(idOf),
        batch.filter((one) => one.streamId === streamId).map(({ recordId }) => recordId),
      );
    }
    const second = messages.find((message) => idOf(message) === batch[1]!.recordId)!;
    assert.equal(second.timestampMs, 1000);
    assert.deepEqual(second.value, Buffer.from(batch[1]!.payload));
    assert.deepEqual(second.headers, {
      contentType: 'application/x-protobuf; messageType="sightline.v1.Frame"',
      ...{ kind: 'frame', recordId: 'cam-1/s1/1', streamId: 'cam-1' },
      ...{ schemaVersion: '1', format: 'protobuf' },
    });
  });

  it('writes CloudEvents in binary mode', async (context) => {
    const topic = await newTopic();
    const sink = makeSink(context, { topic, format: 'json', envelope: 'cloudevents' });
    assert.deepEqual(statuses(await sink.deliver([frameRecord(7)], NO_LIMIT)), ['accepted']);
    const [message] = await broker.read(topic, 1);
    assert.equal(message?.headers['ce_id'], 'cam-1/s1/7');
    assert.equal(message?.headers['ce_specversion'], '1.0');
    assert.match(message?.headers['content-type'] ?? '', /^application\/json/);
  });

  for (const compression of ['gzip', 'snappy', 'lz4'] as const) {
    it(`compresses with ${compression}`, async (context) => {
      const topic = await newTopic();
      const sink = makeSink(context, { topic, compression });
      const batch = Array.from({ length: 50 }, (_, seq) => frameRecord(seq));
      const results = await sink.deliver(batch, NO_LIMIT);
      assert.deepEqual(new Set(statuses(results)), new Set(['accepted']));
      const values = (await broker.read(topic, 50)).map(({ value }) => value);
      assert.deepEqual(
        values,
        batch.map(({ payload }) => Buffer.from(payload)),
      );
    });
  }

  it('rejects what is above the limit of the topic, and only that, knowing the limit or not', async (context) => {
    const topic = await newTopic({ 'max.message.bytes': '3000' });
    const kinds = ['frame', 'image'] as const;
    const batch = Array.from({ length: 40 }, (_, seq) =>
      seq % 13 === 5 ? imageRecord(seq, 4000) : frameRecord(seq),
    );
    const expected = batch.map(({ kind }) => (kind === 'image' ? 'rejected' : 'accepted'));
    for (const maxBatchBytes of [undefined, 1024 * 1024]) {
      const limits = maxBatchBytes === undefined ? {} : { maxBatchBytes };
      const sink = makeSink(context, { topic, kinds: [...kinds], ...limits });
      const results = await sink.deliver(batch, NO_LIMIT);
      assert.deepEqual(statuses(results), expected);
      assert.equal(errorCode(results[5]), 'SL_SINK_REJECTED');
    }
    const ids = (await broker.read(topic, 2 * 37)).map(idOf);
    const taken = batch.filter(({ kind }) => kind === 'frame').map(({ recordId }) => recordId);
    assert.deepEqual(ids, [...taken, ...taken]);
  });

  for (const [language, { skip, command }] of Object.entries(LANGUAGES)) {
    it(`is read by the example in ${language}`, { skip }, async (context) => {
      const topic = await newTopic();
      const spec = { topic, framesPerMessage: 3, envelope: 'cloudevents' } as const;
      const batch = [1, 2, 3, 4].map((seq) => frameRecord(seq));
      await makeSink(context, spec).deliver(batch, NO_LIMIT);
      const args = [...command('kafka'), `127.0.0.1:${broker.port}`, topic, '4'];
      const lines = await new ExampleRun(context, args).lines();
      assert.deepEqual(
        lines.map((line) => line.split(' ')[1]),
        batch.map(({ recordId }) => recordId),
      );
    });
  }

  it('can be watched from its end, without a group', async (context) => {
    const topic = await newTopic({}, 2);
    const sink = makeSink(context, { topic });
    await sink.deliver([frameRecord(0)], NO_LIMIT);
    const options = { baseDir: '/', stream: undefined, peekVisibilityS: undefined };
    const { signal } = context;
    const spec = kafkaSpec({ port: broker.port, topic });
    const reading = followKafka(spec, { ...options, signal, tell: () => undefined });
    const watching = reading[Symbol.asyncIterator]();
    const ids: string[] = [];
    const first = watching.next().then(({ value }) => {
      const records = value as readonly { readonly recordId: string }[];
      ids.push(...records.map(({ recordId }) => recordId));
    });
    let seq = 0;
    // It says nowhere when it has found the end.
    await until('it has seen a record', 10_000, async () => {
      await sink.deliver([frameRecord(++seq)], NO_LIMIT);
      return ids.length > 0;
    });
    await first;
    await watching.return?.();
    assert.match(ids[0]!, /^cam-1\/s1\/[1-9]/);
  });

  it('asks again for an unknown topic and for nothing else', async (context) => {
    const known = await newTopic();
    const sink = makeSink(context, { topic: `${known}-{kind}` });
    await broker.createTopic(`${known}-event`);
    const batch = [frameRecord(1), eventRecord(2)];
    const results = await sink.deliver(batch, NO_LIMIT);
    assert.deepEqual(statuses(results), ['retry', 'accepted']);
    assert.equal(errorCode(results[0]), 'SL_SINK_UNAVAILABLE');
    await broker.createTopic(`${known}-frame`);
    await until('the topic is known', 10_000, async () => {
      const [again] = await sink.deliver([batch[0]!], NO_LIMIT);
      return again?.status === 'accepted';
    });
  });

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    it(`refused credentials (${mechanism}) work once they are changed, without a new sink`, async (context) => {
      const dir = mkdtempSync(join(tmpdir(), 'sightline-password-'));
      context.after(() => rmSync(dir, { recursive: true, force: true }));
      const passwordFile = join(dir, 'password');
      writeFileSync(passwordFile, 'wrong-one\n');
      const sasl = { mechanism, username: 'camera', passwordFile };
      const sink = makeSink(context, { topic: await newTopic(), port: broker.saslPort, sasl });
      const error = await failureOf(sink.deliver([frameRecord(1)], NO_LIMIT));
      assert.equal(error.code, 'SL_SINK_UNAUTHORIZED', error.message);
      assert.ok(!error.message.includes('wrong-one'));
      writeFileSync(passwordFile, 'camera-secret\n');
      assert.deepEqual(statuses(await sink.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
    });
  }

  it('speaks TLS and refuses a certificate it cannot check', async (context) => {
    const topic = await newTopic();
    const brokers = [`localhost:${broker.tlsPort}`];
    const tls = { rejectUnauthorized: true, caFile: broker.caFile };
    const trusting = makeSink(context, { topic, brokers, tls });
    assert.deepEqual(statuses(await trusting.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
    const strict = makeSink(context, { topic, brokers, tls: { rejectUnauthorized: true } });
    const error = await failureOf(strict.deliver([frameRecord(1)], NO_LIMIT));
    assert.equal(error.code, 'SL_SINK_UNAVAILABLE');
    assert.match(error.message, /SELF_SIGNED|self-signed/);
  });

  it('a batch whose answer is lost is sent again and stored once', async (context) => {
    const topic = await newTopic();
    const proxy = await TcpProxy.start(broker.proxyPort, () => broker.proxiedPort);
    context.after(() => proxy.close());
    const sink = makeSink(context, { topic, port: broker.proxyPort });
    const batch = Array.from({ length: 200 }, (_, seq) => frameRecord(seq));
    assert.deepEqual(statuses(await sink.deliver(batch.slice(0, 1), NO_LIMIT)), ['accepted']);
    proxy.loseNextAnswer(5000);
    const results = await sink.deliver(batch.slice(1), NO_LIMIT);
    assert.deepEqual(new Set(statuses(results)), new Set(['accepted']));
    assert.equal(proxy.lost, 1);
    assert.deepEqual(
      (await broker.read(topic, 200)).map(idOf),
      batch.map(({ recordId }) => recordId),
    );
  });

  it('ends an attempt when it is told to, and when the broker does not answer', async (context) => {
    const topic = await newTopic();
    const patient = makeSink(context, { topic });
    const sink = makeSink(context, { topic, requestTimeoutMs: 200 });
    await patient.deliver([frameRecord(0)], NO_LIMIT);
    await sink.deliver([frameRecord(0)], NO_LIMIT);
    await broker.freeze();
    context.after(() => broker.thaw());
    const cut = patient.deliver([frameRecord(1)], { signal: AbortSignal.timeout(100) });
    await assert.rejects(cut, { name: 'TimeoutError' });
    // The connection that is open, and then one that cannot be made.
    const [result] = await sink.deliver([frameRecord(1)], NO_LIMIT);
    assert.equal(errorCode(result), 'SL_SINK_TIMEOUT');
    const error = await failureOf(sink.deliver([frameRecord(1)], NO_LIMIT));
    assert.equal(error.code, 'SL_SINK_TIMEOUT', error.message);
  });

  it('loses nothing and keeps the order while the broker freezes, dies and comes back', async (context) => {
    const topic = await newTopic({}, 2);
    const sink = makeSink(context, { topic, requestTimeoutMs: 300, connectTimeoutMs: 300 });
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
        outbox.append(frameRecord(seq, { streamId: streams[seq % streams.length]!, objects: 14 }));
      }
    };
    put(6000);
    await until('some are delivered', 20_000, () => delivery.stats().delivered > 0);
    await broker.freeze();
    put(3000);
    await until('the circuit opens', 20_000, () => delivery.stats().circuit !== 'closed');
    assert.equal(delivery.stats().state, 'backoff');
    broker.thaw();
    await until('delivery goes on', 20_000, () => delivery.stats().circuit === 'closed');
    put(6000);
    await broker.kill();
    await until('the broker is missed', 20_000, () => delivery.stats().state === 'backoff');
    await broker.restart();
    await until('all are delivered', 30_000, () => delivery.stats().pending === 0);
    assertConserved(delivery.stats());
    assert.equal(delivery.stats().delivered, seq);
    await delivery.close();
    const ids = (await broker.readAll(topic)).map((message) => [message.key, idOf(message)]);
    for (const [index, streamId] of streams.entries()) {
      const own = firsts(ids.filter(([key]) => key === streamId).map(([, id]) => id!));
      const expected = Array.from({ length: seq / 3 }, (_, n) => `${streamId}/s1/${3 * n + index}`);
      assert.deepEqual(own, expected);
    }
  });
});
