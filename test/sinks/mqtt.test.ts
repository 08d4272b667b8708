import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import type { SightlineError } from '../../src/common/errors.ts';
import { startDemoMqtt } from '../../src/services/demo-mqtt.ts';
import { TopicTemplate } from '../../src/sinks/format/template.ts';
import { MqttSink } from '../../src/sinks/mqtt/sink.ts';
import { MqttSinkSpec } from '../../src/sinks/mqtt/spec.ts';
import { makeCertificates } from '../support/certificates.ts';
import { freePort } from '../support/config.ts';
import { Mosquitto, Subscriber } from '../support/mosquitto.ts';
import { until } from '../support/wait.ts';
import {
  eventRecord,
  frameRecord,
  imageRecord,
  NO_LIMIT,
  statuses,
  withPayload,
} from './samples.ts';

function makeSink(context: TestContext, spec: Partial<MqttSinkSpec> & { url: string }): MqttSink {
  const whole = { id: 'mqtt', type: 'mqtt', connectTimeoutMs: 2000, ...spec };
  const sink = new MqttSink(checkValue(whole, MqttSinkSpec), { baseDir: '/' });
  context.after(() => sink.close());
  return sink;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it did not throw'),
    (thrown: SightlineError) => thrown,
  );
  return error.code;
}

async function listen(context: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

test('mqtt sink publishes in order with QoS 1, content type and ids (MQTT 5, protobuf)', async (context) => {
  const broker = await Mosquitto.start(context);
  const subscriber = await Subscriber.open(context, broker.url);
  const sink = makeSink(context, { url: broker.url });
  const batch = Array.from({ length: 300 }, (_, seq) => frameRecord(seq));
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
  await until('all messages', 5000, () => subscriber.packets.length >= 300);
  const [first] = subscriber.packets;
  assert.equal(first?.topic, 'sightline/cam-1/frames');
  assert.equal(first?.qos, 1);
  assert.deepEqual(first?.payload, Buffer.from(batch[0]!.payload));
  assert.equal(
    first?.properties?.contentType,
    'application/x-protobuf; messageType="sightline.v1.Frame"',
  );
  assert.deepEqual(
    { ...(first?.properties?.userProperties as object) },
    {
      ...{ recordId: 'cam-1/s1/0', streamId: 'cam-1', kind: 'frame' },
      ...{ schemaVersion: '1', format: 'protobuf' },
    },
  );
  assert.deepEqual(
    subscriber.recordIds(),
    batch.map(({ recordId }) => recordId),
  );
});

test('mqtt sink publishes JSON, and to a broker that speaks 3.1.1 alone', async (context) => {
  const port = await freePort();
  const broker = await startDemoMqtt(port);
  context.after(() => broker[Symbol.asyncDispose]());
  const url = `mqtt://127.0.0.1:${port}`;
  const subscriber = await Subscriber.open(context, url, 'sightline/#', { protocolVersion: 4 });
  const sink = makeSink(context, { url, protocolVersion: 4, format: 'json' });
  const results = await sink.deliver([frameRecord(1), eventRecord(2)], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'accepted']);
  await until('both messages', 5000, () => subscriber.packets.length === 2);
  assert.deepEqual(subscriber.topics(), ['sightline/cam-1/frames', 'sightline/cam-1/events']);
  const frame = JSON.parse(String(subscriber.packets[0]?.payload)) as { recordId: string };
  assert.equal(frame.recordId, 'cam-1/s1/1');
});

test('mqtt sink rejects records the broker or the format cannot take, and only those', async (context) => {
  const broker = await Mosquitto.start(context, ['max_packet_size 2000']);
  const sink = makeSink(context, {
    url: broker.url,
    format: 'json',
    kinds: ['frame', 'image', 'event'],
  });
  const batch = [
    eventRecord(1),
    imageRecord(2, 5000),
    withPayload(frameRecord(3), Buffer.from([0x0a, 0xff])),
    eventRecord(4),
  ];
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected', 'rejected', 'accepted']);
});

