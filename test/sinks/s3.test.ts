import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { checkValue } from '../../src/common/check.ts';
import type { Logger } from '../../src/common/logger.ts';
import { encodeDelimited } from '../../src/sinks/format/length-delimited.ts';
import { S3Sink } from '../../src/sinks/s3/sink.ts';
import { S3SinkSpec } from '../../src/sinks/s3/spec.ts';
import { until } from '../support/wait.ts';
import { BUCKET_OWNER } from './aws-limits/s3.ts';
import { s3Error, TestAws } from './aws-proxy.ts';
import {
  errorCode,
  eventRecord,
  frameRecord,
  imageRecord,
  imageRef,
  NO_LIMIT,
  START_MS,
  statuses,
  withPayload,
} from './samples.ts';

const BUCKET = 'pictures';

function makeSink(context: TestContext, aws: TestAws, spec: object = {}, logger?: Logger): S3Sink {
  aws.server.createBucket(BUCKET);
  const whole = { id: 's3', type: 's3', bucket: BUCKET, prefix: 'raw/', concurrency: 4 };
  const sink = new S3Sink(checkValue({ ...whole, ...aws.client, ...spec }, S3SinkSpec), logger);
  context.after(() => sink.close());
  return sink;
}

function reader(context: TestContext, aws: TestAws): S3Client {
  const client = new S3Client({ ...aws.client, forcePathStyle: true });
  context.after(() => client.destroy());
  return client;
}

test('s3 sink puts each picture at its key with checksum, type and metadata', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws);
  const batch = [1, 2, 3].map((seq) => imageRecord(seq, 10_000));
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'accepted', 'accepted']);
  const data = Buffer.alloc(10_000, 2);
  const hash = createHash('sha256').update(data).digest();
  const client = reader(context, aws);
  const object = await client.send(
    new GetObjectCommand({ Bucket: BUCKET, Key: `raw/${imageRef(2)}` }),
  );
  assert.deepEqual(Buffer.from(await object.Body!.transformToByteArray()), data);
  assert.equal(object.ContentType, 'image/jpeg');
  assert.deepEqual(object.Metadata, {
    'captured-at': '2026-01-31T13:00:02.000Z',
    'record-id': 'cam-1/s1/2/image',
    'schema-version': '1',
    sha256: hash.toString('hex'),
    'stream-id': 'cam-1',
  });
  const put = aws.seen.find(({ path }) => path.includes('s1-2.jpg'))!;
  assert.equal(put.headers['x-amz-checksum-sha256'], hash.toString('base64'));
  assert.equal(put.headers['if-none-match'], '*');
});

test('s3 sink takes a key that holds the same bytes for delivered, and rejects one that does not', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws);
  await sink.deliver([imageRecord(1), imageRecord(2)], NO_LIMIT);
  const other = { ...imageRecord(2, 999), recordId: 'other' };
  const results = await sink.deliver([imageRecord(1), other], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected']);
  assert.equal(errorCode(results[1]), 'SL_SINK_REJECTED');
  const head = await reader(context, aws).send(
    new HeadObjectCommand({ Bucket: BUCKET, Key: `raw/${imageRef(2)}` }),
  );
  assert.equal(head.ContentLength, 20_000);
});

test('s3 sink tries a racing put (409) again and only that one', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws);
  aws.rule = ({ method, path }) =>
    method === 'PUT' && path.includes('s1-2.jpg')
      ? s3Error('ConditionalRequestConflict', 409)
      : undefined;
  const batch = [1, 2, 3].map((seq) => imageRecord(seq));
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'retry', 'accepted']);
  aws.rule = () => undefined;
  assert.deepEqual(statuses(await sink.deliver([batch[1]!], NO_LIMIT)), ['accepted']);
});

