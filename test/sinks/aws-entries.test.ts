import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { PendingRecord, Sink } from '../../src/common/delivery.ts';
import type { SightlineError } from '../../src/common/errors.ts';
import { decodeMessage } from '../../src/consumer/decode.ts';
import { decodeSegment } from '../../src/metadata/segment.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { followKinesis } from '../../src/services/tail/kinesis.ts';
import { EventBridgeSink } from '../../src/sinks/eventbridge/sink.ts';
import type { EventBridgeSinkSpec } from '../../src/sinks/eventbridge/spec.ts';
import { FirehoseSink } from '../../src/sinks/firehose/sink.ts';
import type { FirehoseSinkSpec } from '../../src/sinks/firehose/spec.ts';
import { KinesisSink } from '../../src/sinks/kinesis/sink.ts';
import type { KinesisSinkSpec } from '../../src/sinks/kinesis/spec.ts';
import { assertConserved, openOutbox, temporaryDir } from '../outbox/helpers.ts';
import { Moto, noMoto } from '../support/moto.ts';
import { until } from '../support/wait.ts';
import { jsonError } from './aws-limits/entries.ts';
import { eventBridgeLimits } from './aws-limits/eventbridge.ts';
import { firehoseLimits } from './aws-limits/firehose.ts';
import { kinesisLimits } from './aws-limits/kinesis.ts';
import { AwsProxy } from './aws-proxy.ts';
import {
  errorCode,
  eventRecord,
  frameRecord,
  NO_LIMIT,
  segmentRecord,
  statuses,
  withPayload,
} from './samples.ts';

/** Through the real outbox to its end. */
async function deliverAll(context: TestContext, sink: Sink, records: readonly PendingRecord[]) {
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  const delivery = new Delivery({
    ...{ outbox, sink, authProbeMs: 50 },
    backoff: { baseMs: 10, capMs: 50 },
  });
  context.after(() => delivery.close({ drainMs: 0 }));
  for (const record of records) outbox.append(record);
  delivery.start();
  return delivery;
}

async function settled(delivery: Delivery) {
  await until('all is settled', 10_000, () => delivery.stats().pending === 0);
  assertConserved(delivery.stats());
  return delivery.stats();
}

