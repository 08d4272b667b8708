import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkValue } from '../../../src/common/check.ts';
import { Delivery } from '../../../src/outbox/delivery.ts';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { SqsSink } from '../../../src/sinks/sqs/sink.ts';
import { SqsSinkSpec } from '../../../src/sinks/sqs/spec.ts';
import { sqsError, TestAws } from '../../../test/sinks/aws-proxy.ts';
import { frameRecord } from '../../../test/sinks/samples.ts';
import { until } from '../../../test/support/wait.ts';
import type { DeliverySoak } from './main.ts';

const QUEUE = 'frames';
/** Requests a second that the service takes, and how many it lends at once: half of what the sink sends if left alone. */
const ALLOWED = 10;
const BURST = 10;
/** The pace is found within them. */
const WARM_UP_MS = 30_000;
const LEAST_GOODPUT = 0.9;
const MOST_REFUSED = 0.25;
const BACKLOG = 2_000;

/** F14: a service that takes half of the calls that would be made gets nine tenths of what it takes, without a storm. */
const throttled: DeliverySoak = async ({ minutes, print, context }) => {
  const aws = await TestAws.start(context);
  aws.server.createQueue(QUEUE);
  const dir = mkdtempSync(join(tmpdir(), 'sightline-soak-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  const spec = { id: 'sqs', type: 'sqs', queue: QUEUE, kinds: ['frame'], ...aws.client };
  const sink = new SqsSink(checkValue({ ...spec, concurrency: 1 }, SqsSinkSpec));
  const outbox = await Outbox.open({ dir: join(dir, 'outbox'), sinks: [sink] });
  context.after(() => outbox.close());
  const delivery = new Delivery({ outbox, sink });
  context.after(() => delivery.close({ drainMs: 0 }));

  let tokens = BURST;
  let refilledMs = performance.now();
  let taken = 0;
  let refused = 0;
  aws.rule = ({ action }) => {
    if (action !== 'SendMessageBatch') return undefined;
    const nowMs = performance.now();
    tokens = Math.min(BURST, tokens + ((nowMs - refilledMs) / 1000) * ALLOWED);
    refilledMs = nowMs;
    if (tokens < 1) {
      refused++;
      return sqsError('RequestThrottled');
    }
    tokens--;
    taken++;
    return undefined;
  };
  let next = 0;
  const feed = (): void => {
    while (delivery.stats().pending < BACKLOG) assert.ok(outbox.append(frameRecord(next++)));
  };
  feed();
  delivery.start();
  await delay(WARM_UP_MS);
  [taken, refused] = [0, 0];
  const began = performance.now();
  const ends = began + minutes * 60_000;
  while (performance.now() < ends) {
    feed();
    await delay(200);
  }
  const allowed = ((performance.now() - began) / 1000) * ALLOWED;
  const goodput = taken / allowed;
  print(
    `${taken} of ${allowed.toFixed(0)} allowed requests (${(goodput * 100).toFixed(0)} %), ${refused} refused`,
  );
  aws.rule = () => undefined;
  await until('the rest is delivered', 120_000, () => delivery.stats().pending === 0);
  const { delivered, deadLettered, shed } = delivery.stats();
  assert.deepEqual([delivered, deadLettered, shed], [next, 0, 0]);
  assert.ok(refused < MOST_REFUSED * taken, 'a storm of retries');
  assert.ok(goodput >= LEAST_GOODPUT, 'it sends less than it may');
};
export default throttled;
