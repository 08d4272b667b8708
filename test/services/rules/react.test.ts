import assert from 'node:assert/strict';
import { test } from 'node:test';
import mqtt from 'mqtt';
import type { RuleEvent } from '../../../src/api/schemas.ts';
import { fromHttp } from '../../../src/consumer/index.ts';
import { withEpoch } from '../../../src/metadata/epoch.ts';
import { frameRecord } from '../../sinks/samples.ts';
import { HttpReceiver } from '../../support/http-receiver.ts';
import { Mosquitto } from '../../support/mosquitto.ts';
import { scrape, total } from '../../support/scrape.ts';
import { TestServer, temporaryFolder } from '../../support/server.ts';
import { until } from '../../support/wait.ts';
import { PERSON } from './support.ts';

const LIMIT_MS = 20_000;

test('sightline react: frames of a broker become events at a sink, in the API and in the metrics', async (context) => {
  const broker = await Mosquitto.prepare(context);
  await broker.start();
  const receiver = await HttpReceiver.start(context);
  await using folder = await temporaryFolder();
  await using server = await TestServer.start(
    folder.path,
    {
      dataDir: `${folder.path}/data`,
      http: { port: 0 },
      egress: { allow: ['127.0.0.1/32'] },
      inputs: [{ id: 'frames', type: 'mqtt', url: broker.url }],
      rules: [{ ...PERSON, cooldownMs: 60_000 }],
      sinks: [{ id: 'hook', type: 'webhook', url: `http://127.0.0.1:${receiver.port}/` }],
    },
    {},
    'react',
  );
  await until('it reads', LIMIT_MS, () => server.logs.some(({ msg }) => msg === 'input.connected'));
  const client = await mqtt.connectAsync(broker.url);
  context.after(() => client.endAsync(true));
  const now = Date.now();
  const send = (seq: number, epoch: number, objects: number) => {
    const { payload } = frameRecord(seq, { atMs: now + seq * 1_000, objects });
    const bytes = Buffer.from(withEpoch('frame', payload, epoch));
    return client.publishAsync('sightline/cam-1/frames', bytes, { qos: 1 });
  };
  await send(1, 2, 1);
  await send(2, 2, 0);
  // Somebody comes again within the cool-down.
  await send(3, 2, 1);
  // The camera's former owner, stopped for a while, goes on.
  await send(9, 1, 0);
  await client.publishAsync('sightline/cam-1/frames', 'no frame', { qos: 1 });

  const [event] = await until('the event is stored', LIMIT_MS, async () => {
    const { items } = await server.json<{ items: RuleEvent[] }>('/v1/rule-events');
    return items.length > 0 && items;
  });
  assert.equal(event!.rule, 'person');
  assert.equal(event!.streamId, 'cam-1');
  const posted = await until('and posted', LIMIT_MS, () =>
    receiver.requests
      .flatMap(({ body, headers }) => fromHttp(body, headers))
      .find((record) => record.kind === 'event' && record.event.type === 'rule.fired'),
  );
  assert.equal(posted.recordId, `event/${event!.id}`);

  const samples = await until('all is counted', LIMIT_MS, async () => {
    const found = await scrape(server);
    return total(found, 'sightline_rules_records_total', { result: 'unreadable' }) > 0 && found;
  });
  const records = (result: string) => total(samples, 'sightline_rules_records_total', { result });
  assert.deepEqual(['used', 'late', 'unusable', 'stale'].map(records), [3, 0, 0, 1]);
  const of = (name: string) => total(samples, `sightline_rules_${name}_total`, { rule: 'person' });
  assert.deepEqual(['events', 'suppressed', 'errors'].map(of), [1, 1, 0]);
  assert.equal(total(samples, 'sightline_rules_events_waiting'), 0);
  // The frame says that it was captured three seconds after the test began.
  const lag = total(samples, 'sightline_rules_lag_seconds');
  assert.ok(lag > -3.1 && lag < LIMIT_MS / 1000, `${lag} s`);
});
