import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Message } from '@aws-sdk/client-sqs';
import { readSqsMessage } from '../../src/consumer/sqs.ts';
import type { ClaimCheck } from '../../src/sinks/sqs/claims.ts';
import { TestAws } from './aws-proxy.ts';
import { frameRecord, imageRecord, NO_LIMIT, statuses, withPayload } from './samples.ts';
import { attribute, makeSink, QUEUE } from './sqs-sink.ts';

function s3Client(context: TestContext, aws: TestAws): S3Client {
  const client = new S3Client({ ...aws.client, forcePathStyle: true });
  context.after(() => client.destroy());
  return client;
}

/** The pictures that wait, read as a consumer does. */
async function readPictures(aws: TestAws, s3: S3Client): Promise<Buffer[]> {
  const read = await Promise.all(
    aws.messages(QUEUE).map(({ body, messageAttributes }) => {
      const MessageAttributes = messageAttributes as unknown as NonNullable<
        Message['MessageAttributes']
      >;
      return readSqsMessage({ Body: body, MessageAttributes }, s3, NO_LIMIT.signal);
    }),
  );
  return read.flat().map((record) => {
    assert.equal(record.kind, 'image');
    return Buffer.from(record.bytes);
  });
}

test('sqs sink puts a record above the limit of the queue into S3 first and sends its address', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE, { attributes: { MaximumMessageSize: '2048' } });
  aws.server.createBucket('claims');
  const sink = makeSink(context, aws, { claimCheck: { bucket: 'claims', prefix: 'big/' } });
  const big = frameRecord(2, { objects: 100 });
  const results = await sink.deliver([frameRecord(1), big], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'accepted']);
  const message = aws.messages(QUEUE).find((item) => attribute(item, 'recordId') === big.recordId)!;
  const claim = JSON.parse(message.body) as ClaimCheck;
  const hash = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
  assert.deepEqual(claim, {
    bucket: 'claims',
    key: `big/cam-1/${hash(big.payload)}`,
    size: big.payload.byteLength,
    sha256: hash(big.payload),
    recordId: big.recordId,
    contentType: 'application/x-protobuf; messageType="sightline.v1.Frame"',
  });
  assert.equal(attribute(message, 'contentType'), 'application/vnd.sightline.claim-check+json');
  const client = s3Client(context, aws);
  const object = await client.send(new GetObjectCommand({ Bucket: claim.bucket, Key: claim.key }));
  const data = Buffer.from(await object.Body!.transformToByteArray());
  assert.deepEqual(data, Buffer.from(big.payload));
  const put = aws.seen.findIndex(({ method }) => method === 'PUT');
  const sent = aws.seen.findIndex(({ action }) => action === 'SendMessageBatch');
  assert.ok(put < sent, 'the object before the message');
  assert.equal(aws.seen[put]!.headers['x-amz-content-sha256'], claim.sha256, 'it is signed');

  const again = await sink.deliver([big], NO_LIMIT);
  assert.deepEqual(statuses(again), ['accepted'], 'a resend finds its object there');
  const without = makeSink(context, aws);
  assert.deepEqual(statuses(await without.deliver([big], NO_LIMIT)), ['rejected']);
});

test('messages gather for a tenth of a second, or as long as the claim check says', async (context) => {
  const aws = await TestAws.start(context);
  assert.equal(makeSink(context, aws).limits.maxWaitMs, 100);
  const claimCheck = { bucket: 'claims', prefix: '', packBytes: 60_000, packMs: 500 };
  assert.equal(makeSink(context, aws, { claimCheck }).limits.maxWaitMs, 500);
});

test('records that go to S3 together share objects, and each is read by its claim', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  aws.server.createBucket('claims');
  const client = s3Client(context, aws);
  const claimCheck = { bucket: 'claims', prefix: 'claims/', aboveBytes: 0, packBytes: 60_000 };
  const sink = makeSink(context, aws, { kinds: ['image'], claimCheck });
  const sizes = [20_000, 25_000, 30_000, 70_000, 10_000];
  const records = sizes.map((size, index) => imageRecord(index + 1, size));
  assert.deepEqual(
    statuses(await sink.deliver(records, NO_LIMIT)),
    sizes.map(() => 'accepted'),
  );
  const claims = aws.messages(QUEUE).map(({ body }) => JSON.parse(body) as ClaimCheck);
  const [a, b, c, d, e] = claims.map(({ key }) => key);
  assert.equal(a, b);
  assert.deepEqual(
    new Set([a, c, d, e]).size,
    4,
    'the big one lies between the third and the last',
  );
  assert.equal(claims[1]!.offset, claims[0]!.size);
  assert.match(a!, /^claims\/packs\/[0-9a-f]{64}$/);
  assert.match(c!, /^claims\/cam-1\/[0-9a-f]{64}$/, 'alone it is an object as ever');
  assert.equal(aws.seen.filter(({ method }) => method === 'PUT').length, 4);
  assert.deepEqual(
    await readPictures(aws, client),
    records.map(({ payload }) => Buffer.from(payload)),
  );

  aws.rule = ({ method, path }) =>
    method === 'PUT' && path.includes('/packs/') ? { status: 503, body: '' } : undefined;
  const others = [6, 7, 8].map((seq) => imageRecord(seq, seq === 8 ? 70_000 : 20_000));
  assert.deepEqual(
    statuses(await sink.deliver(others, NO_LIMIT)),
    ['retry', 'retry', 'accepted'],
    'those of an object share its fate',
  );
});

test('pictures go inline where they fit, into S3 where they do not, and all into S3 when asked for', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  aws.server.createBucket('claims');
  const client = s3Client(context, aws);
  const [small, large] = [imageRecord(1, 20_000), imageRecord(2, 1_200_000)];
  const isClaim = (message: { messageAttributes?: unknown }) =>
    attribute(message, 'contentType') === 'application/vnd.sightline.claim-check+json';
  const claimCheck = { bucket: 'claims', prefix: 'claims/' };

  const sink = makeSink(context, aws, { kinds: ['image'], claimCheck });
  assert.deepEqual(statuses(await sink.deliver([small, large], NO_LIMIT)), [
    'accepted',
    'accepted',
  ]);
  assert.deepEqual(aws.messages(QUEUE).map(isClaim), [false, true]);
  const always = makeSink(context, aws, {
    kinds: ['image'],
    claimCheck: { ...claimCheck, aboveBytes: 0 },
  });
  assert.deepEqual(statuses(await always.deliver([small], NO_LIMIT)), ['accepted']);
  assert.deepEqual(aws.messages(QUEUE).map(isClaim), [false, true, true]);

  assert.deepEqual(
    await readPictures(aws, client),
    [small, large, small].map(({ payload }) => Buffer.from(payload)),
  );
});

test('a body without a byte is an object of its own', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  aws.server.createBucket('claims');
  for (const packing of [{}, { packBytes: 60_000 }]) {
    const claimCheck = { bucket: 'claims', prefix: 'claims/', aboveBytes: 0, ...packing };
    const sink = makeSink(context, aws, { kinds: ['image'], claimCheck });
    const empty = withPayload(imageRecord(2, 10), new Uint8Array());
    const records = [empty, imageRecord(1, 20_000), empty, imageRecord(3, 20_000)];
    assert.deepEqual(
      statuses(await sink.deliver(records, NO_LIMIT)),
      records.map(() => 'accepted'),
    );
  }
  const claims = aws.messages(QUEUE).map(({ body }) => JSON.parse(body) as ClaimCheck);
  assert.deepEqual([...new Set(claims.map(({ offset }) => offset))], [undefined]);
});
