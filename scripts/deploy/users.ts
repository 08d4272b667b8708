import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { checkValue } from '../../src/common/check.ts';
import type { PendingRecord } from '../../src/common/delivery.ts';
import { type SightlineRecord, SqsConsumer } from '../../src/consumer/index.ts';
import { DynamoFleetStore } from '../../src/fleet/stores/dynamodb.ts';
import { S3SegmentStore } from '../../src/recording/stores/s3.ts';
import { createSink } from '../../src/sinks/registry.ts';
import { SinkSpec } from '../../src/sinks/specs.ts';
import { DynamoEventStore } from '../../src/stores/dynamodb-events.ts';
import { statuses } from '../../test/sinks/samples.ts';
import type { Moto } from '../../test/support/moto.ts';
import { until } from '../../test/support/wait.ts';

const LIMIT_MS = 30_000;

/** What of the product uses what Terraform made, each with the code that the services have for it. */
export class Users {
  readonly s3: S3Client;
  readonly #sqs: SQSClient;
  readonly #moto: Moto;
  readonly #folder: string;

  /** @param folder for a file that is stored */
  constructor(moto: Moto, folder: string) {
    this.#moto = moto;
    this.#folder = folder;
    this.s3 = new S3Client({ ...moto.client, forcePathStyle: true });
    this.#sqs = new SQSClient(moto.client);
  }

  /** Through a sink with these keys; fails unless all is accepted. */
  async deliver(spec: object, records: readonly PendingRecord[]): Promise<void> {
    const whole = { id: 'checked', ...spec, ...this.#moto.client };
    const sink = await createSink(checkValue(whole, SinkSpec), { baseDir: this.#folder });
    try {
      const results = await sink.deliver(records, { signal: AbortSignal.timeout(LIMIT_MS) });
      assert.deepEqual(
        statuses(results),
        records.map(() => 'accepted'),
      );
    } finally {
      await sink.close();
    }
  }

  /** Stores a segment of 1000 bytes, looks for it and for one that is not there, and reads a part. */
  async record({ bucket, prefix }: { bucket: string; prefix: string }): Promise<void> {
    const store = new S3SegmentStore({ bucket, prefix, ...this.#moto.client }, 2);
    const bytes = Buffer.alloc(1000, 7);
    const path = join(this.#folder, 'a.mp4');
    writeFileSync(path, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const key = 'cam-1/2026/01/31/13/a.mp4';
    const file = { path, bytes: 1000, sha256, key, contentType: 'video/mp4', metadata: {} };
    const signal = AbortSignal.timeout(LIMIT_MS);
    await store.put(file, signal);
    assert.equal(await store.has(file, signal), true);
    assert.equal(await store.has({ ...file, key: 'cam-1/none.mp4' }, signal), false);
    const part = await (await store.read(key, 10, 20, signal)).toArray();
    assert.deepEqual(Buffer.concat(part as Buffer[]), bytes.subarray(10, 20));
    store.close();
  }

  /** So many records of a queue, deleted there. */
  async take(queueUrl: string, count: number): Promise<SightlineRecord[]> {
    const taken: SightlineRecord[] = [];
    const errors: unknown[] = [];
    const consumer = new SqsConsumer({
      ...{ sqs: this.#sqs, s3: this.s3, queueUrl, waitTimeS: 1 },
      handle: async (records) => void taken.push(...records),
      onError: (error) => errors.push(error),
    });
    await until('the records came', LIMIT_MS, () => taken.length >= count || errors.length > 0);
    await consumer.stop();
    assert.deepEqual(errors, []);
    return taken;
  }

  async deadLetterQueueOf(QueueUrl: string): Promise<string | undefined> {
    const { Attributes } = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] }),
    );
    const policy = JSON.parse(Attributes?.['RedrivePolicy'] ?? '{}') as Record<string, string>;
    const QueueName = policy['deadLetterTargetArn']?.split(':').at(-1);
    return (await this.#sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
  }

  async keepEvents(table: string): Promise<void> {
    const store = new DynamoEventStore({ ...this.#table(table), maxAgeMs: 3_600_000 });
    const time = new Date().toISOString();
    const event = { id: 'e1', time, rule: 'door', streamId: 'cam-1' };
    await store.put([event]);
    await store.put([event]);
    assert.deepEqual(await store.get('e1'), event);
    assert.deepEqual(await store.list({ limit: 10 }), [event]);
    await store.close();
  }

  async shareStreams(table: string): Promise<void> {
    const store = new DynamoFleetStore({ ...this.#table(table), fleet: 'default' });
    const claim = { owner: 'a', version: 'v1', durationMs: 10_000, data: '{}' };
    assert.equal((await store.acquire('node/a', claim)).done, true);
    assert.equal((await store.acquire('node/a', { ...claim, owner: 'b' })).done, false);
    assert.equal((await store.leases()).length, 1);
    await store.close();
  }

  async read(Bucket: string, Key: string): Promise<Buffer> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from(await Body!.transformToByteArray());
  }

  async keys(Bucket: string): Promise<string[]> {
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket }));
    return Contents.map(({ Key }) => Key!);
  }

  async countStream(StreamName: string): Promise<number> {
    const kinesis = new KinesisClient({
      ...this.#moto.client,
      requestHandler: new NodeHttpHandler(),
    });
    const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName }));
    let count = 0;
    for (const { ShardId } of Shards) {
      const { ShardIterator } = await kinesis.send(
        new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
      );
      const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
      count += Records.length;
    }
    kinesis.destroy();
    return count;
  }

  close(): void {
    this.s3.destroy();
    this.#sqs.destroy();
  }

  #table(table: string) {
    return { client: new DynamoDBClient(this.#moto.client), table };
  }
}