test('mqtt sink tells an absent broker, wrong credentials and a silent one apart', async (context) => {
  const port = await freePort();
  const absent = makeSink(context, { url: `mqtt://127.0.0.1:${port}` });
  assert.equal(await codeOf(absent.deliver([frameRecord(1)], NO_LIMIT)), 'SL_SINK_UNAVAILABLE');

  const broker = await Mosquitto.start(context, ['allow_anonymous false']);
  for (const protocolVersion of [4, 5] as const) {
    const credentials = { username: 'u', password: 'wrong' };
    const sink = makeSink(context, { url: broker.url, protocolVersion, ...credentials });
    assert.equal(await codeOf(sink.deliver([frameRecord(1)], NO_LIMIT)), 'SL_SINK_UNAUTHORIZED');
  }

  const silent = await listen(context, (socket) => socket.resume());
  const url = `mqtt://127.0.0.1:${silent}`;
  const waiting = makeSink(context, { url, connectTimeoutMs: 300 });
  assert.equal(await codeOf(waiting.deliver([frameRecord(1)], NO_LIMIT)), 'SL_SINK_UNAVAILABLE');
  const cut = new AbortController();
  const pending = makeSink(context, { url }).deliver([frameRecord(1)], { signal: cut.signal });
  cut.abort(new Error('cut by the test'));
  await assert.rejects(pending, /cut by the test/);
});

test('mqtt sink asks for unacknowledged records again when the connection breaks', async (context) => {
  const broker = await Mosquitto.start(context);
  const sink = makeSink(context, { url: broker.url, maxInFlight: 4 });
  await sink.deliver([frameRecord(0)], NO_LIMIT);
  broker.signal('SIGSTOP');
  const batch = Array.from({ length: 20 }, (_, seq) => frameRecord(seq + 1));
  const delivery = sink.deliver(batch, NO_LIMIT);
  await broker.stop();
  const results = await delivery;
  assert.ok(results.some(({ status }) => status === 'retry'));
  await broker.start();
  const again = batch.filter((_, index) => results[index]?.status === 'retry');
  assert.deepEqual(new Set(statuses(await sink.deliver(again, NO_LIMIT))), new Set(['accepted']));
});

