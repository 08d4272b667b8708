import assert from 'node:assert/strict';
import test from 'node:test';
import type { EntryLimits } from './aws-limits/entries.ts';
import { eventBridgeLimits } from './aws-limits/eventbridge.ts';
import { firehoseLimits } from './aws-limits/firehose.ts';
import { kinesisLimits } from './aws-limits/kinesis.ts';
import type { Seen } from './aws-limits/limits.ts';

type Fields = Readonly<Record<string, unknown>>;

function seen(action: string, body: Fields): Seen {
  const bytes = Buffer.from(JSON.stringify(body));
  return { method: 'POST', path: '/', action, headers: {}, body: bytes };
}

/** The name of the error of the whole request. */
function refusal(limits: EntryLimits, request: Seen): unknown {
  const answer = limits.refuse(request);
  return answer && (JSON.parse(answer.body) as Fields)['__type'];
}

const data = (bytes: number) => Buffer.alloc(bytes).toString('base64');
const MIB = 1024 * 1024;

test('the proxy refuses what PutRecords refuses', () => {
  const limits = kinesisLimits();
  const put = (Records: Fields[]) => refusal(limits, seen('PutRecords', { Records }));
  const record = (bytes: number, PartitionKey = 'k') => ({ Data: data(bytes), PartitionKey });
  assert.equal(put(new Array(500).fill(record(1))), undefined);
  assert.equal(put(new Array(501).fill(record(1))), 'ValidationException');
  assert.equal(put([]), 'ValidationException');
  assert.equal(put([record(MIB - 1)]), undefined);
  assert.equal(put([record(MIB)]), 'ValidationException');
  assert.equal(put(new Array(11).fill(record(MIB - 1))), 'ValidationException');
  assert.equal(put([record(1, 'k'.repeat(257))]), 'ValidationException');
});

test('the proxy refuses what PutRecordBatch refuses', () => {
  const limits = firehoseLimits();
  const put = (Records: Fields[]) => refusal(limits, seen('PutRecordBatch', { Records }));
  assert.equal(put([{ Data: data(1000 * 1024) }]), undefined);
  assert.equal(put([{ Data: data(1000 * 1024 + 1) }]), 'ValidationException');
  assert.equal(put(new Array(501).fill({ Data: data(1) })), 'ValidationException');
  assert.equal(put(new Array(5).fill({ Data: data(900 * 1024) })), 'ValidationException');
});

test('the proxy refuses what PutEvents refuses, single events too', () => {
  const limits = eventBridgeLimits();
  const request = (Entries: Fields[]) => seen('PutEvents', { Entries });
  const event = { Source: 's', DetailType: 't', Detail: '{}' };
  assert.equal(refusal(limits, request(new Array(10).fill(event))), undefined);
  assert.equal(refusal(limits, request(new Array(11).fill(event))), 'ValidationException');
  const long = { ...event, DetailType: 't'.repeat(129) };
  assert.equal(refusal(limits, request([long])), 'ValidationException');
  const big = { ...event, Detail: JSON.stringify({ a: 'x'.repeat(600_000) }) };
  assert.equal(refusal(limits, request([big, big])), 'ValidationException');
  const mixed = request([event, { ...event, Detail: '[1]' }, { ...event, Source: 'aws.s' }]);
  assert.equal(refusal(limits, mixed), undefined);
  const onward = JSON.parse(limits.onward(mixed).toString()) as { Entries: Fields[] };
  assert.deepEqual(onward.Entries, [event]);
  const answer = Buffer.from(JSON.stringify({ Entries: [{ EventId: '1' }] }));
  const told = JSON.parse(limits.rewrite(mixed, answer).toString()) as Fields;
  assert.equal(told['FailedEntryCount'], 2);
  assert.deepEqual(
    (told['Entries'] as Fields[]).map((entry) => entry['ErrorCode']),
    [undefined, 'MalformedDetail', 'NotAuthorizedForSourceException'],
  );
});
