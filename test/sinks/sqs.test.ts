import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodeMessage } from '../../src/consumer/decode.ts';
import { sightline } from '../../src/gen/frame.js';
import { cutIntoRequests } from '../../src/sinks/sqs/requests.ts';
import { type Answer, type Seen, s3Error, sqsError, TestAws } from './aws-proxy.ts';
import { profileKeys } from './profile-keys.ts';
import { errorCode, eventRecord, frameRecord, NO_LIMIT, statuses, withPayload } from './samples.ts';
import { attribute, makeSink, QUEUE } from './sqs-sink.ts';

interface BatchBody {
  readonly Entries: readonly {
    readonly Id: string;
    readonly MessageBody: string;
    readonly MessageAttributes: Readonly<Record<string, { readonly StringValue: string }>>;
    readonly MessageGroupId?: string;
    readonly MessageDeduplicationId?: string;
  }[];
}

function batchBody(seen: Seen): BatchBody {
  return JSON.parse(seen.body.toString()) as BatchBody;
}

function sentIds(aws: TestAws): string[][] {
  return aws
    .actions('SendMessageBatch')
    .map((seen) =>
      batchBody(seen).Entries.map((e) => e.MessageAttributes['recordId']!.StringValue),
    );
}

/** Answers a batch with failures for some of its entries and success for the others, without queueing them. */
function partly(failures: Readonly<Record<string, { code: string; senderFault: boolean }>>) {
  return (seen: Seen): Answer | undefined => {
    if (seen.action !== 'SendMessageBatch') return undefined;
    const Successful: unknown[] = [];
    const Failed: unknown[] = [];
    for (const entry of batchBody(seen).Entries) {
      const failure = failures[entry.MessageAttributes['recordId']!.StringValue];
      const { Id, MessageBody } = entry;
      if (failure !== undefined) {
        Failed.push({ Id, Code: failure.code, SenderFault: failure.senderFault });
      } else {
        const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex');
        Successful.push({ Id, MessageId: `m-${Id}`, MD5OfMessageBody });
      }
    }
    return {
      status: 200,
      body: JSON.stringify({ Successful, Failed }),
      headers: { 'content-type': 'application/x-amz-json-1.0' },
    };
  };
}

test('sqs sink sends protobuf as base64, ten to a request, with ids in attributes', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws);
  const batch = [...Array.from({ length: 24 }, (_, seq) => frameRecord(seq)), eventRecord(24)];
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
  assert.deepEqual(
    sentIds(aws)
      .map(({ length }) => length)
      .sort(),
    [10, 10, 5],
  );
  const messages = aws.messages(QUEUE);
  assert.equal(messages.length, 25);
  const frame = messages.find((message) => attribute(message, 'recordId') === 'cam-1/s1/7')!;
  assert.deepEqual(Buffer.from(frame.body, 'base64'), Buffer.from(batch[7]!.payload));
  assert.equal(sightline.v1.Frame.decode(Buffer.from(frame.body, 'base64')).recordId, 'cam-1/s1/7');
  assert.equal(attribute(frame, 'encoding'), 'base64');
  assert.equal(attribute(frame, 'streamId'), 'cam-1');
  assert.equal(attribute(frame, 'schemaVersion'), '1');
  assert.match(String(attribute(frame, 'contentType')), /^application\/x-protobuf/);
  const event = messages.find((message) => attribute(message, 'kind') === 'event')!;
  assert.equal(event.body, Buffer.from(batch[24]!.payload).toString());
  assert.equal(attribute(event, 'encoding'), undefined);
});

test('sqs sink sends JSON as text, also when the queue is given by URL', async (context) => {
  const aws = await TestAws.start(context);
  const { queueUrl: queue } = aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws, { queue, format: 'json' });
  const damaged = withPayload(frameRecord(2), Buffer.from([0x0a, 0xff]));
  const results = await sink.deliver([frameRecord(1), damaged], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected']);
  const [message] = aws.messages(QUEUE);
  const json = JSON.parse(message!.body) as { recordId: string };
  assert.equal(json.recordId, 'cam-1/s1/1');
  assert.equal(attribute(message!, 'contentType'), 'application/json');
});