test('s3 sink tells throttling, refusal, absence and damage apart', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws);
  const cases = [
    [s3Error('SlowDown', 503), 'SL_SINK_THROTTLED'],
    [s3Error('InternalError', 500), 'SL_SINK_UNAVAILABLE'],
    [s3Error('AccessDenied', 403), 'SL_SINK_UNAUTHORIZED'],
    [s3Error('ExpiredToken', 400), 'SL_SINK_UNAUTHORIZED'],
    [s3Error('NoSuchBucket', 404), 'SL_SINK_UNAVAILABLE'],
    [s3Error('EntityTooLarge', 400), 'SL_SINK_REJECTED'],
    ['cut', 'SL_SINK_UNAVAILABLE'],
  ] as const;
  for (const [answer, code] of cases) {
    aws.rule = () => answer;
    const results = await sink.deliver([imageRecord(1)], NO_LIMIT);
    assert.equal(errorCode(results[0]), code);
    assert.deepEqual(statuses(results), [code === 'SL_SINK_REJECTED' ? 'rejected' : 'retry']);
  }
  aws.rule = () => undefined;
  const damaged = withPayload(imageRecord(2), Buffer.from([0x0a, 0xff]));
  assert.deepEqual(statuses(await sink.deliver([damaged], NO_LIMIT)), ['rejected']);
});

test('s3 sink sends no more of a batch once the service fails', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws);
  aws.rule = () => s3Error('AccessDenied', 403);
  const batch = Array.from({ length: 16 }, (_, seq) => imageRecord(seq));
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(new Set(statuses(results)), new Set(['retry']));
  assert.ok(aws.seen.length <= 4, `${aws.seen.length} requests`);
});

const MIB = 1024 * 1024;

async function bytesOf(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

test('s3 sink puts large objects in parts, once, and aborts what it cannot finish (F24)', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws);
  const large = imageRecord(1, 20 * MIB);
  assert.deepEqual(statuses(await sink.deliver([large], NO_LIMIT)), ['accepted']);
  assert.equal(aws.seen.filter(({ path }) => path.includes('partNumber=')).length, 3);
  const put = await bytesOf(reader(context, aws), `raw/${imageRef(1)}`);
  assert.ok(put.equals(Buffer.alloc(20 * MIB, 1)));
  assert.deepEqual(statuses(await sink.deliver([large], NO_LIMIT)), ['accepted'], 'a resend');
  assert.equal(aws.s3.openUploads, 0, 'the second upload was aborted when the key was there');

  // An answer with status 200 may still be an error, and one that got lost may stand for a success.
  const next = imageRecord(2, 17 * MIB);
  const isEnd = ({ method, path }: { method: string; path: string }): boolean =>
    method === 'POST' && path.includes('uploadId=');
  aws.rule = (seen) => (isEnd(seen) ? { ...s3Error('InternalError', 200) } : undefined);
  assert.deepEqual(statuses(await sink.deliver([next], NO_LIMIT)), ['retry']);
  assert.equal(aws.s3.openUploads, 0);
  let races = 0;
  aws.rule = (seen) =>
    isEnd(seen) && races++ === 0 ? s3Error('ConditionalRequestConflict', 409) : undefined;
  assert.deepEqual(statuses(await sink.deliver([next], NO_LIMIT)), ['accepted']);
  assert.equal(races, 2, 'the whole upload again');
  assert.equal(aws.s3.openUploads, 0);
});

test('s3 sink gathers records into objects by folder, the same again for the same records', async (context) => {
  const aws = await TestAws.start(context);
  const records = { kinds: ['frame', 'event'], format: 'ndjson' };
  const sink = makeSink(context, aws, { records });
  assert.deepEqual(sink.kinds, ['frame', 'event']);
  const hour = 3_600_000;
  const batch = [
    frameRecord(1),
    frameRecord(2, { streamId: 'b/../c' }),
    withPayload(frameRecord(3), Buffer.from([0x0a, 0xff])),
    frameRecord(4),
    frameRecord(5, { atMs: START_MS + hour }),
    eventRecord(6),
  ];
  const expected = ['accepted', 'accepted', 'rejected', 'accepted', 'accepted', 'accepted'];
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), expected);
  const puts = () => aws.seen.filter(({ method }) => method === 'PUT').map(({ path }) => path);
  const keys = puts().map((path) =>
    decodeURIComponent(path.split('?')[0]!).slice(BUCKET.length + 2),
  );
  assert.deepEqual(keys.map((key) => key.slice(0, key.lastIndexOf('/'))).sort(), [
    'raw/events/camera=cam-1/date=2026-01-31/hour=13',
    'raw/frames/camera=b%2F..%2Fc/date=2026-01-31/hour=13',
    'raw/frames/camera=cam-1/date=2026-01-31/hour=13',
    'raw/frames/camera=cam-1/date=2026-01-31/hour=14',
  ]);
  const key = keys.find(
    (item) => item.includes('frames/camera=cam-1') && item.includes('hour=13'),
  )!;
  const lines = (await bytesOf(reader(context, aws), key)).toString().trimEnd().split('\n');
  const ids = lines.map((line) => (JSON.parse(line) as { recordId: string }).recordId);
  assert.deepEqual(ids, ['cam-1/s1/1', 'cam-1/s1/4']);
  const before = puts();
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), expected);
  assert.deepEqual(puts().slice(before.length).sort(), before.sort(), 'the same keys');
});

