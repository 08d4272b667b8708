import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import type { PendingRecord, Sink } from '../../src/common/delivery.ts';
import { createSink } from '../../src/sinks/registry.ts';
import { SinkSpec } from '../../src/sinks/specs.ts';
import { TestAws } from '../sinks/aws-proxy.ts';
import { eventRecord, frameRecord, NO_LIMIT, statuses, withPayload } from '../sinks/samples.ts';
import { ExampleRun, LANGUAGES } from '../support/example.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { until } from '../support/wait.ts';

const LIMIT_MS = 30_000;

/** As the server makes them. */
const EVENT = {
  ...withPayload(
    eventRecord(3),
    Buffer.from(JSON.stringify({ id: 3, type: 'stream.started', streamId: 'cam-1' })),
  ),
  recordId: 'event/3',
};

async function makeSink(context: TestContext, spec: object, baseDir = '/'): Promise<Sink> {
  const sink = await createSink(checkValue(spec, SinkSpec), { baseDir });
  context.after(() => sink.close());
  return sink;
}

async function deliver(sink: Sink, batch: readonly PendingRecord[]): Promise<void> {
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(new Set(statuses(results)), new Set(['accepted']));
}

for (const [name, { skip, command }] of Object.entries(LANGUAGES)) {
  test(`${name}: files of the file sink`, { skip }, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'sightline-examples-'));
    context.after(() => rm(folder, { recursive: true, force: true }));
    const sink = await makeSink(context, { id: 'files', type: 'file', dir: folder });
    await deliver(sink, [frameRecord(1), frameRecord(2, { objects: 0 }), EVENT]);
    await sink.close();
    const files = (await readdir(folder, { recursive: true }))
      .filter((file) => /\.(pb|ndjson)$/.test(file))
      .sort()
      .map((file) => join(folder, file));
    const frames = ['frame cam-1/s1/1 2 objects person person', 'frame cam-1/s1/2 0 objects'];
    const lines = await new ExampleRun(context, [...command('files'), ...files]).lines();
    assert.deepEqual(
      lines.map((line) => line.trimEnd()).sort(),
      ['event event/3 stream.started', ...frames, ...frames].sort(),
    );
  });

  test(`${name}: the MQTT sink, several frames in a message`, { skip }, async (context) => {
    const broker = await Mosquitto.start(context);
    const address = name === 'Python' ? ['127.0.0.1', String(broker.port)] : [broker.url];
    const args = [...command('mqtt'), ...address, 'sightline/#', '4'];
    const run = new ExampleRun(context, args);
    await until('it has subscribed', LIMIT_MS, () => run.errors.includes('subscribed'));
    const spec = { id: 'mqtt', type: 'mqtt', url: broker.url };
    const batches = { ...spec, kinds: ['frame'], framesPerMessage: 10, envelope: 'cloudevents' };
    await deliver(
      await makeSink(context, batches),
      [1, 2, 3].map((seq) => frameRecord(seq)),
    );
    await deliver(await makeSink(context, spec), [frameRecord(1), EVENT]);
    assert.deepEqual(
      (await run.lines()).map((line) => line.split(' ').slice(0, 2).join(' ')),
      [1, 2, 3].map((seq) => `frame cam-1/s1/${seq}`).concat('event event/3'),
    );
  });

  test(`${name}: the SQS sink with a claim check`, { skip }, async (context) => {
    const aws = await TestAws.start(context);
    aws.server.createQueue('frames');
    aws.server.createBucket('claims');
    const spec = { id: 'sqs', type: 'sqs', queue: 'frames', claimCheck: { bucket: 'claims' } };
    const sink = await makeSink(context, { ...spec, ...aws.client });
    await deliver(sink, [frameRecord(1), frameRecord(2, { objects: 25_000 })]);
    const { url } = aws.server.inspectQueue('frames')!;
    const run = new ExampleRun(context, [...command('sqs'), url, '2'], {
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
    });
    const counts = (await run.lines()).map((line) => line.split(' ').slice(1, 3));
    assert.deepEqual(counts.sort(), [
      ['cam-1/s1/1', '2'],
      ['cam-1/s1/2', '25000'],
    ]);
    assert.equal(aws.messages('frames').length, 0);
  });
}