test('sqs sink sends again only what failed, and gives up what is the sender’s fault', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws);
  aws.rule = partly({
    'cam-1/s1/2': { code: 'InternalError', senderFault: false },
    'cam-1/s1/3': { code: 'InvalidMessageContents', senderFault: true },
  });
  const batch = Array.from({ length: 5 }, (_, seq) => frameRecord(seq));
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'accepted', 'retry', 'rejected', 'accepted']);
  assert.equal(errorCode(results[3]), 'SL_SINK_REJECTED');
});

test('sqs sink reads the limit again when the queue refuses a size', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  aws.server.createBucket('claims');
  const sink = makeSink(context, aws, { claimCheck: { bucket: 'claims', prefix: '' } });
  await sink.deliver([frameRecord(1)], NO_LIMIT);
  aws.server.deleteQueue(QUEUE);
  aws.server.createQueue(QUEUE, { attributes: { MaximumMessageSize: '1024' } });
  const big = frameRecord(2, { objects: 50 });
  assert.deepEqual(statuses(await sink.deliver([big], NO_LIMIT)), ['retry']);
  assert.deepEqual(statuses(await sink.deliver([big], NO_LIMIT)), ['accepted']);
});

test('sqs sink keeps the order of each group on a FIFO queue', async (context) => {
  const aws = await TestAws.start(context);
  const queue = 'frames.fifo';
  aws.server.createQueue(queue, { attributes: { FifoQueue: 'true' } });
  const sink = makeSink(context, aws, { queue });
  const batch = ['a', 'b', 'a', 'b', 'a'].map((streamId, seq) => frameRecord(seq, { streamId }));
  aws.rule = partly({ 'a/s1/2': { code: 'InternalError', senderFault: false } });
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'accepted', 'retry', 'accepted', 'retry']);
  assert.deepEqual(sentIds(aws), [
    ['a/s1/0', 'b/s1/1'],
    ['a/s1/2', 'b/s1/3'],
  ]);
  aws.rule = () => undefined;
  assert.deepEqual(statuses(await sink.deliver([batch[2]!, batch[4]!], NO_LIMIT)), [
    'accepted',
    'accepted',
  ]);
  assert.deepEqual(sentIds(aws).slice(2), [['a/s1/2'], ['a/s1/4']]);
  const entry = batchBody(aws.actions('SendMessageBatch')[0]!).Entries[0]!;
  assert.equal(entry.MessageGroupId, 'a');
  assert.equal(entry.MessageDeduplicationId, createHash('sha256').update('a/s1/0').digest('hex'));
});

test('sqs sink isolates the message that makes a whole request be refused', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws);
  aws.rule = (seen) =>
    seen.action === 'SendMessageBatch' && seen.body.includes('cam-1/s1/6')
      ? sqsError('BatchRequestTooLong')
      : undefined;
  const batch = Array.from({ length: 8 }, (_, seq) => frameRecord(seq));
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(
    statuses(results),
    batch.map((_, seq) => (seq === 6 ? 'rejected' : 'accepted')),
  );
  assert.equal(aws.messages(QUEUE).length, 7);
});

test('sqs sink tells an absent queue, throttling and refusal apart and sends no more', async (context) => {
  const aws = await TestAws.start(context);
  const absent = makeSink(context, aws);
  await assert.rejects(absent.deliver([frameRecord(1)], NO_LIMIT), { code: 'SL_SINK_UNAVAILABLE' });
  aws.server.createQueue(QUEUE);
  assert.deepEqual(statuses(await absent.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);

  const sink = makeSink(context, aws, { concurrency: 1 });
  await sink.deliver([frameRecord(0)], NO_LIMIT);
  const batch = Array.from({ length: 40 }, (_, seq) => frameRecord(seq));
  const cases = [
    ['RequestThrottled', 'SL_SINK_THROTTLED'],
    ['InvalidClientTokenId', 'SL_SINK_UNAUTHORIZED'],
    ['InternalFailure', 'SL_SINK_UNAVAILABLE'],
  ] as const;
  for (const [name, code] of cases) {
    aws.rule = (seen) => (seen.action === 'SendMessageBatch' ? sqsError(name, 400) : undefined);
    const before = aws.actions('SendMessageBatch').length;
    const results = await sink.deliver(batch, NO_LIMIT);
    assert.deepEqual(new Set(results.map(errorCode)), new Set([code]));
    assert.ok(aws.actions('SendMessageBatch').length - before <= 2);
  }
});

test('a request to a server that never answers ends with the attempt', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws);
  await sink.deliver([frameRecord(0)], NO_LIMIT);
  const cut = new AbortController();
  aws.rule = () => {
    queueMicrotask(() => cut.abort(new Error('attempt over')));
    return 'silence';
  };
  const [result] = await sink.deliver([frameRecord(1)], { signal: cut.signal });
  assert.equal(result?.status, 'retry');
});

