import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import {
  SeenRecords,
  type SightlineRecord,
  SqsConsumer,
  type SqsConsumerOptions,
} from '../../src/consumer/index.ts';
import { createSink } from '../../src/sinks/registry.ts';
import type { SinkSpec } from '../../src/sinks/specs.ts';
import { TestAws } from '../sinks/aws-proxy.ts';
import { eventRecord, frameRecord, NO_LIMIT, statuses } from '../sinks/samples.ts';
import { until } from '../support/wait.ts';

const QUEUE = 'frames';

interface World {
  readonly aws: TestAws;
  readonly send: (...records: ReturnType<typeof frameRecord>[]) => Promise<void>;
  readonly consume: (
    handle: SqsConsumerOptions['handle'],
    options?: Partial<SqsConsumerOptions>,
  ) => SqsConsumer;
}

async function world(context: TestContext): Promise<World> {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  aws.server.createBucket('claims');
  const spec = {
    ...{ id: 'sqs', type: 'sqs', required: true, queue: QUEUE, format: 'protobuf' },
    ...{ kinds: ['frame', 'event'], concurrency: 4 },
    claimCheck: { bucket: 'claims', prefix: 'claims/' },
    ...aws.client,
  } as unknown as SinkSpec;
  const sink = await createSink(spec, { baseDir: '/' });
  const sqs = new SQSClient({ ...aws.client, useQueueUrlAsEndpoint: false });
  const s3 = new S3Client({ ...aws.client, forcePathStyle: true });
  context.after(async () => {
    await sink.close();
    sqs.destroy();
    s3.destroy();
  });
  return {
    aws,
    async send(...records) {
      const results = await sink.deliver(records, NO_LIMIT);
      assert.deepEqual(new Set(statuses(results)), new Set(['accepted']));
    },
    consume(handle, options = {}) {
      const queueUrl = aws.server.inspectQueue(QUEUE)!.url;
      const consumer = new SqsConsumer({ sqs, s3, queueUrl, waitTimeS: 1, handle, ...options });
      context.after(() => consumer.stop());
      return consumer;
    },
  };
}

function isEmpty({ server }: TestAws): boolean {
  const { messages } = server.inspectQueue(QUEUE)!;
  return messages.ready.length + messages.delayed.length + messages.inflight.length === 0;
}

test('messages and claim checks are read, and deleted when the work is done', async (context) => {
  const { aws, send, consume } = await world(context);
  // About 1.5 MB: above what a message may have.
  await send(frameRecord(1), frameRecord(2, { objects: 25_000 }), eventRecord(3));
  const got = new Map<string, SightlineRecord>();
  const errors: unknown[] = [];
  const consumer = consume(
    (records) => {
      for (const record of records) got.set(record.recordId, record);
    },
    { onError: (error) => errors.push(error) },
  );
  await until('the queue is empty', 10_000, () => got.size === 3 && isEmpty(aws));
  await consumer.stop();
  assert.deepEqual(errors, []);
  const big = got.get('cam-1/s1/2');
  assert.ok(big?.kind === 'frame' && big.frame.objects.length === 25_000);
});

test('an object that is not the one of the claim check is not handed on', async (context) => {
  const { aws, send, consume } = await world(context);
  await send(frameRecord(2, { objects: 25_000 }));
  aws.rule = ({ method, action }) =>
    method === 'GET' && action === ''
      ? { status: 200, body: 'other bytes', headers: { 'content-type': 'text/plain' } }
      : undefined;
  const errors: { code?: string }[] = [];
  let handled = 0;
  const consumer = consume(() => void handled++, {
    onError: (error) => errors.push(error as { code?: string }),
  });
  await until('it is told', 10_000, () => errors.length > 0);
  await consumer.stop();
  assert.equal(errors[0]?.code, 'SL_MESSAGE_INVALID');
  assert.equal(handled, 0);
  assert.ok(!isEmpty(aws));
});

test('a message stays hidden as long as it is worked on', async (context) => {
  const { aws, send, consume } = await world(context);
  await send(frameRecord(1));
  let begun = 0;
  const options = { visibilityTimeoutS: 1 };
  const renewals = (): number => aws.actions('ChangeMessageVisibility').length;
  // Seven renewals at a third of a second each are more than two time-outs.
  const handle = async (): Promise<void> => {
    begun++;
    await until('it was renewed', 15_000, () => renewals() >= 7);
  };
  const consumers = [consume(handle, options), consume(handle, options)];
  await until('the queue is empty', 20_000, () => begun > 0 && isEmpty(aws));
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  assert.equal(begun, 1);
});

test('work that failed comes again, and a record that was done is known', async (context) => {
  const { aws, send, consume } = await world(context);
  // The same record twice: what a sink does after a time-out it cannot explain.
  await send(frameRecord(1), frameRecord(2));
  await send(frameRecord(1));
  const seen = new SeenRecords();
  const done: string[] = [];
  let failures = 0;
  const consumer = consume(
    ([record]) => {
      if (seen.has(record!.recordId)) return;
      if (record!.recordId.endsWith('/2') && failures++ === 0) throw new Error('not today');
      done.push(record!.recordId);
      seen.add(record!.recordId);
    },
    { visibilityTimeoutS: 1 },
  );
  await until('the queue is empty', 15_000, () => done.length === 2 && isEmpty(aws));
  await consumer.stop();
  assert.deepEqual(done.sort(), ['cam-1/s1/1', 'cam-1/s1/2']);
  assert.equal(failures, 2);
});
