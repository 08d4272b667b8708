import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PendingRecord } from '../../src/common/delivery.ts';
import { Delivery, type DeliveryOptions } from '../../src/outbox/delivery.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import { createSink } from '../../src/sinks/registry.ts';
import type { SinkSpec } from '../../src/sinks/specs.ts';
import { entriesOf } from '../sinks/aws-limits/sqs.ts';
import { type Answer, type Seen, sqsError, TestAws } from '../sinks/aws-proxy.ts';
import { frameRecord } from '../sinks/samples.ts';
import { type Metrics, metricsOf } from '../support/outbox-metrics.ts';
import { assertConserved, assertInOrder, openOutbox, temporaryDir, until } from './helpers.ts';

// The failure matrix, from the outbox through the sink of SQS to a server that enforces what AWS does.

const QUEUE = 'frames';
/** Standard queues keep no order. */
const IN_ORDER = 'frames.fifo';

interface Running {
  readonly aws: TestAws;
  readonly outbox: Outbox;
  readonly delivery: Delivery;
  readonly ids: string[];
  /** Appends so many more frames of two cameras. */
  feed(count: number, objects?: number): void;
  settled(): Promise<void>;
  /** What a scrape would say now. */
  metrics(): Promise<Metrics>;
}

/** From the end of a fault until all is delivered. */
const RECOVERY_MS = 20_000;

async function run(
  context: TestContext,
  options: {
    spec?: object;
    delivery?: Partial<DeliveryOptions>;
    queue?: { attributes: Record<string, string> };
    name?: string;
  } = {},
): Promise<Running> {
  const { name = QUEUE } = options;
  const aws = await TestAws.start(context);
  aws.server.createQueue(name, options.queue);
  const dir = temporaryDir(context);
  const spec = {
    ...{ id: 'sqs', type: 'sqs', required: true, queue: name, kinds: ['frame'] },
    ...{ format: 'protobuf', concurrency: 2, ...aws.client, ...options.spec },
  };
  const sink = await createSink(spec as SinkSpec, { baseDir: dir });
  const outbox = await openOutbox(context, { dir: join(dir, 'outbox'), sinks: [sink] });
  const backoff = { baseMs: 20, capMs: 100 };
  const delivery = new Delivery({ outbox, sink, backoff, ...options.delivery });
  context.after(() => delivery.close({ drainMs: 0 }));
  delivery.start();
  const ids: string[] = [];
  const feed = (count: number, objects = 2): void => {
    for (let left = count; left > 0; left--) {
      const streamId = `cam-${ids.length % 2}`;
      const record: PendingRecord = frameRecord(ids.length, { streamId, objects });
      assert.ok(outbox.append(record));
      ids.push(record.recordId);
    }
  };
  const settled = () =>
    until(() => delivery.stats().pending === 0, 'all have their fate', RECOVERY_MS);
  const metrics = () => metricsOf(outbox, [delivery]);
  return { aws, outbox, delivery, ids, feed, settled, metrics };
}

function idsIn(aws: TestAws, queue = QUEUE): string[] {
  return aws
    .messages(queue)
    .map(({ messageAttributes }) => String(messageAttributes['recordId']?.StringValue));
}

/** All arrived, however often, and the books are balanced. */
function assertComplete({ aws, outbox, ids }: Running, deadLettered = 0): void {
  const counts = outbox.countsOf('sqs');
  assertConserved(counts);
  assert.deepEqual([counts.pending, counts.shed, counts.deadLettered], [0, 0, deadLettered]);
  const arrived = new Set(idsIn(aws));
  assert.equal(arrived.size, ids.length - deadLettered);
  assert.ok([...arrived].every((id) => ids.includes(id)));
}

const isSend = ({ action }: Seen): boolean => action === 'SendMessageBatch';

function sentIds(seen: Seen): string[] {
  return entriesOf(seen).map(
    ({ MessageAttributes }) => MessageAttributes!['recordId']!.StringValue,
  );
}

