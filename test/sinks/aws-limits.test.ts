import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { BUCKET_OWNER } from './aws-limits/s3.ts';
import { TestAws } from './aws-proxy.ts';

// The proxy in front of the emulator refuses what AWS refuses: without that, the tests of the sinks would show nothing.

const MIB = 1024 * 1024;

async function start(context: TestContext): Promise<TestAws> {
  const aws = await TestAws.start(context);
  aws.server.createBucket('bucket');
  return aws;
}

test('the limits proxy refuses batches that SQS refuses', async (context) => {
  const aws = await start(context);
  const urls: Record<string, string> = {
    q: aws.server.createQueue('q').queueUrl,
    'q.fifo': aws.server.createQueue('q.fifo', { attributes: { FifoQueue: 'true' } }).queueUrl,
  };
  const send = async (queue: string, Entries: readonly object[]): Promise<string> => {
    const QueueUrl = urls[queue];
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.SendMessageBatch',
      },
      body: JSON.stringify({ QueueUrl, Entries }),
    });
    const { __type = '' } = (await response.json()) as { __type?: string };
    return `${response.status} ${__type.split('#')[1] ?? ''}`.trim();
  };
  const entry = (Id: string, more: object = {}) => ({ Id, MessageBody: 'x', ...more });
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`a${i}`, text('v')]));
  const group = { MessageGroupId: 'cam', MessageDeduplicationId: 'd' };
  const eleven = Array.from({ length: 11 }, (_, i) => entry(`e${i}`));
  const half = 'x'.repeat(MIB / 2);
  const cases: [string, readonly object[], string][] = [
    ['q', [entry('a')], '200'],
    ['q', [], '400 EmptyBatchRequest'],
    ['q', eleven, '400 TooManyEntriesInBatchRequest'],
    ['q', [entry('a'), entry('a')], '400 BatchEntryIdsNotDistinct'],
    ['q', [entry('a b')], '400 InvalidBatchEntryId'],
    ['q', ['a', 'b'].map((id) => entry(id, { MessageBody: half })), '200'],
    [
      'q',
      ['a', 'b'].map((id) =>
        entry(id, { MessageBody: half, MessageAttributes: { kind: text('frame') } }),
      ),
      '400 BatchRequestTooLong',
    ],
    ['q', [entry('a', { MessageBody: '\u0000' })], '400 InvalidMessageContents'],
    ['q', [entry('a', { MessageBody: '\uffff' })], '400 InvalidMessageContents'],
    ['q', [entry('a', { MessageBody: '' })], '400 MissingParameter'],
    ['q', [entry('a', { MessageAttributes: many })], '400 InvalidParameterValue'],
    ['q', [entry('a', { MessageAttributes: { kind: text('') } })], '400 InvalidParameterValue'],
    ['q', [entry('a', { MessageGroupId: 'a b' })], '400 InvalidParameterValue'],
    ['q', [entry('a', { MessageDeduplicationId: 'd' })], '400 InvalidParameterValue'],
    ['q.fifo', [entry('a')], '400 MissingParameter'],
    ['q.fifo', [entry('a', { MessageGroupId: 'cam' })], '400 InvalidParameterValue'],
    ['q.fifo', [entry('a', group)], '200'],
  ];
  for (const [queue, entries, expected] of cases) {
    const what = JSON.stringify(entries).slice(0, 80);
    assert.equal(await send(queue, entries), expected, `${queue} ${what}`);
  }
});

test('the limits proxy refuses objects that S3 refuses', async (context) => {
  const aws = await start(context);
  const call = async (
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<string> => {
    const response = await fetch(`${aws.endpoint}/bucket/${path}`, {
      method,
      headers: { 'content-type': 'application/octet-stream', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const code = /<Code>(\w+)</.exec(await response.text())?.[1] ?? '';
    return `${response.status} ${code}`.trim();
  };
  const once = { 'if-none-match': '*' };
  assert.equal(await call('PUT', 'a', 'x', once), '200');
  assert.equal(await call('PUT', 'a', 'x', once), '412 PreconditionFailed');
  assert.equal(await call('PUT', 'a', 'x'), '200');
  const racing = await Promise.all([call('PUT', 'b', 'x', once), call('PUT', 'b', 'x', once)]);
  assert.deepEqual(racing.sort(), ['200', '409 ConditionalRequestConflict']);
  const sum = createHash('sha256').update('x').digest('base64');
  assert.equal(await call('PUT', 'c', 'x', { 'x-amz-checksum-sha256': sum }), '200');
  assert.equal(await call('PUT', 'c', 'y', { 'x-amz-checksum-sha256': sum }), '400 BadDigest');
  const metadata = { 'x-amz-meta-a': 'v'.repeat(2048) };
  assert.equal(await call('PUT', 'd', 'x', metadata), '400 MetadataTooLarge');
  assert.equal(await call('PUT', 'k'.repeat(1025), 'x'), '400 KeyTooLongError');
  const owner = (id: string) => ({ 'x-amz-expected-bucket-owner': id });
  assert.equal(await call('PUT', 'e', 'x', owner('999999999999')), '403 AccessDenied');
  assert.equal(await call('PUT', 'e', 'x', owner(BUCKET_OWNER)), '200');

  const started = await fetch(`${aws.endpoint}/bucket/big?uploads`, { method: 'POST' });
  const id = /<UploadId>([^<]+)</.exec(await started.text())![1]!;
  assert.equal(await call('PUT', `big?partNumber=1&uploadId=${id}`, Buffer.alloc(MIB)), '200');
  assert.equal(await call('PUT', `big?partNumber=2&uploadId=${id}`, 'x'), '200');
  assert.equal(
    await call('PUT', `big?partNumber=10001&uploadId=${id}`, 'x'),
    '400 InvalidArgument',
  );
  const part = (number: number): string =>
    `<Part><PartNumber>${number}</PartNumber><ETag>e</ETag></Part>`;
  const list = (...numbers: number[]): string =>
    `<CompleteMultipartUpload>${numbers.map(part).join('')}</CompleteMultipartUpload>`;
  const complete = `big?uploadId=${id}`;
  assert.equal(await call('POST', complete, list(1, 2)), '400 EntityTooSmall');
  assert.equal(await call('POST', complete, list(1, 3)), '400 InvalidPart');
  assert.equal(await call('POST', 'big?uploadId=none', list(1)), '404 NoSuchUpload');
  assert.equal(aws.s3.openUploads, 1);
  assert.equal(await call('DELETE', complete), '204');
  assert.equal(aws.s3.openUploads, 0);
});