test('requests hold at most ten messages and the bytes of a batch', () => {
  const limits = { isFifo: false, maxBatchBytes: 1000 };
  const sizes = (counts: readonly number[]) =>
    cutIntoRequests(
      counts.map((bytes) => ({ bytes, groupId: 'g' })),
      limits,
    ).map((request) => request.map(({ bytes }) => bytes));
  assert.deepEqual(sizes([400, 400, 400]), [[400, 400], [400]]);
  assert.deepEqual(sizes([1000, 1]), [[1000], [1]]);
  assert.deepEqual(
    sizes(new Array(23).fill(1)).map(({ length }) => length),
    [10, 10, 3],
  );
});

test('sqs sink sends CloudEvents in the body, and bundles that fit into the queue', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE, { attributes: { MaximumMessageSize: '8192' } });
  const events = makeSink(context, aws, { envelope: 'cloudevents' });
  await events.deliver([frameRecord(1)], NO_LIMIT);
  const [event] = aws.messages(QUEUE);
  assert.match(String(attribute(event!, 'contentType')), /^application\/cloudevents\+json/);
  assert.equal(attribute(event!, 'encoding'), undefined);
  const { id, type } = JSON.parse(event!.body) as { id: string; type: string };
  assert.deepEqual([id, type], ['cam-1/s1/1', 'sightline.frame.v1']);

  const bundles = makeSink(context, aws, { framesPerMessage: 1000 });
  const batch = Array.from({ length: 100 }, (_, seq) => frameRecord(seq));
  const results = await bundles.deliver(batch, NO_LIMIT);
  assert.deepEqual(new Set(statuses(results)), new Set(['accepted']));
  const sent = aws.messages(QUEUE).slice(1);
  assert.ok(sent.length > 1 && sent.length < 10, `${sent.length} messages`);
  const records = sent.flatMap((message) =>
    decodeMessage(message.body, message.messageAttributes as Record<string, unknown>),
  );
  assert.deepEqual(
    new Set(records.map(({ recordId }) => recordId)),
    new Set(batch.map(({ recordId }) => recordId)),
  );
});

test('sqs sink sends text with characters that SQS refuses as base64', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws);
  const text = '{"type":"entered","zone":"\uffff door"}';
  const odd = withPayload(eventRecord(1), Buffer.from(text));
  assert.deepEqual(statuses(await sink.deliver([odd], NO_LIMIT)), ['accepted']);
  const [message] = aws.messages(QUEUE);
  assert.equal(attribute(message!, 'encoding'), 'base64');
  assert.equal(Buffer.from(message!.body, 'base64').toString(), text);
});

test('sqs sink gives up no message for a fault of the account', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws);
  aws.rule = partly({
    'cam-1/s1/0': { code: 'KmsThrottled', senderFault: true },
    'cam-1/s1/1': { code: 'KmsAccessDenied', senderFault: true },
  });
  const results = await sink.deliver([frameRecord(0), frameRecord(1)], NO_LIMIT);
  assert.deepEqual(statuses(results), ['retry', 'retry']);
  assert.deepEqual(results.map(errorCode), ['SL_SINK_THROTTLED', 'SL_SINK_UNAUTHORIZED']);
});