/** A batch of which some entries failed; what succeeded is not put into the queue. */
function partialAnswer(seen: Seen, hasFailed: (recordId: string) => boolean): Answer {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const { Id, MessageBody, MessageAttributes } of entriesOf(seen)) {
    if (hasFailed(MessageAttributes!['recordId']!.StringValue)) {
      Failed.push({ Id, Code: 'InternalError', SenderFault: false });
    } else {
      const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex');
      Successful.push({ Id, MessageId: Id, MD5OfMessageBody });
    }
  }
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return { status: 200, headers, body: JSON.stringify({ Successful, Failed }) };
}

test('F9, F10: what was taken without an answer comes twice with one id, and a black hole ends', async (context) => {
  const running = await run(context, { delivery: { attemptTimeoutMs: 400 } });
  const { aws, delivery } = running;
  running.feed(10);
  await running.settled();
  let accepted = 0;
  aws.rule = (seen) => (isSend(seen) && accepted++ === 0 ? 'accept' : undefined);
  running.feed(10);
  await running.settled();
  const copies = idsIn(aws).length - running.ids.length;
  assert.ok(copies > 0, 'the request was taken, its answer was not heard');
  assertComplete(running);
  const timeouts = { sink: 'sqs', class: 'SL_SINK_TIMEOUT' };
  const unheard = (await running.metrics())('outbox_retries_total', timeouts);
  assert.ok(unheard >= copies, `${unheard} retries are told, ${copies} copies came`);

  aws.rule = () => 'silence';
  running.feed(10);
  await until(() => delivery.stats().circuit === 'open', 'the circuit opens');
  assert.equal(delivery.stats().lastError?.code, 'SL_SINK_TIMEOUT');
  const dark = await running.metrics();
  const open = ['open', 'half-open'].map((state) =>
    dark('outbox_circuit_state', { sink: 'sqs', state }),
  );
  assert.deepEqual(open.sort(), [0, 1]);
  assert.ok(dark('outbox_retries_total', timeouts) > unheard);
  assert.ok(dark('outbox_send_duration_seconds_count', { sink: 'sqs', outcome: 'failed' }) >= 5);
  aws.rule = () => undefined;
  await running.settled();
  assertComplete(running);
  const light = await running.metrics();
  assert.equal(light('outbox_circuit_state', { sink: 'sqs', state: 'closed' }), 1);
});

test('F11, F12: only what failed is sent again, and a poison record stands alone after a few tries', async (context) => {
  const running = await run(context, { spec: { concurrency: 1 } });
  const { aws, outbox } = running;
  const isOdd = (id: string): boolean => Number(id.split('/')[2]) % 2 === 1;
  let failed: string[] = [];
  aws.rule = (seen) => {
    if (!isSend(seen) || failed.length > 0) return undefined;
    failed = sentIds(seen).filter(isOdd);
    return partialAnswer(seen, isOdd);
  };
  running.feed(10);
  await running.settled();
  const [first, ...later] = aws.actions('SendMessageBatch').map(sentIds);
  assert.equal(first!.length, 10);
  assert.deepEqual(later.flat().sort(), failed.sort(), 'the others were not sent again');
  assert.equal(outbox.countsOf('sqs').delivered, 10);
  const partly = await running.metrics();
  assert.equal(partly('outbox_retries_total', { sink: 'sqs' }), failed.length);
  assert.equal(
    partly('outbox_send_duration_seconds_count', { sink: 'sqs', outcome: 'partial' }),
    1,
  );

  const poison = 'cam-0/s1/14';
  const before = aws.seen.length;
  aws.rule = (seen) =>
    isSend(seen) && sentIds(seen).includes(poison) ? sqsError('BatchRequestTooLong') : undefined;
  running.feed(10);
  await running.settled();
  const tries = aws.seen
    .slice(before)
    .filter((seen) => isSend(seen) && sentIds(seen).includes(poison));
  assert.ok(tries.length <= Math.ceil(Math.log2(10)) + 1, `${tries.length} tries`);
  const { delivered, deadLettered } = outbox.countsOf('sqs');
  assert.deepEqual([delivered, deadLettered], [19, 1]);
  const labels = { sink: 'sqs', reason: 'SL_SINK_REJECTED' };
  assert.equal((await running.metrics())('outbox_records_dead_lettered_total', labels), 1);
  assertConserved(outbox.countsOf('sqs'));
});

