import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { checkValue } from '../../src/common/check.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { Registry } from '../../src/control/registry.ts';
import { ServerConfig } from '../../src/services/config/server.ts';
import { type DeliveryService, openDelivery } from '../../src/services/delivery/service.ts';
import type { SinkSpec } from '../../src/sinks/specs.ts';
import { frameRecord } from '../sinks/samples.ts';
import { Mosquitto, Subscriber } from '../support/mosquitto.ts';
import { until } from '../support/wait.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-delivery-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A service on `folder`, closed with the test unless `close` was called. */
async function open(
  t: TestContext,
  folder: string,
  config: object = {},
): Promise<DeliveryService & { readonly events: string[] }> {
  const checked = checkValue(
    { dataDir: '.', outbox: { commitIntervalMs: 0 }, ...config },
    ServerConfig,
  );
  const loaded = {
    config: checked,
    ...{ baseDir: folder, dataDir: folder, modelsDir: folder, engineCacheDir: folder },
  };
  const service = await openDelivery(loaded, pino({ level: 'silent' }));
  const events: string[] = [];
  service.tell((type) => events.push(type));
  t.after(() => service.close({ drainMs: 0 }));
  return Object.assign(service, { events });
}

function mqttSpec(url: string, more: object = {}): SinkSpec {
  return {
    id: 'out',
    type: 'mqtt',
    url,
    topic: 'a/{streamId}',
    kinds: ['frame'],
    ...more,
  } as SinkSpec;
}

function code(expected: string) {
  return (error: unknown) => error instanceof SightlineError && error.code === expected;
}

test('a sink of the API is changed while records come, and none passes it by', async (t) => {
  const broker = await Mosquitto.start(t);
  const subscriber = await Subscriber.open(t, broker.url, '#');
  const service = await open(t, folderOf(t));
  const { control } = service;
  const made = await control.putSink(mqttSpec(broker.url), { create: true });
  assert.deepEqual([made.created, made.view.generation, made.view.source], [true, 1, 'api']);
  await assert.rejects(
    control.putSink(mqttSpec(broker.url), { create: true }),
    code('SL_PRECONDITION_FAILED'),
  );

  let sent = 0;
  const send = async (count: number) => {
    for (let end = sent + count; sent < end; ) await service.accept([frameRecord(++sent)]);
  };
  await send(200);
  await until('the first are delivered', 10_000, () => control.sink('out').delivered > 0);
  const change = control.patchSink('out', { topic: 'b/{streamId}' }, { generation: 1 });
  await send(200);
  assert.equal((await change).generation, 2);
  await send(100);
  const done = await until('all are delivered', 10_000, () => {
    const sink = control.sink('out');
    return sink.delivered === 500 && sink;
  });
  assert.equal(done.accepted, 500);
  assert.equal(done.pending, 0);
  const ids = () => new Set(subscriber.recordIds());
  await until('the subscriber has them all', 10_000, () => ids().size === 500);
  assert.deepEqual([...new Set(subscriber.topics())].sort(), ['a/cam-1', 'b/cam-1']);
  assert.deepEqual(service.events, ['sink.added', 'sink.changed']);
  await assert.rejects(
    control.patchSink('out', {}, { generation: 1 }),
    code('SL_PRECONDITION_FAILED'),
  );
});

