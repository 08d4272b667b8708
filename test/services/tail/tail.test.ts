import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkValue } from '../../../src/common/check.ts';
import type { Sink } from '../../../src/common/delivery.ts';
import { bindingOf } from '../../../src/services/tail/amqp.ts';
import { topicsOf } from '../../../src/services/tail/kafka.ts';
import { topicFilter } from '../../../src/services/tail/mqtt.ts';
import { type TailFlags, tail } from '../../../src/services/tail/tail.ts';
import { recordLine } from '../../../src/services/tail/text.ts';
import { createSink } from '../../../src/sinks/registry.ts';
import { SinkSpec } from '../../../src/sinks/specs.ts';
import { TestAws } from '../../sinks/aws-proxy.ts';
import { frameRecord, imageRecord, NO_LIMIT, statuses } from '../../sinks/samples.ts';
import { Mosquitto } from '../../support/mosquitto.ts';
import { until } from '../../support/wait.ts';

interface Watched {
  readonly sink: Sink;
  readonly printed: string[];
  readonly told: string[];
  readonly start: (flags?: Partial<TailFlags>) => Promise<void>;
}

/** A sink of a configuration, and `tail` on it. */
async function watch(context: TestContext, spec: object): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-tail-'));
  const config = join(folder, 'server.yaml');
  const sinkSpec = { id: 'watched', ...spec };
  await writeFile(config, JSON.stringify({ dataDir: './data', sinks: [sinkSpec] }));
  const sink = await createSink(checkValue(sinkSpec, SinkSpec), { baseDir: folder });
  const end = new AbortController();
  const printed: string[] = [];
  const told: string[] = [];
  context.after(async () => {
    end.abort();
    await sink.close();
    await rm(folder, { recursive: true, force: true });
  });
  const print = (line: string): void => void printed.push(line);
  const tell = (line: string): void => void told.push(line);
  return {
    ...{ sink, printed, told },
    start: (flags = {}) =>
      tail({ sink: 'watched', config, ...flags }, { signal: end.signal, print, tell }),
  };
}

async function send(
  { sink }: Watched,
  ...records: ReturnType<typeof frameRecord>[]
): Promise<void> {
  const results = await sink.deliver(records, NO_LIMIT);
  assert.deepEqual(new Set(statuses(results)), new Set(['accepted']));
}

test('tail shows what is published by MQTT from now on, of one stream', async (context) => {
  const broker = await Mosquitto.start(context);
  const watched = await watch(context, { type: 'mqtt', url: broker.url, framesPerMessage: 5 });
  const running = watched.start({ stream: 'cam-1', count: 2 });
  await until('it has subscribed', 10_000, () => watched.told.length > 0);
  await send(
    watched,
    frameRecord(1),
    frameRecord(2, { streamId: 'cam-2' }),
    frameRecord(3, { objects: 20 }),
  );
  await running;
  assert.deepEqual(watched.printed, [
    '2026-01-31T13:00:00.033Z cam-1 frame 2 objects: person#1 88%, person#2 88%',
    `2026-01-31T13:00:00.099Z cam-1 frame 20 objects: ${[1, 2, 3, 4, 5, 6, 7, 8].map((id) => `person#${id} 88%`).join(', ')}, and 12 more`,
  ]);
});

test('tail follows files that grow and files that are new', async (context) => {
  for (const formats of [['ndjson', 'protobuf'], ['protobuf']]) {
    const watched = await watch(context, { type: 'file', dir: 'out', formats });
    await send(watched, frameRecord(1));
    const running = watched.start({ count: 3, json: true });
    await until('it follows', 10_000, () => watched.told.length > 0);
    await send(watched, frameRecord(2), frameRecord(3, { streamId: 'cam-2' }));
    await send(watched, frameRecord(4));
    await running;
    const ids = watched.printed.map((line) => (JSON.parse(line) as { recordId: string }).recordId);
    assert.deepEqual(ids.sort(), ['cam-1/s1/2', 'cam-1/s1/4', 'cam-2/s1/3']);
  }
});

test('tail peeks at a queue only when told how long, and deletes nothing', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue('frames');
  const watched = await watch(context, { type: 'sqs', queue: 'frames', ...aws.client });
  await send(watched, frameRecord(1), frameRecord(2));
  await assert.rejects(watched.start(), { code: 'SL_REQUEST_INVALID', message: /--peek-vis/ });
  await watched.start({ peekVisibility: 0, count: 2 });
  assert.equal(watched.printed.length, 2);
  const { ready, inflight } = aws.server.inspectQueue('frames')!.messages;
  assert.equal(ready.length + inflight.length, 2);
  assert.equal(aws.actions('DeleteMessage').length, 0);
});

test('tail says why a destination cannot be read, and which sinks there are', async (context) => {
  const watched = await watch(context, { type: 's3', bucket: 'pictures' });
  await assert.rejects(watched.start(), { code: 'SL_REQUEST_INVALID', message: /aws s3 ls/ });
  await assert.rejects(watched.start({ sink: 'other' }), {
    code: 'SL_NOT_FOUND',
    message: /its sinks are watched/,
  });
  const away = await watch(context, { type: 'mqtt', url: 'mqtt://127.0.0.1:1' });
  await assert.rejects(away.start(), { code: 'SL_SINK_UNAVAILABLE', message: /ECONNREFUSED/ });
});

test('names with placeholders become what the transport can be asked for', () => {
  assert.equal(topicFilter('site/{streamId}/{kind}s/x'), 'site/+/+/x');
  const amqp = { id: 'a', exchange: 'amq.topic', routingKey: 'x.{kind}s.{streamId}' };
  assert.deepEqual(bindingOf(amqp), { exchange: 'amq.topic', bindingKey: 'x.*.*' });
  assert.throws(() => bindingOf({ ...amqp, exchange: '' }), { code: 'SL_REQUEST_INVALID' });
  const spec = { id: 'k', topic: 'cam.{streamId}.{kind}s', kinds: ['frame', 'event'] as const };
  const kafka = { ...spec, kinds: [...spec.kinds] };
  assert.deepEqual(topicsOf(kafka, 'a'), ['cam.a.frames', 'cam.a.events']);
  assert.throws(() => topicsOf(kafka, undefined), {
    code: 'SL_REQUEST_INVALID',
    message: /--stream/,
  });
});

test('a line tells of pictures and events, too', () => {
  const { recordId, streamId } = imageRecord(1);
  const ids = { recordId, streamId };
  const event = { id: 7, type: 'stream.away', time: 't', streamId, reason: 'dark' };
  assert.equal(
    recordLine({ kind: 'event', ...ids, event }),
    't cam-1 event stream.away {"reason":"dark"}',
  );
  const picture = { ref: 'a.jpg', contentType: 'image/jpeg', width: 1, height: 1 };
  assert.equal(
    recordLine({
      kind: 'image',
      ...ids,
      ...picture,
      bytes: Uint8Array.of(),
      data: new Uint8Array(3),
    }),
    'cam-1 image a.jpg 3 bytes',
  );
});