test('F13: a record above the limit goes by way of S3, or to the dead letters where it cannot', async (context) => {
  const queue = { attributes: { MaximumMessageSize: '2048' } };
  const withClaims = await run(context, {
    queue,
    spec: { claimCheck: { bucket: 'claims', prefix: '' } },
  });
  withClaims.aws.server.createBucket('claims');
  withClaims.feed(4);
  withClaims.feed(1, 100);
  await withClaims.settled();
  assertComplete(withClaims);
  const without = await run(context, { queue });
  without.feed(4);
  without.feed(1, 100);
  await without.settled();
  assertComplete(without, 1);
  const labels = { sink: 'sqs', reason: 'SL_SINK_REJECTED' };
  assert.equal((await without.metrics())('outbox_records_dead_lettered_total', labels), 1);
});

test('F14, F15: half of the calls throttled, then keys that are refused until they are rotated', async (context) => {
  const running = await run(context, { delivery: { authProbeMs: 100 } });
  const { aws, delivery } = running;
  let calls = 0;
  aws.rule = (seen) =>
    isSend(seen) && calls++ % 2 === 0 ? sqsError('RequestThrottled') : undefined;
  running.feed(60);
  await running.settled();
  assertComplete(running);
  assert.ok(calls <= 60, `${calls} calls for 6 requests`);
  const throttled = { sink: 'sqs', class: 'SL_SINK_THROTTLED' };
  assert.ok((await running.metrics())('outbox_retries_total', throttled) > 0);

  let isRotated = false;
  aws.rule = () => (isRotated ? undefined : sqsError('InvalidClientTokenId', 403));
  running.feed(30);
  await until(() => delivery.stats().state === 'paused', 'the refused keys are noticed');
  assert.equal(delivery.stats().pauseReason, 'credentials');
  assert.equal(delivery.stats().lastError?.code, 'SL_SINK_UNAUTHORIZED');
  assert.equal(delivery.stats().pending, 30);
  const paused = await running.metrics();
  assert.ok(paused('outbox_retries_total', { sink: 'sqs', class: 'SL_SINK_UNAUTHORIZED' }) > 0);
  assert.equal(paused('outbox_cursor_lag_records', { sink: 'sqs' }), 30);
  isRotated = true;
  await running.settled();
  assertComplete(running);
});

test('F16: connections that are dead or cut, and a server that comes back, are got over', async (context) => {
  const running = await run(context);
  const { aws } = running;
  running.feed(20);
  await running.settled();
  const port = Number(new URL(aws.endpoint).port);
  await aws.close();
  running.feed(20);
  await until(() => running.delivery.stats().state === 'backoff', 'the absent server is noticed');
  const away = await running.metrics();
  assert.ok(away('outbox_retries_total', { sink: 'sqs', class: 'SL_SINK_UNAVAILABLE' }) > 0);
  await aws.listen(port);
  await running.settled();
  let requests = 0;
  aws.rule = () => (requests++ % 3 === 0 ? 'cut' : undefined);
  running.feed(50);
  await running.settled();
  assertComplete(running);
});

test('a queue that keeps the order gets each stream in order, whatever fails', async (context) => {
  const running = await run(context, {
    name: IN_ORDER,
    queue: { attributes: { FifoQueue: 'true' } },
  });
  const { aws } = running;
  let requests = 0;
  aws.rule = (seen) => {
    if (!isSend(seen)) return undefined;
    const faults = [sqsError('RequestThrottled'), 'lose', 'cut'] as const;
    const request = requests++;
    return request % 3 === 0 ? faults[(request / 3) % faults.length] : undefined;
  };
  running.feed(16);
  await running.settled();
  assert.ok(requests > 8, `${requests} requests`);
  const arrived = idsIn(aws, IN_ORDER);
  assertInOrder(arrived, running.ids);
  assert.equal(arrived.length, running.ids.length, 'the queue removes copies');
  assertConserved(running.outbox.countsOf('sqs'));
});
