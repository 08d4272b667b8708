import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AthenaClient, GetWorkGroupCommand, ListNamedQueriesCommand } from '@aws-sdk/client-athena';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { checkValue } from '../../src/common/check.ts';
import type { PendingRecord } from '../../src/common/delivery.ts';
import { ROOT } from '../../src/common/paths.ts';
import { createSink } from '../../src/sinks/registry.ts';
import { SinkSpec } from '../../src/sinks/specs.ts';
import { frameRecord, imageRecord, imageRef, statuses } from '../../test/sinks/samples.ts';
import { Moto, noMoto } from '../../test/support/moto.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import { type Outputs, Tofu } from './tofu.ts';

const { AWS_PROVIDER } = (await import(join(ROOT, 'scripts/go-tools/aws-provider.mjs'))) as {
  AWS_PROVIDER: { providerVersion: string };
};

/** As somebody would apply it who has images and a network; moto knows neither. */
const WITH_SERVICES = [
  '-var=image=registry.example/sightline:1.2.3',
  '-var=subnet_ids=["subnet-1"]',
  '-var=security_group_ids=["sg-1"]',
  '-var=infer_gpus=1',
  '-var=configs={receive="dataDir: /app/data\\n"}',
  '-var=secrets={receive={CAMERA_PASSWORD="arn:aws:secretsmanager:us-east-1:123456789012:secret:c"}}',
];

describe('deploy/terraform against moto', { skip: noMoto }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let moto: Moto;
  let tofu: Tofu;
  let made: Outputs;
  let variables: string[];

  before(async () => {
    [folder, moto] = await Promise.all([temporaryFolder(), Moto.start()]);
    tofu = new Tofu(folder.path, AWS_PROVIDER.providerVersion);
    const { endpoint } = moto.client;
    variables = [`-var=endpoints={default="${endpoint}"}`, '-var=deletion_protection=false'];
    await tofu.run('init', '-input=false');
  });
  after(async () => {
    await moto?.close();
    await folder?.[Symbol.asyncDispose]();
  });

  /** A sink of ours that has the given keys and moto's address, closed with the test. */
  async function deliver(spec: object, records: readonly PendingRecord[]): Promise<string[]> {
    const whole = { id: 'checked', ...spec, ...moto.client };
    const sink = await createSink(checkValue(whole, SinkSpec), { baseDir: folder.path });
    try {
      return statuses(await sink.deliver(records, { signal: AbortSignal.timeout(30_000) }));
    } finally {
      await sink.close();
    }
  }

  it('is formatted and valid', async () => {
    await tofu.run('fmt', '-check', '-diff');
    await tofu.run('validate');
  });

  it('is applied', async () => {
    await tofu.run('apply', '-input=false', '-auto-approve', ...variables, ...WITH_SERVICES);
    made = await tofu.outputs();
    assert.equal(made.buckets.raw, 'raw-data');
    assert.match(made.queues.frames, /\/raw-frame-queue$/);
    assert.deepEqual(Object.keys(made.roles).sort(), ['control', 'infer', 'react', 'receive']);
    assert.equal(Object.keys(made.task_definitions).length, 4);
  });

  it('gives up unfinished uploads', async () => {
    const s3 = new S3Client({ ...moto.client, forcePathStyle: true });
    for (const bucket of Object.values(made.buckets)) {
      const { Rules = [] } = await s3.send(
        new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }),
      );
      assert.ok(
        Rules.some((rule) => rule.AbortIncompleteMultipartUpload !== undefined),
        bucket,
      );
    }
    s3.destroy();
  });

  it('takes pictures and messages that name them', async () => {
    const { raw } = made.buckets;
    const image = { type: 's3', bucket: raw, prefix: 'images/', forcePathStyle: true };
    assert.deepEqual(await deliver(image, [imageRecord(1)]), ['delivered']);
    const s3 = new S3Client({ ...moto.client, forcePathStyle: true });
    const key = `images/${imageRef(1)}`;
    const { ContentLength } = await s3.send(new GetObjectCommand({ Bucket: raw, Key: key }));
    assert.equal(ContentLength, 20_000);
    s3.destroy();
    const queue = { type: 'sqs', queue: made.queues.frames, claimCheck: { bucket: raw } };
    assert.deepEqual(await deliver(queue, [frameRecord(1), frameRecord(2)]), [
      'delivered',
      'delivered',
    ]);
    const sqs = new SQSClient(moto.client);
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: made.queues.frames, MaxNumberOfMessages: 10 }),
    );
    assert.equal(Messages?.length, 2);
    sqs.destroy();
  });

  it('takes rows, which arrive in the bucket under the prefix of their table', async () => {
    const deliveryStream = made.delivery_streams.detections;
    const outcome = await deliver({ type: 'firehose', deliveryStream }, [frameRecord(1)]);
    assert.deepEqual(outcome, ['delivered']);
    const s3 = new S3Client({ ...moto.client, forcePathStyle: true });
    const Bucket = made.buckets.inference;
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    assert.equal(Contents.length, 1);
    const Key = Contents[0]!.Key!;
    assert.match(Key, /^detections\//);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const [row] = (await Body!.transformToString()).split('\n');
    assert.equal((JSON.parse(row!) as { record_id: string }).record_id, frameRecord(1).recordId);
    s3.destroy();
  });

  it('takes records into the stream', async () => {
    const stream = made.record_stream;
    assert.deepEqual(await deliver({ type: 'kinesis', stream }, [frameRecord(3)]), ['delivered']);
    const kinesis = new KinesisClient({ ...moto.client, requestHandler: new NodeHttpHandler() });
    const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
    let records = 0;
    for (const { ShardId } of Shards) {
      const { ShardIterator } = await kinesis.send(
        new GetShardIteratorCommand({
          StreamName: stream,
          ShardId,
          ShardIteratorType: 'TRIM_HORIZON',
        }),
      );
      records +=
        (await kinesis.send(new GetRecordsCommand({ ShardIterator }))).Records?.length ?? 0;
    }
    assert.equal(records, 1);
    kinesis.destroy();
  });

  it('has tables with the keys that the stores use', async () => {
    const dynamodb = new DynamoDBClient(moto.client);
    for (const table of Object.values(made.tables)) {
      const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: table }));
      assert.deepEqual(Table?.KeySchema, [
        { AttributeName: 'p', KeyType: 'HASH' },
        { AttributeName: 's', KeyType: 'RANGE' },
      ]);
    }
    dynamodb.destroy();
  });

  it('has a workgroup with a limit and the saved queries', async () => {
    const athena = new AthenaClient(moto.client);
    const { workgroup: WorkGroup } = made.athena;
    const found = await athena.send(new GetWorkGroupCommand({ WorkGroup }));
    assert.ok(found.WorkGroup?.Configuration?.BytesScannedCutoffPerQuery);
    const { NamedQueryIds = [] } = await athena.send(new ListNamedQueriesCommand({ WorkGroup }));
    assert.ok(NamedQueryIds.length >= 5);
    athena.destroy();
  });

  it('is applied without services, too, and removed', async () => {
    await tofu.run('apply', '-input=false', '-auto-approve', ...variables);
    assert.deepEqual((await tofu.outputs()).task_definitions, {});
    await tofu.run('destroy', '-input=false', '-auto-approve', ...variables);
    assert.deepEqual(await tofu.outputs(), {});
  });
});