test('mqtt sink speaks TLS, shows its certificate, and refuses one it cannot check', async (context) => {
  const { ca, server, client } = makeCertificates(context);
  const broker = await Mosquitto.start(context, [
    ...[`cafile ${ca}`, `certfile ${server.cert}`, `keyfile ${server.key}`],
    ...['require_certificate true', 'use_identity_as_username true'],
  ]);
  const url = broker.url.replace('mqtt:', 'mqtts:');
  const mine = { certFile: client.cert, keyFile: client.key, rejectUnauthorized: true };
  const trusting = makeSink(context, { url, tls: { ...mine, caFile: ca } });
  assert.deepEqual(statuses(await trusting.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
  const anonymous = makeSink(context, { url, tls: { caFile: ca, rejectUnauthorized: true } });
  const strict = makeSink(context, { url, tls: mine });
  const lost = makeSink(context, { url, tls: { ...mine, caFile: '/nowhere/ca.pem' } });
  for (const sink of [anonymous, strict, lost]) {
    assert.equal(await codeOf(sink.deliver([frameRecord(1)], NO_LIMIT)), 'SL_SINK_UNAVAILABLE');
  }
});

test('mqtt sink sends events with QoS 2, retained and with an expiry where asked to', async (context) => {
  const broker = await Mosquitto.start(context);
  const subscriber = await Subscriber.open(context, broker.url, '#', { qos: 2 });
  const sink = makeSink(context, {
    ...{ url: broker.url, eventQos: 2, retain: ['event'], messageExpiryS: 60 },
  });
  const batch = Array.from({ length: 50 }, (_, seq) =>
    seq % 2 === 0 ? eventRecord(seq) : frameRecord(seq),
  );
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
  await until('all messages', 5000, () => subscriber.packets.length >= 50);
  const qosOf = (kind: string): unknown[] => [
    ...new Set(subscriber.packets.filter(({ topic }) => topic.endsWith(kind)).map((p) => p.qos)),
  ];
  assert.deepEqual([qosOf('events'), qosOf('frames')], [[2], [1]]);
  const late = await Subscriber.open(context, broker.url);
  await until('the retained event', 5000, () => late.packets.length > 0);
  const [retained] = late.packets;
  assert.deepEqual([late.packets.length, retained?.topic], [1, 'sightline/cam-1/events']);
  assert.equal(retained?.retain, true);
  assert.equal(late.recordIds()[0], 'cam-1/events/48');
  const expiry = retained?.properties?.messageExpiryInterval ?? 0;
  assert.ok(expiry > 0 && expiry <= 60, String(expiry));
});

test('mqtt sink sends several frames as one message, with the attributes of CloudEvents as properties', async (context) => {
  const broker = await Mosquitto.start(context);
  const subscriber = await Subscriber.open(context, broker.url);
  const sink = makeSink(context, {
    ...{ url: broker.url, format: 'json', envelope: 'cloudevents', framesPerMessage: 10 },
  });
  const batch = Array.from({ length: 25 }, (_, seq) => frameRecord(seq));
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
  await until('three messages', 5000, () => subscriber.packets.length === 3);
  const [first] = subscriber.packets;
  const properties = { ...first?.properties?.userProperties } as Record<string, string>;
  assert.deepEqual([properties['specversion'], properties['frames']], ['1.0', '10']);
  assert.equal(properties['id'], properties['recordId']);
  assert.equal(first?.properties?.payloadFormatIndicator, true);
});

test('mqtt sink keeps to the number of open messages the broker takes', async (context) => {
  const broker = await Mosquitto.start(context, ['max_inflight_messages 3']);
  const subscriber = await Subscriber.open(context, broker.url);
  const sink = makeSink(context, { url: broker.url, maxInFlight: 1000, qos: 2 });
  const batch = Array.from({ length: 400 }, (_, seq) => frameRecord(seq));
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
  await until('all messages', 5000, () => subscriber.packets.length >= 400);
  assert.deepEqual(
    subscriber.recordIds(),
    batch.map(({ recordId }) => recordId),
  );
});

test('mqtt sink gives up on a frozen broker in time, and goes on when it thaws', async (context) => {
  const broker = await Mosquitto.start(context);
  const sink = makeSink(context, { url: broker.url });
  await sink.deliver([frameRecord(0)], NO_LIMIT);
  broker.signal('SIGSTOP');
  const batch = [frameRecord(1), frameRecord(2)];
  const results = await sink.deliver(batch, { signal: AbortSignal.timeout(300) });
  assert.deepEqual(statuses(results), ['retry', 'retry']);
  broker.signal('SIGCONT');
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
});

test('a limit of its own keeps a broker of 3.1.1 from being asked again and again for what it cannot take', async (context) => {
  const broker = await Mosquitto.start(context);
  const sink = makeSink(context, {
    ...{ url: broker.url, protocolVersion: 4, maxPacketBytes: 2000, kinds: ['frame', 'image'] },
  });
  const results = await sink.deliver([frameRecord(1), imageRecord(2, 5000)], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected']);
});

test('topic template escapes what means something to MQTT', () => {
  const topic = new TopicTemplate('site/{streamId}/{kind}s');
  assert.equal(
    topic.fill({ streamId: 'a+b#c/d%\0', kind: 'frame' }),
    'site/a%2Bb%23c%2Fd%25%00/frames',
  );
  assert.throws(() => new TopicTemplate('a/{camera}'), { code: 'SL_CONFIG_INVALID' });
  assert.throws(() => new TopicTemplate('a/#'), { code: 'SL_CONFIG_INVALID' });
  assert.throws(() => topic.fill({ streamId: 'x'.repeat(70_000), kind: 'frame' }), {
    code: 'SL_SINK_REJECTED',
  });
});
