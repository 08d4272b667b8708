import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { MqttSink } from '../../src/sinks/mqtt/sink.ts';
import { MqttSinkSpec } from '../../src/sinks/mqtt/spec.ts';
import { eventRecord, frameRecord } from '../sinks/samples.ts';
import { Mosquitto, Subscriber } from '../support/mosquitto.ts';
import { metricsOf } from '../support/outbox-metrics.ts';
import { assertConserved, openOutbox, temporaryDir, until } from './helpers.ts';

test('F15: a broker that refuses the password pauses the sink until it takes it; frames and events arrive in order', async (context) => {
  const dir = temporaryDir(context);
  const file = join(dir, 'passwords');
  const setPassword = (user: string, password: string): void => {
    const create = user === 'reader' ? ['-c'] : [];
    const { status, stderr } = spawnSync('mosquitto_passwd', [
      '-b',
      ...create,
      file,
      user,
      password,
    ]);
    assert.equal(status, 0, String(stderr));
  };
  setPassword('reader', 'r');
  setPassword('camera', 'of yesterday');
  const lines = ['allow_anonymous false', `password_file ${file}`];
  const broker = await Mosquitto.start(context, lines);
  const subscriber = await Subscriber.open(
    context,
    broker.url.replace('//', '//reader:r@'),
    'sightline/#',
  );
  const spec = {
    ...{ id: 'mqtt', type: 'mqtt', url: broker.url, kinds: ['frame', 'event'] },
    ...{ username: 'camera', password: 'of today' },
  };
  const sink = new MqttSink(checkValue(spec, MqttSinkSpec), { baseDir: dir });
  const outbox = await openOutbox(context, { dir: join(dir, 'outbox'), sinks: [sink] });
  const backoff = { baseMs: 20, capMs: 100 };
  const delivery = new Delivery({ outbox, sink, backoff, authProbeMs: 100 });
  context.after(() => delivery.close({ drainMs: 0 }));
  delivery.start();
  const records = Array.from({ length: 60 }, (_, seq) =>
    seq % 3 === 0 ? eventRecord(seq) : frameRecord(seq),
  );
  for (const record of records) assert.ok(outbox.append(record));
  await until(() => delivery.stats().state === 'paused', 'the refused password is noticed');
  const { pauseReason, lastError, pending } = delivery.stats();
  assert.deepEqual([pauseReason, lastError?.code], ['credentials', 'SL_SINK_UNAUTHORIZED']);
  assert.equal(pending, records.length);
  const metrics = await metricsOf(outbox, [delivery]);
  assert.ok(metrics('outbox_retries_total', { sink: 'mqtt', class: 'SL_SINK_UNAUTHORIZED' }) > 0);
  assert.equal(JSON.stringify(delivery.stats()).includes('of today'), false, 'no secret is shown');

  setPassword('camera', 'of today');
  broker.signal('SIGHUP');
  await until(() => delivery.stats().pending === 0, 'everything is delivered');
  const { delivered, deadLettered } = delivery.stats();
  assert.deepEqual([delivered, deadLettered], [records.length, 0]);
  assertConserved(outbox.countsOf('mqtt'));
  await until(() => subscriber.packets.length >= records.length, 'the subscriber has them');
  const arrived = subscriber.recordIds();
  for (const kind of ['frame', 'event']) {
    const ids = records.filter((record) => record.kind === kind).map(({ recordId }) => recordId);
    assert.deepEqual(
      arrived.filter((id) => ids.includes(id)),
      ids,
      `the order of ${kind}s`,
    );
  }
});