test('sinks of the API, their secrets and a pause are there again after a restart', async (t) => {
  const folder = folderOf(t);
  const config = { sinks: [{ id: 'fixed', type: 'file', dir: 'out' }] };
  const first = await open(t, folder, config);
  const spec = mqttSpec('mqtt://127.0.0.1:1', { username: 'joe', password: 'hunter22' });
  await first.control.putSink(spec, { create: true });
  await first.control.pauseSink('out');
  await first.control.pauseSink('fixed');
  await first.accept([frameRecord(1)]);
  assert.ok(!JSON.stringify(first.control.sinks()).includes('hunter22'));
  await first.close({ drainMs: 0 });

  const second = await open(t, folder, config);
  const { control } = second;
  const [fixed, out] = [control.sink('fixed'), control.sink('out')];
  assert.deepEqual(
    [fixed.state, fixed.pauseReason, fixed.source],
    ['paused', 'operator', 'config'],
  );
  assert.deepEqual([out.state, out.pending, out.accepted], ['paused', 1, 1]);
  assert.equal((out.spec as { password: string }).password, '***');
  // What was read can be sent back: the mask stands for the secret.
  const again = { ...out.spec, topic: 'c/{streamId}' } as unknown as SinkSpec;
  assert.equal((await control.putSink(again, { generation: 1 })).view.generation, 2);
  await control.resumeSink('fixed');
  await until('the file sink has it', 5_000, () => control.sink('fixed').delivered === 1);
  assert.deepEqual(second.sinkIds(), ['fixed', 'out']);
});

test('secrets of any name are masked, and a mask stands for the secret that is kept', async (t) => {
  const { control } = await open(t, folderOf(t));
  const spec = {
    ...{ id: 'hook', type: 'webhook', url: 'https://hooks.example/in', bearerToken: 'hunter22' },
    headers: { 'X-Api': 'hunter23' },
    signing: { keys: [{ id: 'a', secret: 'hunter24-hunter24' }] },
  } as unknown as SinkSpec;
  const { view } = await control.putSink(spec, { create: true });
  assert.ok(!/hunter/.test(JSON.stringify(view)));
  const again = { ...view.spec, required: false } as unknown as SinkSpec;
  await control.putSink(again, { generation: 1 });
  const moved = { ...view.spec, id: 'other' } as unknown as SinkSpec;
  await assert.rejects(control.putSink(moved, { create: true }), code('SL_SPEC_INVALID'));
});

test('what waits for a sink that is removed stays until it is forgotten or the sink is back', async (t) => {
  const broker = await Mosquitto.prepare(t);
  const { control, accept, events } = await open(t, folderOf(t));
  await control.putSink(mqttSpec(broker.url), { create: true });
  await accept([frameRecord(1), frameRecord(2)]);
  await until('they wait', 5_000, () => control.sink('out').pending === 2);
  await control.removeSink('out', {});
  const left = control.sink('out');
  assert.deepEqual([left.state, left.source, left.pending], ['orphaned', 'gone', 2]);
  await accept([frameRecord(3)]);
  assert.equal(control.sink('out').accepted, 2);

  await broker.start();
  await control.putSink(mqttSpec(broker.url), { create: true });
  await until('the backlog arrives', 10_000, () => control.sink('out').delivered === 2);
  await assert.rejects(control.forgetSink('out'), code('SL_CONFLICT'));
  await broker.stop();
  await accept([frameRecord(4)]);
  await control.removeSink('out', {});
  await control.forgetSink('out');
  assert.throws(() => control.sink('out'), code('SL_NOT_FOUND'));
  assert.ok(events.includes('sink.forgotten'));
});

test('a kept sink that cannot be made any more keeps its backlog, and is mended or removed', async (t) => {
  const folder = folderOf(t);
  const first = await open(t, folder);
  await first.control.putSink(mqttSpec('mqtt://127.0.0.1:1'), { create: true });
  await first.accept([frameRecord(1)]);
  await first.close({ drainMs: 0 });
  const registry = new Registry(folder);
  const [kept] = registry.sinks();
  registry.putSink({ ...kept!, spec: { ...kept!.spec, topic: 'a/{nobody}' } });
  registry.putSink({ ...kept!, id: 'gone', spec: { id: 'gone', type: 'telex' } });
  registry.close();

  const { control } = await open(t, folder);
  const broken = control.sink('out');
  assert.deepEqual([broken.state, broken.lastError?.code], ['invalid', 'SL_SPEC_INVALID']);
  assert.equal(broken.pending, 1);
  await control.removeSink('gone', {});
  assert.throws(() => control.sink('gone'), code('SL_NOT_FOUND'));
  const broker = await Mosquitto.start(t);
  await control.putSink(mqttSpec(broker.url), { generation: 1 });
  await until('the backlog arrives', 10_000, () => control.sink('out').delivered === 1);
});