describe('sinks of AWS with an answer per entry', { skip: noMoto }, () => {
  let moto: Moto;
  let last = 0;
  before(async () => {
    moto = await Moto.start();
  });
  after(() => moto.close());

  async function proxied(context: TestContext) {
    const limits = {
      kinesis: kinesisLimits(),
      firehose: firehoseLimits(),
      events: eventBridgeLimits(),
    };
    const proxy = new AwsProxy(moto.port, Object.values(limits));
    await proxy.listen();
    context.after(() => proxy.close());
    return { proxy, ...limits };
  }

  async function kinesis(
    context: TestContext,
    proxy: AwsProxy,
    spec: Partial<KinesisSinkSpec> = {},
    address: Pick<KinesisSinkSpec, 'endpoint' | 'region' | 'credentials'> = proxy.client,
  ) {
    const stream = `frames-${++last}`;
    const client = new KinesisClient({ ...moto.client, requestHandler: new NodeHttpHandler() });
    context.after(() => client.destroy());
    await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 1 }));
    const sink = new KinesisSink({
      ...{ id: 'kinesis', type: 'kinesis', required: true, stream, format: 'protobuf' },
      ...{ partitionKey: '{streamId}', ordering: 'relaxed', kinds: ['frame', 'event'] },
      ...address,
      ...spec,
    });
    context.after(() => sink.close());
    const records = async () => {
      const of = { StreamName: stream, ShardId: 'shardId-000000000000' };
      const start = new GetShardIteratorCommand({ ...of, ShardIteratorType: 'TRIM_HORIZON' });
      const { ShardIterator } = await client.send(start);
      const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
      return Records;
    };
    const raw = async () => (await records()).map(({ Data }) => Data!);
    const read = async () =>
      (await records()).map(({ Data, PartitionKey }) => {
        return { key: PartitionKey, id: decodeMessage(Data!)[0]!.recordId };
      });
    return { sink, read, raw, stream };
  }

  async function firehose(
    context: TestContext,
    proxy: AwsProxy,
    spec: Partial<FirehoseSinkSpec> = {},
  ) {
    const name = `rows-${++last}`;
    const s3 = new S3Client({ ...moto.client, forcePathStyle: true });
    const client = new FirehoseClient(moto.client);
    context.after(() => {
      s3.destroy();
      client.destroy();
    });
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    const RoleARN = 'arn:aws:iam::123456789012:role/rows';
    const destination = { RoleARN, BucketARN: `arn:aws:s3:::${name}` };
    await client.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: name,
        ExtendedS3DestinationConfiguration: destination,
      }),
    );
    const sink = new FirehoseSink({
      ...{ id: 'firehose', type: 'firehose', required: true, deliveryStream: name },
      ...{ kinds: ['frame'], rows: 'objects', rowsPerRecord: 500, concurrency: 2 },
      segmentRows: 'frames',
      ...proxy.client,
      ...spec,
    });
    context.after(() => sink.close());
    const read = async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: name }));
      const rows: Record<string, unknown>[] = [];
      for (const { Key } of Contents) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: name, Key }));
        // moto writes an empty object where all records of a request were refused.
        const lines = (await Body!.transformToString()).split('\n').filter((line) => line !== '');
        rows.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
      }
      return rows;
    };
    return { sink, read };
  }

  async function bus(
    context: TestContext,
    proxy: AwsProxy,
    spec: Partial<EventBridgeSinkSpec> = {},
  ) {
    const name = `bus-${++last}`;
    const client = new EventBridgeClient(moto.client);
    const sqs = new SQSClient(moto.client);
    context.after(() => {
      client.destroy();
      sqs.destroy();
    });
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
    await client.send(new CreateEventBusCommand({ Name: name }));
    const EventPattern = JSON.stringify({ source: ['sightline'] });
    await client.send(new PutRuleCommand({ Name: name, EventBusName: name, EventPattern }));
    const Arn = `arn:aws:sqs:us-east-1:123456789012:${name}`;
    await client.send(
      new PutTargetsCommand({ Rule: name, EventBusName: name, Targets: [{ Id: 'q', Arn }] }),
    );
    const sink = new EventBridgeSink({
      ...{ id: 'bus', type: 'eventbridge', required: true, bus: name, kinds: ['event'] },
      ...{ source: 'sightline', detailType: 'sightline.{kind}', concurrency: 2 },
      ...proxy.client,
      ...spec,
    });
    context.after(() => sink.close());
    const read = async () => {
      const events: Record<string, unknown>[] = [];
      for (;;) {
        const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
        const { Messages = [] } = await sqs.send(receive);
        if (Messages.length === 0) return events;
        events.push(...Messages.map(({ Body }) => JSON.parse(Body!) as Record<string, unknown>));
      }
    };
    return { sink, read };
  }

  it('kinesis: sends again what failed alone, gives up what is too big or damaged', async (context) => {
    const { proxy, kinesis: limits } = await proxied(context);
    const { sink, read } = await kinesis(context, proxy, { format: 'json' });
    let failures = 3;
    limits.failing = (text) =>
      text.includes('cam-1/s1/7"') && failures-- > 0
        ? 'ProvisionedThroughputExceededException'
        : undefined;
    const batch = Array.from({ length: 600 }, (_, seq) => frameRecord(seq, { objects: 1 }));
    const big = frameRecord(600, { objects: 8000 });
    const damaged = withPayload(frameRecord(601), Buffer.from([0x0a, 0xff]));
    const delivery = await deliverAll(context, sink, [...batch, big, damaged]);
    const { delivered, deadLettered } = await settled(delivery);
    assert.deepEqual([delivered, deadLettered], [600, 2]);
    const stored = await read();
    assert.equal(stored.length, 600, 'nothing twice');
    assert.deepEqual(new Set(stored.map(({ id }) => id)), new Set(batch.map((r) => r.recordId)));
    assert.deepEqual(new Set(stored.map(({ key }) => key)), new Set(['cam-1']));
  });

  it('kinesis: tail shows what comes from now on', async (context) => {
    const { proxy } = await proxied(context);
    const { sink, stream } = await kinesis(context, proxy);
    await sink.deliver([frameRecord(1)], NO_LIMIT);
    const signal = AbortSignal.timeout(20_000);
    let begin = (): void => undefined;
    const reads = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const options = { baseDir: '.', stream: undefined, peekVisibilityS: undefined, signal };
    const address = { stream, ...moto.client } as unknown as KinesisSinkSpec;
    const records = followKinesis(address, { ...options, tell: () => begin() });
    const first = records[Symbol.asyncIterator]().next();
    await reads;
    await sink.deliver([frameRecord(2)], NO_LIMIT);
    assert.equal((await first).value?.[0]?.recordId, 'cam-1/s1/2');
  });

  it('kinesis: with ordering strict a failed record is never overtaken', async (context) => {
    const { proxy, kinesis: limits } = await proxied(context);
    const { sink, read } = await kinesis(context, proxy, { ordering: 'strict' });
    let failures = 4;
    limits.failing = (text) =>
      /cam-2\/s1\/[36]/.test(text) && failures-- > 0 ? 'InternalFailure' : undefined;
    const batch = Array.from({ length: 24 }, (_, seq) =>
      frameRecord(seq, { streamId: `cam-${seq % 3}` }),
    );
    await settled(await deliverAll(context, sink, batch));
    const stored = await read();
    for (const camera of ['cam-0', 'cam-1', 'cam-2']) {
      const expected = batch.filter((r) => r.streamId === camera).map((r) => r.recordId);
      assert.deepEqual(
        stored.filter(({ key }) => key === camera).map(({ id }) => id),
        expected,
      );
    }
  });

  it('kinesis: tells throttling, silence after acceptance and an unknown stream apart', async (context) => {
    const { proxy } = await proxied(context);
    const { sink } = await kinesis(context, proxy);
    proxy.rule = () => jsonError('LimitExceededException', 429, { 'retry-after': '1' });
    const [throttled] = await sink.deliver([frameRecord(1)], NO_LIMIT);
    assert.equal(errorCode(throttled), 'SL_SINK_THROTTLED');
    const { details } = (throttled as unknown as { error: SightlineError }).error;
    assert.equal(details?.['retryAfterMs'], 1000);
    const cut = new AbortController();
    proxy.rule = () => {
      queueMicrotask(() => cut.abort(new Error('attempt over')));
      return 'accept';
    };
    const [silent] = await sink.deliver([frameRecord(2)], { signal: cut.signal });
    assert.equal(silent?.status, 'retry');
    proxy.rule = () => jsonError('ResourceNotFoundException');
    const [absent] = await sink.deliver([frameRecord(3)], NO_LIMIT);
    assert.equal(errorCode(absent), 'SL_SINK_UNAVAILABLE');
  });

  it('kinesis: takes up keys that were changed in the file of the profile', async (context) => {
    const { proxy } = await proxied(context);
    const dir = mkdtempSync(join(tmpdir(), 'sightline-keys-'));
    const before = process.env['AWS_SHARED_CREDENTIALS_FILE'];
    context.after(() => {
      rmSync(dir, { recursive: true, force: true });
      if (before === undefined) delete process.env['AWS_SHARED_CREDENTIALS_FILE'];
      else process.env['AWS_SHARED_CREDENTIALS_FILE'] = before;
    });
    const file = join(dir, 'credentials');
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = file;
    const keys = (id: string) =>
      writeFileSync(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = x\n`);
    keys('WRONG');
    proxy.rule = ({ headers }) =>
      headers.authorization?.includes('Credential=WRONG/') === true
        ? jsonError('UnrecognizedClientException')
        : undefined;
    const { sink, read } = await kinesis(
      context,
      proxy,
      {},
      { endpoint: proxy.endpoint, region: 'us-east-1' },
    );
    const delivery = await deliverAll(context, sink, [frameRecord(1), frameRecord(2)]);
    await until('the keys are refused', 10_000, () => delivery.stats().lastError !== undefined);
    assert.equal(delivery.stats().lastError?.code, 'SL_SINK_UNAUTHORIZED');
    keys('RIGHT');
    assert.equal((await settled(delivery)).delivered, 2);
    assert.equal((await read()).length, 2);
  });

  it('firehose: packs a row per object into few records, sends again what failed alone', async (context) => {
    const { proxy, firehose: limits } = await proxied(context);
    const { sink, read } = await firehose(context, proxy, { rowsPerRecord: 100 });
    let failures = 2;
    limits.failing = (text) =>
      text.includes('cam-1/s1/70"') && failures-- > 0 ? 'ServiceUnavailableException' : undefined;
    const batch = Array.from({ length: 300 }, (_, seq) => frameRecord(seq));
    const empty = frameRecord(300, { objects: 0 });
    const damaged = withPayload(frameRecord(301), Buffer.from([0x0a, 0xff]));
    const huge = frameRecord(302, { objects: 5000 });
    const delivery = await deliverAll(context, sink, [...batch, empty, damaged, huge]);
    const { delivered, deadLettered, filtered } = await settled(delivery);
    assert.deepEqual([delivered, filtered, deadLettered], [300, 1, 2]);
    const rows = await read();
    assert.equal(rows.length, 600);
    const ids = new Set(rows.map((row) => `${row['record_id']}#${row['object_index']}`));
    assert.equal(ids.size, 600, 'nothing twice');
    const { timestamp, ...row } = rows.find((item) => item['record_id'] === 'cam-1/s1/1')!;
    assert.equal(timestamp, new Date(row['timestamp_ms'] as number).toISOString());
    assert.deepEqual(
      [row['camera_id'], row['class'], row['confidence'], row['left_x'], row['frame_sequence']],
      ['cam-1', 'person', 0.875, 10.5, 1],
    );
    const records = proxy.actions('PutRecordBatch').flatMap((seen) => limits.entriesOf(seen));
    assert.ok(records.length < 20, `${records.length} records of Firehose`);
  });

  it('firehose: writes frames and events as lines', async (context) => {
    const { proxy } = await proxied(context);
    const { sink, read } = await firehose(context, proxy, {
      rows: 'frames',
      kinds: ['frame', 'event'],
      fields: ['inferred'],
    });
    const event = withPayload(eventRecord(2), Buffer.from('{\n"type": "entered"\n}'));
    assert.deepEqual(statuses(await sink.deliver([frameRecord(1), event], NO_LIMIT)), [
      ...['accepted', 'accepted'],
    ]);
    const [frame, entered] = await read();
    assert.deepEqual([frame?.['recordId'], frame?.['inferred']], ['cam-1/s1/1', true]);
    assert.deepEqual(entered, { type: 'entered' });
  });

  it('firehose, kinesis: a segment is rows that go again until each was taken', async (context) => {
    const { proxy, firehose: ofFirehose, kinesis: ofKinesis } = await proxied(context);
    const rows = await firehose(context, proxy, { kinds: ['segment'] });
    const lines = await kinesis(context, proxy, { kinds: ['segment'], segmentRows: 'frames' });
    // The second piece of three.
    for (const limits of [ofFirehose, ofKinesis]) {
      let failures = 2;
      limits.failing = (text) =>
        text.includes('"frame_sequence":700,') && failures-- > 0 ? 'InternalFailure' : undefined;
    }
    const segment = segmentRecord({ frames: 1300 });
    for (const { sink } of [rows, lines]) {
      const { delivered } = await settled(await deliverAll(context, sink, [segment]));
      assert.equal(delivered, 1);
    }
    const all = Array.from({ length: 1300 }, (_, index) => 100 + index);
    const sequences = (of: Record<string, unknown>[]) => [
      ...new Set(of.map((row) => row['frame_sequence'])),
    ];
    assert.deepEqual(sequences(await rows.read()).sort(), [...all].sort());
    const texts = (await lines.raw()).map((data) => Buffer.from(data).toString('utf8').trimEnd());
    assert.ok(texts.every((text) => text.split('\n').length <= 500));
    const parsed = texts.flatMap((text) => text.split('\n').map((line) => JSON.parse(line)));
    assert.deepEqual(sequences(parsed).sort(), [...all].sort());
  });

  it('kinesis: a segment above the limit of a record goes as several messages', async (context) => {
    const { proxy } = await proxied(context);
    const { sink, raw } = await kinesis(context, proxy, { kinds: ['segment'] });
    const results = await sink.deliver([segmentRecord({ frames: 25_000 })], NO_LIMIT);
    assert.deepEqual(statuses(results), ['accepted']);
    const parts = (await raw()).map((data) => decodeSegment(data));
    assert.ok(parts.length > 1);
    assert.equal(
      parts.reduce((sum, { frames }) => sum + frames.length, 0),
      25_000,
    );
  });

  it('eventbridge: ten events a request, those that failed again alone', async (context) => {
    const { proxy, events: limits } = await proxied(context);
    const { sink, read } = await bus(context, proxy);
    let failures = 2;
    limits.failing = (text) =>
      text.includes('events/3"') && failures-- > 0 ? 'ThrottlingException' : undefined;
    const batch = Array.from({ length: 25 }, (_, seq) => eventRecord(seq));
    const list = withPayload(eventRecord(25), Buffer.from('[1]'));
    const big = withPayload(eventRecord(26), Buffer.from(`{"a":"${'x'.repeat(1_000_000)}"}`));
    const delivery = await deliverAll(context, sink, [...batch, list, big]);
    const { delivered, deadLettered } = await settled(delivery);
    assert.deepEqual([delivered, deadLettered], [25, 2]);
    const received = await read();
    assert.equal(received.length, 25, 'nothing twice');
    const { source, detail, ...rest } = received.find(
      (item) => (item['detail'] as { seq: number }).seq === 4,
    )!;
    assert.deepEqual([source, rest['detail-type']], ['sightline', 'sightline.event']);
    assert.deepEqual(detail, {
      ...{ type: 'entered', zone: 'door', seq: 4 },
      ...{ recordId: 'cam-1/events/4', streamId: 'cam-1' },
    });
  });

  it('firehose, eventbridge: throttled, and unheard after they took it, they get everything', async (context) => {
    const { proxy } = await proxied(context);
    const rows = await firehose(context, proxy, { concurrency: 1, rowsPerRecord: 50 });
    const events = await bus(context, proxy, { concurrency: 1 });
    const faults = new Map([
      ['PutRecordBatch', jsonError('ServiceUnavailableException', 503)],
      ['PutEvents', jsonError('ThrottlingException')],
    ]);
    const calls = new Map<string, number>();
    proxy.rule = ({ action }) => {
      const fault = faults.get(action);
      if (fault === undefined) return undefined;
      const call = calls.get(action) ?? 0;
      calls.set(action, call + 1);
      // The SDK tries twice before the outbox hears of it.
      if (call < 4) return fault;
      return call === 4 ? 'lose' : undefined;
    };
    const frames = Array.from({ length: 100 }, (_, seq) => frameRecord(seq, { objects: 1 }));
    const entered = Array.from({ length: 25 }, (_, seq) => eventRecord(seq));
    const deliveries = await Promise.all([
      deliverAll(context, rows.sink, frames),
      deliverAll(context, events.sink, entered),
    ]);
    for (const [index, count] of [100, 25].entries()) {
      const { delivered, retriesByCode } = await settled(deliveries[index]!);
      assert.equal(delivered, count);
      assert.deepEqual(Object.keys(retriesByCode), ['SL_SINK_THROTTLED']);
    }
    const rowIds = (await rows.read()).map((row) => row['record_id']);
    assert.deepEqual(new Set(rowIds), new Set(frames.map(({ recordId }) => recordId)));
    const eventIds = (await events.read()).map(({ detail }) => {
      return (detail as { recordId: string }).recordId;
    });
    assert.deepEqual(new Set(eventIds), new Set(entered.map(({ recordId }) => recordId)));
    for (const [ids, count] of [
      [rowIds, 100],
      [eventIds, 25],
    ] as const) {
      assert.ok(ids.length > count, 'what was taken unheard came twice, with the same id');
    }
  });
});
