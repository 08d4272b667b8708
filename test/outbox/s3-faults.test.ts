import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { checkValue } from '../../src/common/check.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { S3Sink } from '../../src/sinks/s3/sink.ts';
import { S3SinkSpec } from '../../src/sinks/s3/spec.ts';
import { type Rule, s3Error, TestAws } from '../sinks/aws-proxy.ts';
import { imageRecord, imageRef } from '../sinks/samples.ts';
import { metricsOf } from '../support/outbox-metrics.ts';
import { assertConserved, openOutbox, temporaryDir, until } from './helpers.ts';

const Bucket = 'pictures';
const SMALL_BYTES = 20_000;
/** Above this sink's threshold for an upload in parts. */
const LARGE_BYTES = 17 * 1024 * 1024;
const LARGE = 6;

/**
 * What happens to each picture's request that would make its object, one after the other; then it is passed on. The SDK
 * tries twice before the outbox hears of a failure.
 */
const FAULTS: Readonly<Record<number, ReturnType<Rule>[]>> = {
  1: [s3Error('SlowDown', 503), s3Error('SlowDown', 503)],
  2: [s3Error('ConditionalRequestConflict', 409)],
  3: ['lose'],
  [LARGE]: [
    ...[s3Error('ServiceUnavailable', 503), s3Error('ServiceUnavailable', 503)],
    ...[s3Error('InternalError', 200), s3Error('InternalError', 200)],
    s3Error('ConditionalRequestConflict', 409),
    'lose',
  ],
};
/** Another object has its key. */
const FOREIGN = 4;

test('F24: 409, 412, 503, an error with status 200 and a lost answer end as they should, through the outbox', async (context) => {
  const aws = await TestAws.start(context);
  aws.server.createBucket(Bucket);
  const client = new S3Client({ ...aws.client, forcePathStyle: true });
  context.after(() => client.destroy());
  const Key = imageRef(FOREIGN);
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'another picture' }));

  const spec = { id: 's3', type: 's3', bucket: Bucket, concurrency: 2, ...aws.client };
  const sink = new S3Sink(checkValue(spec, S3SinkSpec), undefined);
  const dir = temporaryDir(context);
  const limits = { maxQueueBytes: 2 * LARGE_BYTES };
  const outbox = await openOutbox(context, { dir: join(dir, 'outbox'), sinks: [sink], limits });
  const delivery = new Delivery({ outbox, sink, backoff: { baseMs: 10, capMs: 50 } });
  context.after(() => delivery.close({ drainMs: 0 }));
  const left = structuredClone(FAULTS);
  aws.rule = ({ method, path }) => {
    const isEnd = method === 'POST' && path.includes('uploadId=');
    if (!isEnd && (method !== 'PUT' || path.includes('partNumber='))) return undefined;
    const picture = Number(/s1-(\d+)\.jpg/.exec(path)![1]);
    return left[picture]?.shift();
  };
  const pictures = Array.from({ length: LARGE }, (_, index) => index + 1);
  for (const seq of pictures) {
    assert.ok(outbox.append(imageRecord(seq, seq === LARGE ? LARGE_BYTES : SMALL_BYTES)));
  }
  delivery.start();
  await until(() => delivery.stats().pending === 0, 'all have their fate', 60_000);

  const { delivered, deadLettered, retriesByCode } = delivery.stats();
  assert.deepEqual([delivered, deadLettered], [LARGE - 1, 1]);
  assertConserved(outbox.countsOf('s3'));
  assert.deepEqual(Object.values(left).flat(), [], 'all faults happened');
  const metrics = await metricsOf(outbox, [delivery]);
  for (const code of ['SL_SINK_THROTTLED', 'SL_SINK_UNAVAILABLE']) {
    const told = metrics('outbox_retries_total', { sink: 's3', class: code });
    assert.ok(told >= 1 && told === retriesByCode[code], code);
  }
  const labels = { sink: 's3', reason: 'SL_SINK_REJECTED' };
  assert.equal(metrics('outbox_records_dead_lettered_total', labels), 1);
  assert.equal(aws.s3.openUploads, 0, 'no upload is left open');
  const [letter] = await outbox.deadLetters();
  assert.equal(letter?.recordId, imageRecord(FOREIGN).recordId);
  for (const seq of pictures) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: imageRef(seq) }));
    const bytes = Buffer.from(await Body!.transformToByteArray());
    if (seq === FOREIGN) assert.equal(bytes.toString(), 'another picture');
    else assert.ok(bytes.equals(Buffer.alloc(seq === LARGE ? LARGE_BYTES : SMALL_BYTES, seq)));
  }
});
