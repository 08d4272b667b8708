import {
  CreateDeliveryStreamCommand,
  FirehoseClient,
  PutRecordBatchCommand,
} from '@aws-sdk/client-firehose';
import { CreateStreamCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { checkValue } from '../../src/common/check.ts';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { decodeImage } from '../../src/metadata/image.ts';
import { awsClientConfig } from '../../src/sinks/aws/client.ts';
import { eachLimited } from '../../src/sinks/limited.ts';
import { SinkSpec } from '../../src/sinks/specs.ts';
import { DETECTIONS } from '../../src/sinks/tables/detections.ts';
import { tableLines } from '../../src/sinks/tables/lines.ts';
import { imageRecord } from '../../test/sinks/samples.ts';
import { Moto, noMoto } from '../../test/support/moto.ts';
import { compare, sinkOf } from './harness.ts';

// Kinesis, Firehose and S3 as moto speaks them: each sink behind an outbox beside a loop of its client with the same
// batching. The server is Python and slow, so only the ratios and the CPU time of this process say something.
//   node --import tsx bench/delivery/aws.ts [--service kinesis|firehose|s3] [--records 5000] [--rounds 3]

if (noMoto !== false) throw new Error(noMoto);
const CONCURRENCY = 4;
const ROWS_PER_RECORD = 500;
const PICTURE_BYTES = 50_000;

const moto = await Moto.start();
const aws = moto.client;
const s3 = new S3Client({ ...awsClientConfig(aws, CONCURRENCY), forcePathStyle: true });

function groups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, index * size + size),
  );
}

async function kinesis(): Promise<void> {
  const StreamName = 'bench';
  const client = new KinesisClient(awsClientConfig(aws, 2));
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  const spec = { id: 'kinesis', type: 'kinesis', stream: StreamName, ...aws };
  await compare({
    name: 'Kinesis, 500 records a request',
    sink: () => sinkOf(checkValue(spec, SinkSpec)),
    bare: async (records) => {
      for (const request of groups(records, 500)) {
        const Records = request.map(({ payload, streamId }) => {
          return { Data: payload, PartitionKey: streamId };
        });
        const { FailedRecordCount } = await client.send(
          new PutRecordsCommand({ StreamName, Records }),
        );
        if (FailedRecordCount) throw new Error(`${FailedRecordCount} records failed`);
      }
    },
    ...{ records: 5_000, rounds: 3, warmUp: 1_000 },
  });
  client.destroy();
}

async function firehose(): Promise<void> {
  const DeliveryStreamName = 'bench';
  const client = new FirehoseClient(awsClientConfig(aws, CONCURRENCY));
  await s3.send(new CreateBucketCommand({ Bucket: 'rows' }));
  const ExtendedS3DestinationConfiguration = {
    RoleARN: 'arn:aws:iam::123456789012:role/rows',
    BucketARN: 'arn:aws:s3:::rows',
  };
  await client.send(
    new CreateDeliveryStreamCommand({ DeliveryStreamName, ExtendedS3DestinationConfiguration }),
  );
  const spec = { id: 'firehose', type: 'firehose', deliveryStream: DeliveryStreamName, ...aws };
  await compare({
    name: 'Firehose, 500 rows of objects a record',
    sink: () => sinkOf(checkValue({ ...spec, concurrency: CONCURRENCY }, SinkSpec)),
    bare: async (records) => {
      await eachLimited(groups(records, 2000), 1, async (batch) => {
        const rows = batch.flatMap(({ payload }) => tableLines(DETECTIONS, payload));
        const Records = groups(rows, ROWS_PER_RECORD).map((lines) => {
          return { Data: Buffer.from(lines.map((line) => `${line}\n`).join('')) };
        });
        const requests = groups(Records, 25);
        await eachLimited(requests, CONCURRENCY, async (request) => {
          const { FailedPutCount } = await client.send(
            new PutRecordBatchCommand({ DeliveryStreamName, Records: request }),
          );
          if (FailedPutCount) throw new Error(`${FailedPutCount} records failed`);
        });
      });
    },
    ...{ records: 5_000, rounds: 3, warmUp: 1_000 },
  });
  client.destroy();
}

async function pictures(): Promise<void> {
  const Bucket = 'pictures';
  await s3.send(new CreateBucketCommand({ Bucket }));
  const spec = { id: 's3', type: 's3', bucket: Bucket, prefix: 'sink/', ...aws };
  await compare({
    name: `S3, pictures of ${PICTURE_BYTES} bytes, ${CONCURRENCY} at a time`,
    sink: () => sinkOf(checkValue({ ...spec, concurrency: CONCURRENCY }, SinkSpec)),
    items: (count, run) =>
      Array.from({ length: count }, (_, index) =>
        imageRecord(run * 100_000 + index, PICTURE_BYTES, `cam-${index % 10}`),
      ),
    bare: async (records) => {
      await eachLimited(records, CONCURRENCY, (record) => putPicture(Bucket, record));
    },
    ...{ records: 300, rounds: 3, warmUp: 50 },
  });
}

async function putPicture(Bucket: string, { payload }: OutboxRecord): Promise<void> {
  const { ref, data } = decodeImage(payload);
  await s3.send(
    new PutObjectCommand({
      ...{ Bucket, Key: `bare/${ref}`, Body: data, ContentType: 'image/jpeg' },
      ...{ ChecksumAlgorithm: 'SHA256', IfNoneMatch: '*' },
    }),
  );
}

const SERVICES: Readonly<Record<string, () => Promise<void>>> = { kinesis, firehose, s3: pictures };
const at = process.argv.indexOf('--service');
const chosen = at === -1 ? Object.keys(SERVICES) : [process.argv[at + 1]!];
try {
  for (const name of chosen) await SERVICES[name]!();
} finally {
  s3.destroy();
  await moto.close();
}
