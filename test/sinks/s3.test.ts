import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { S3Sink } from '../../src/sinks/s3/sink.ts';
import { s3Error, TestAws } from './aws-proxy.ts';
import { errorCode, imageRecord, imageRef, NO_LIMIT, statuses, withPayload } from './samples.ts';

const BUCKET = 'pictures';

function makeSink(context: TestContext, aws: TestAws): S3Sink {
  aws.server.createBucket(BUCKET);
  const sink = new S3Sink({
    id: 's3',
    type: 's3',
    required: true,
    bucket: BUCKET,
    prefix: 'raw/',
    concurrency: 4,
    ...aws.client,
  });
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
