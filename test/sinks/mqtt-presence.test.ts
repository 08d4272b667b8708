import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { MqttSink } from '../../src/sinks/mqtt/sink.ts';
import { MqttSinkSpec } from '../../src/sinks/mqtt/spec.ts';
import { Mosquitto, Subscriber } from '../support/mosquitto.ts';
import { until } from '../support/wait.ts';
import { eventRecord, frameRecord, NO_LIMIT, withPayload } from './samples.ts';

const STATUS = { topic: 'site/status' };

function makeSink(context: TestContext, spec: object): MqttSink {
  const whole = { id: 'mqtt', type: 'mqtt', connectTimeoutMs: 2000, status: STATUS, ...spec };
  const sink = new MqttSink(checkValue(whole, MqttSinkSpec), { baseDir: '/' });
  context.after(() => sink.close());
  return sink;
}

function last(subscriber: Subscriber, topic: string): Record<string, unknown> | undefined {
  const packet = subscriber.packets.findLast((one) => one.topic === topic);
  return packet && (JSON.parse(String(packet.payload)) as Record<string, unknown>);
}

function stateEvent(type: string, seq: number): ReturnType<typeof eventRecord> {
  return withPayload(eventRecord(seq), Buffer.from(JSON.stringify({ type, streamId: 'cam-1' })));
}

test('mqtt sink tells without any record that it is online, and offline when it closes', async (context) => {
  const broker = await Mosquitto.start(context);
  const sink = makeSink(context, { url: broker.url });
  sink.start?.();
  const early = await Subscriber.open(context, broker.url, 'site/#');
  await until('online', 5000, () => last(early, 'site/status')?.['status'] === 'online');
  await sink.close();
  await until('offline', 5000, () => last(early, 'site/status')?.['status'] === 'offline');
  const late = await Subscriber.open(context, broker.url, 'site/#');
  await until('the retained status', 5000, () => late.packets.length === 1);
  assert.deepEqual(last(late, 'site/status'), { status: 'offline' });
  assert.equal(late.packets[0]?.retain, true);
});

test('the last will says offline for a server that vanishes, and a broker that returns hears online again', async (context) => {
  const broker = await Mosquitto.start(context);
  const subscriber = await Subscriber.open(context, broker.url, 'site/#');
  const sink = makeSink(context, { url: broker.url });
  await sink.deliver([frameRecord(1)], NO_LIMIT);
  await until('online', 5000, () => last(subscriber, 'site/status')?.['status'] === 'online');
  broker.signal('SIGSTOP');
  const [result] = await sink.deliver([frameRecord(2)], { signal: AbortSignal.timeout(1000) });
  assert.equal(result?.status, 'retry');
  broker.signal('SIGCONT');
  await until('the will', 5000, () => last(subscriber, 'site/status')?.['status'] === 'offline');

  sink.start?.();
  await until('online again', 5000, () => last(subscriber, 'site/status')?.['status'] === 'online');
  await broker.kill();
  subscriber.packets.length = 0;
  await broker.start();
  await until('online anew', 8000, () => last(subscriber, 'site/status')?.['status'] === 'online');
});

test('mqtt sink closes in time while its broker is frozen', async (context) => {
  const broker = await Mosquitto.start(context);
  const sink = makeSink(context, { url: broker.url });
  await sink.deliver([frameRecord(1)], NO_LIMIT);
  broker.signal('SIGSTOP');
  const started = performance.now();
  await sink.close();
  assert.ok(performance.now() - started < 6000);
});

test('mqtt sink announces entities for Home Assistant and publishes what changed', async (context) => {
  const broker = await Mosquitto.start(context);
  const subscriber = await Subscriber.open(context, broker.url);
  const sink = makeSink(context, { url: broker.url, homeAssistant: { intervalMs: 100 } });
  await sink.deliver([frameRecord(1, { objects: 3 }), stateEvent('stream.live', 2)], NO_LIMIT);
  const state = (): Record<string, unknown> | undefined =>
    last(subscriber, 'sightline/cam-1/state');
  await until('the state', 5000, () => state() !== undefined);
  assert.deepEqual(state(), {
    ...{ camera: 'online', problem: 'OFF', occupancy: 'ON', objects: 3 },
    classes: { person: 3 },
  });
  const configs = subscriber.packets.filter(({ topic }) => topic.startsWith('homeassistant/'));
  assert.deepEqual(configs.map(({ topic }) => topic).sort(), [
    'homeassistant/binary_sensor/sightline_cam-1_occupancy/config',
    'homeassistant/binary_sensor/sightline_cam-1_problem/config',
    'homeassistant/sensor/sightline_cam-1_class_person/config',
    'homeassistant/sensor/sightline_cam-1_objects/config',
  ]);
  const person = last(subscriber, 'homeassistant/sensor/sightline_cam-1_class_person/config');
  assert.deepEqual(
    [person?.['state_topic'], person?.['unique_id'], person?.['value_template']],
    [
      ...['sightline/cam-1/state', 'sightline_cam-1_class_person'],
      "{{ value_json.classes['person'] | default(0) }}",
    ],
  );
  assert.deepEqual(person?.['availability'], [
    { topic: 'site/status', value_template: '{{ value_json.status }}' },
    { topic: 'sightline/cam-1/state', value_template: '{{ value_json.camera }}' },
  ]);

  await sink.deliver([frameRecord(3, { objects: 0 })], NO_LIMIT);
  await until('nobody is there', 5000, () => state()?.['occupancy'] === 'OFF');
  await sink.deliver([stateEvent('stream.backoff', 4)], NO_LIMIT);
  await until('the problem', 5000, () => state()?.['problem'] === 'ON');
  assert.equal(state()?.['camera'], 'offline');
  const late = await Subscriber.open(context, broker.url);
  await until('all that is retained', 5000, () => late.packets.length >= 6);
  assert.deepEqual(last(late, 'sightline/cam-1/state'), state());
});

test('homeAssistant needs a status topic and a state topic of each stream', () => {
  const make = (spec: object): MqttSink =>
    new MqttSink(
      checkValue({ id: 'm', type: 'mqtt', url: 'mqtt://127.0.0.1', ...spec }, MqttSinkSpec),
      { baseDir: '/' },
    );
  assert.throws(() => make({ homeAssistant: {} }), { code: 'SL_CONFIG_INVALID' });
  assert.throws(() => make({ status: STATUS, homeAssistant: { stateTopic: 'one/for/all' } }), {
    code: 'SL_CONFIG_INVALID',
  });
});
