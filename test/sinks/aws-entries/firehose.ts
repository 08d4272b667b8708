import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { CreateDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { FirehoseSink } from '../../../src/sinks/firehose/sink.ts';
import type { FirehoseSinkSpec } from '../../../src/sinks/firehose/spec.ts';
import type { AwsProxy } from '../aws-proxy.ts';
import {
  eventRecord,
  frameRecord,
  NO_LIMIT,
  segmentRecord,
  statuses,
  withPayload,
} from '../samples.ts';
import { kinesis } from './kinesis.ts';
import { deliverAll, type EntriesWorld, settled } from './world.ts';

/** A delivery stream into a bucket, a sink for it, and the rows that arrived. */
export async function firehose(
  world: EntriesWorld,
  context: TestContext,
  proxy: AwsProxy,
  spec: Partial<FirehoseSinkSpec> = {},
) {
  const name = `rows-${world.next()}`;
  const s3 = new S3Client({ ...world.client, forcePathStyle: true });
  const client = new FirehoseClient(world.client);
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

export function firehoseTests(world: EntriesWorld): void {
  it('firehose: packs a row per object into few records, sends again what failed alone', async (context) => {
    const { proxy, firehose: limits } = await world.proxied(context);
    const { sink, read } = await firehose(world, context, proxy, { rowsPerRecord: 100 });
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
    const { proxy } = await world.proxied(context);
    const { sink, read } = await firehose(world, context, proxy, {
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
    const { proxy, firehose: ofFirehose, kinesis: ofKinesis } = await world.proxied(context);
    const rows = await firehose(world, context, proxy, { kinds: ['segment'] });
    const lines = await kinesis(world, context, proxy, {
      kinds: ['segment'],
      segmentRows: 'frames',
    });
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
}
