import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFauxqs } from 'fauxqs';
import { checkValue } from '../../../src/common/check.ts';
import { Delivery } from '../../../src/outbox/delivery.ts';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { MqttSink } from '../../../src/sinks/mqtt/sink.ts';
import { MqttSinkSpec } from '../../../src/sinks/mqtt/spec.ts';
import { SqsSink } from '../../../src/sinks/sqs/sink.ts';
import { SqsSinkSpec } from '../../../src/sinks/sqs/spec.ts';
import { frameRecord } from '../../sinks/samples.ts';
import { freePort } from '../../support/config.ts';
import { Mosquitto } from '../../support/mosquitto.ts';
import { metricsOf } from '../../support/outbox-metrics.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/wait.ts';

// Runs with a hosts file of its own. Two sinks know their servers by one name, whose address is first that of one set of
// relays, then none, then that of another. Prints what each sink said meanwhile and when it had delivered again, in ms.

const [hosts, dir] = process.argv.slice(2) as [string, string];
const NAME = 'delivery.sightline.test';
const ROUND = 20;
const LIMIT_MS = 40_000;

function nameIsAt(address?: string): void {
  const line = address === undefined ? '' : `${address} ${NAME}\n`;
  writeFileSync(hosts, `127.0.0.1 localhost\n${line}`);
}

const work: (() => unknown)[] = [];
const context = { after: (end: () => unknown) => work.push(end) };
const broker = await Mosquitto.start(context);
const queues = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
context.after(() => queues.stop());
queues.createQueue('frames');
const ports = [await freePort(), await freePort()] as const;
const relaysAt = (host: string): Promise<TcpProxy[]> =>
  Promise.all([
    TcpProxy.start(ports[0], () => broker.port, host),
    TcpProxy.start(ports[1], () => queues.port, host),
  ]);

nameIsAt('127.0.0.1');
const before = await relaysAt('127.0.0.1');
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const kinds = ['frame'];
const sinks = [
  new MqttSink(
    checkValue(
      { id: 'mqtt', type: 'mqtt', url: `mqtt://${NAME}:${ports[0]}`, kinds },
      MqttSinkSpec,
    ),
    { baseDir: dir },
  ),
  new SqsSink(
    checkValue(
      {
        ...{ id: 'sqs', type: 'sqs', queue: 'frames', kinds, region: 'us-east-1', credentials },
        endpoint: `http://${NAME}:${ports[1]}`,
      },
      SqsSinkSpec,
    ),
  ),
];
const outbox = await Outbox.open({ dir: join(dir, 'outbox'), sinks, limits: { ballastBytes: 0 } });
context.after(() => outbox.close());
const deliveries = sinks.map((sink) => new Delivery({ outbox, sink }));
for (const delivery of deliveries) {
  context.after(() => delivery.close({ drainMs: 0 }));
  delivery.start();
}
let next = 0;
const feed = (): void => {
  for (const last = next + ROUND; next < last; next++) assert.ok(outbox.append(frameRecord(next)));
};
const delivered = (delivery: Delivery): boolean => delivery.stats().delivered === next;

feed();
await until('all are delivered', LIMIT_MS, () => deliveries.every(delivered));
for (const relay of before) relay.close();
nameIsAt(undefined);
feed();
await until('both notice that the name is gone', LIMIT_MS, () =>
  deliveries.every((delivery) => delivery.stats().lastError?.message.includes('EAI_AGAIN')),
);
const lost = deliveries.map((delivery) => delivery.stats().lastError?.code);
const after = await relaysAt('127.0.0.2');
context.after(() => {
  for (const relay of after) relay.close();
});
nameIsAt('127.0.0.2');
const movedAt = performance.now();
const found = await Promise.all(
  deliveries.map(async (delivery) => {
    await until(`${delivery.stats().id} is delivered`, LIMIT_MS, () => delivered(delivery));
    return performance.now() - movedAt;
  }),
);
const metrics = await metricsOf(outbox, deliveries);
for (const { id } of sinks) {
  const retries = metrics('outbox_retries_total', { sink: id, class: 'SL_SINK_UNAVAILABLE' });
  assert.ok(retries > 0, `${id}: the outage is told`);
  assert.equal(metrics('outbox_records_delivered_total', { sink: id }), next);
}
const report = sinks.map(({ id }, index) => [
  id,
  { lost: lost[index], foundMs: Math.round(found[index]!) },
]);
process.stdout.write(JSON.stringify(Object.fromEntries(report)));
for (const end of work.reverse()) await end();
process.exit(0);