test('s3 sink gathers protobuf frames that can be read one after the other', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws, { records: { format: 'protobuf', folder: '{streamId}' } });
  const batch = [1, 2, 3].map((seq) => frameRecord(seq));
  await sink.deliver(batch, NO_LIMIT);
  const { path } = aws.seen.find(({ method }) => method === 'PUT')!;
  assert.match(path, /^\/pictures\/raw\/cam-1\/20260131T130000033Z-[0-9a-f]{24}\.pb/);
  const data = await bytesOf(reader(context, aws), path.split('?')[0]!.slice(BUCKET.length + 2));
  assert.ok(data.equals(encodeDelimited(batch.map(({ payload }) => payload))));
  const bad = { records: { folder: '{nothing}' } };
  assert.throws(() => makeSink(context, aws, bad), { code: 'SL_CONFIG_INVALID' });
});

test('s3 sink asks for encryption, storage class and the owner it was told', async (context) => {
  const aws = await TestAws.start(context);
  const sink = makeSink(context, aws, {
    encryption: { type: 'kms', keyId: 'alias/pictures', bucketKey: true },
    storageClass: 'INTELLIGENT_TIERING',
    expectedBucketOwner: BUCKET_OWNER,
  });
  const batch = [imageRecord(1), imageRecord(2, 17 * MIB)];
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), ['accepted', 'accepted']);
  const creations = aws.seen.filter(({ path, method }) =>
    method === 'PUT' ? !path.includes('partNumber') : path.includes('uploads'),
  );
  assert.equal(creations.length, 2);
  for (const { headers } of creations) {
    assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms');
    assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], 'alias/pictures');
    assert.equal(headers['x-amz-server-side-encryption-bucket-key-enabled'], 'true');
    assert.equal(headers['x-amz-storage-class'], 'INTELLIGENT_TIERING');
  }
  for (const { headers } of aws.seen) {
    assert.equal(headers['x-amz-expected-bucket-owner'], BUCKET_OWNER);
  }
  const wrong = makeSink(context, aws, { expectedBucketOwner: '999999999999' });
  assert.equal(
    errorCode((await wrong.deliver([imageRecord(3)], NO_LIMIT))[0]),
    'SL_SINK_UNAUTHORIZED',
  );
});

test('s3 sink puts objects into the backup while the bucket fails for too long, and comes back', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createBucket('spare');
  const said: string[] = [];
  const note = (_facts: object, event: string) => said.push(event);
  const logger = { warn: note, info: note } as unknown as Logger;
  const backup = { bucket: 'spare', prefix: 'from-pictures/', afterMs: 1000, forMs: 1000 };
  const sink = makeSink(context, aws, { backup }, logger);
  const isMain = ({ path }: { path: string }): boolean => path.startsWith(`/${BUCKET}/`);
  aws.rule = (seen) => (isMain(seen) ? s3Error('AccessDenied', 403) : undefined);
  const [first] = await sink.deliver([imageRecord(1)], NO_LIMIT);
  assert.equal(first?.status, 'retry', 'not at once');
  await until('the backup takes over', 10_000, async () => {
    return (await sink.deliver([imageRecord(1)], NO_LIMIT))[0]?.status === 'accepted';
  });
  assert.deepEqual(said, ['s3.backup']);
  const mainRequests = aws.seen.filter(isMain).length;
  await sink.deliver([imageRecord(2)], NO_LIMIT);
  assert.equal(
    aws.seen.filter(isMain).length,
    mainRequests,
    'the bucket is left alone for a while',
  );
  aws.rule = () => undefined;
  await until('the bucket is used again', 10_000, async () => {
    await sink.deliver([imageRecord(3)], NO_LIMIT);
    return said.includes('s3.backup_ended');
  });
  const spare = aws.seen.filter(({ path }) => path.startsWith('/spare/from-pictures/cam-1/'));
  assert.ok(spare.length >= 2);
  const puts = spare.filter(({ method }) => method === 'PUT');
  assert.equal(sink.backupObjects, puts.length);
});