test('sqs sink gives up what makes SQS refuse a whole request, and that alone', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const sink = makeSink(context, aws, { format: 'json' });
  const batch = Array.from({ length: 9 }, (_, seq) => eventRecord(seq));
  batch[3] = withPayload(batch[3]!, Buffer.alloc(0));
  batch[6] = { ...batch[6]!, streamId: 'cam-\u0001' };
  const expected = batch.map((_, seq) => (seq === 3 || seq === 6 ? 'rejected' : 'accepted'));
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), expected);
  assert.deepEqual(statuses(await sink.deliver([batch[0]!], NO_LIMIT)), ['accepted']);
  // Read a while ago, the limits of the queue may be to blame: they are read again first.
  const again = [batch[3]!, ...batch.slice(4, 6)];
  assert.deepEqual(new Set(statuses(await sink.deliver(again, NO_LIMIT))), new Set(['retry']));
  assert.deepEqual(statuses(await sink.deliver(again, NO_LIMIT)), [
    ...['rejected', 'accepted', 'accepted'],
  ]);
  // Nothing was taken: the configuration may be to blame.
  aws.rule = ({ action }) =>
    action === 'SendMessageBatch' ? sqsError('InvalidParameterValue') : undefined;
  await sink.deliver(again, NO_LIMIT);
  const results = await sink.deliver(again, NO_LIMIT);
  assert.deepEqual(new Set(results.map(errorCode)), new Set(['SL_SINK_UNAVAILABLE']));
});

test('sqs sink sends what is exactly as long as the queue takes, counted in UTF-8', async (context) => {
  const aws = await TestAws.start(context);
  const room = 4096;
  aws.server.createQueue(QUEUE, { attributes: { MaximumMessageSize: String(room) } });
  const sink = makeSink(context, aws);
  const make = (bytes: number) => {
    const json = `{"a":"${'é€'.repeat(50)}`;
    const fill = 'x'.repeat(bytes - Buffer.byteLength(json) - 2);
    return withPayload(eventRecord(1), Buffer.from(`${json}${fill}"}`));
  };
  const first = await sink.deliver([make(1000)], NO_LIMIT);
  assert.deepEqual(first, [{ status: 'accepted' }]);
  const [message] = aws.messages(QUEUE);
  const attributes = Object.entries(message!.messageAttributes as Record<string, object>);
  const named = attributes.reduce((sum, [name]) => {
    return sum + name.length + 'String'.length + Buffer.byteLength(attribute(message!, name)!);
  }, 0);
  const results = await sink.deliver([make(room - named), make(room - named + 1)], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected']);
});

test('sqs sink and its claims take up keys that were changed in the file of the profile', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  aws.server.createBucket('claims');
  const keys = profileKeys(context);
  keys.write('WRONG');
  aws.rule = ({ headers, path }) => {
    if (headers.authorization?.includes('Credential=WRONG/') !== true) return undefined;
    return path.startsWith('/claims')
      ? s3Error('InvalidAccessKeyId', 403)
      : sqsError('InvalidClientTokenId', 403);
  };
  const sink = makeSink(context, aws, {
    ...{ credentials: undefined as never },
    claimCheck: { bucket: 'claims', prefix: '', aboveBytes: 0 },
  });
  await assert.rejects(sink.deliver([frameRecord(1)], NO_LIMIT), { code: 'SL_SINK_UNAUTHORIZED' });
  keys.write('RIGHT');
  assert.deepEqual(statuses(await sink.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
  keys.write('WRONG');
  // What was found stays until it is refused.
  assert.deepEqual(statuses(await sink.deliver([frameRecord(2)], NO_LIMIT)), ['accepted']);
  aws.rule = ({ headers, path }) =>
    headers.authorization?.includes('Credential=RIGHT/') === true && path.startsWith('/claims')
      ? s3Error('InvalidAccessKeyId', 403)
      : undefined;
  const [refused] = await sink.deliver([frameRecord(3)], NO_LIMIT);
  assert.equal(errorCode(refused), 'SL_SINK_UNAUTHORIZED');
  assert.deepEqual(statuses(await sink.deliver([frameRecord(3)], NO_LIMIT)), ['accepted']);
});