test('what the API may not ask for is refused, and changes nothing', async (t) => {
  const folder = folderOf(t);
  const config = { sinks: [{ id: 'fixed', type: 'file', dir: 'out' }] };
  const { control } = await open(t, folder, config);
  const file = { id: 'x', type: 'file', dir: '/etc' } as unknown as SinkSpec;
  await assert.rejects(control.putSink(file, { create: true }), code('SL_SPEC_INVALID'));
  const keys = mqttSpec('mqtts://127.0.0.1:1', { tls: { keyFile: '/etc/shadow' } });
  await assert.rejects(control.putSink(keys, { create: true }), code('SL_SPEC_INVALID'));
  const wildcard = mqttSpec('mqtt://127.0.0.1:1', { topic: 'a/{nobody}' });
  await assert.rejects(control.putSink(wildcard, { create: true }), code('SL_SPEC_INVALID'));
  await assert.rejects(control.patchSink('fixed', { dir: 'b' }, {}), code('SL_CONFLICT'));
  await assert.rejects(control.removeSink('fixed', {}), code('SL_CONFLICT'));
  await assert.rejects(control.removeSink('none', {}), code('SL_NOT_FOUND'));
  assert.deepEqual(
    control.sinks().map(({ id }) => id),
    ['fixed'],
  );
});

test('dead letters are looked at, sent again once their cause is gone, and thrown away', async (t) => {
  const broker = await Mosquitto.start(t, ['max_packet_size 600']);
  const folder = folderOf(t);
  const service = await open(t, folder);
  const { control, accept } = service;
  await control.putSink(mqttSpec(broker.url), { create: true });
  const records = [1, 2, 3].map((seq) => frameRecord(seq, { objects: 20 }));
  assert.ok(records.every(({ payload }) => payload.byteLength > 600));
  await accept([...records, frameRecord(4, { objects: 1 })]);
  await until('three are dead', 10_000, () => control.sink('out').deadLettered === 3);
  await until('it is told', 5_000, () => service.events.includes('deadletter.added'));

  const page = await control.deadLetters({ sinkId: 'out', limit: 2 });
  assert.deepEqual(
    page.map(({ recordId }) => recordId),
    ['cam-1/s1/3', 'cam-1/s1/2'],
  );
  const rest = await control.deadLetters({ beforeId: Number(page[1]!.id), limit: 2 });
  assert.deepEqual(
    rest.map(({ recordId }) => recordId),
    ['cam-1/s1/1'],
  );
  const whole = await control.deadLetter(page[0]!.id);
  assert.equal(whole.reason.code, 'SL_SINK_REJECTED');
  assert.equal((whole.payload!.frame as { objects: unknown[] }).objects.length, 20);
  assert.equal((await control.purgeDeadLetters({ ids: [page[0]!.id] })).purged, 1);
  await assert.rejects(control.deadLetter(page[0]!.id), code('SL_NOT_FOUND'));
  await assert.rejects(control.deadLetter('x'), code('SL_NOT_FOUND'));

  await broker.stop();
  const roomy = await Mosquitto.start(t);
  await control.patchSink('out', { url: roomy.url }, {});
  assert.deepEqual(await control.retryDeadLetters({ sinkId: 'out' }), { retried: 2, kept: 0 });
  const sink = await until('they are delivered', 10_000, () => {
    const now = control.sink('out');
    return now.delivered === 3 && now;
  });
  // A letter that is sent again is accepted again: the sum holds.
  assert.deepEqual([sink.accepted, sink.deadLettered, sink.pending], [6, 3, 0]);
  assert.deepEqual(await control.deadLetters({ limit: 10 }), []);
});
