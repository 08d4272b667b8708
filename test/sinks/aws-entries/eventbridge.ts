import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { EventBridgeSink } from '../../../src/sinks/eventbridge/sink.ts';
import type { EventBridgeSinkSpec } from '../../../src/sinks/eventbridge/spec.ts';
import { jsonError } from '../aws-limits/entries.ts';
import type { AwsProxy } from '../aws-proxy.ts';
import { eventRecord, frameRecord, NO_LIMIT, statuses, withPayload } from '../samples.ts';
import { firehose } from './firehose.ts';
import { deliverAll, type EntriesWorld, settled } from './world.ts';

/** A bus with a queue behind it, a sink for it, and the events that arrived. */
export async function bus(
  world: EntriesWorld,
  context: TestContext,
  proxy: AwsProxy,
  spec: Partial<EventBridgeSinkSpec> = {},
) {
  const name = `bus-${world.next()}`;
  const client = new EventBridgeClient(world.client);
  const sqs = new SQSClient(world.client);
  context.after(() => {
    client.destroy();
    sqs.destroy();
  });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  await client.send(new CreateEventBusCommand({ Name: name }));
  const EventPattern = JSON.stringify({ source: ['sightline'] });
  await client.send(new PutRuleCommand({ Name: name, EventBusName: name, EventPattern }));
  const Arn = `arn:aws:sqs:us-east-1:123456789012:${name}`;
  await client.send(
    new PutTargetsCommand({ Rule: name, EventBusName: name, Targets: [{ Id: 'q', Arn }] }),
  );
  const sink = new EventBridgeSink({
    ...{ id: 'bus', type: 'eventbridge', required: true, bus: name, kinds: ['event'] },
    ...{ source: 'sightline', detailType: 'sightline.{kind}', concurrency: 2 },
    ...proxy.client,
    ...spec,
  });
  context.after(() => sink.close());
  const read = async () => {
    const events: Record<string, unknown>[] = [];
    for (;;) {
      const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await sqs.send(receive);
      if (Messages.length === 0) return events;
      events.push(...Messages.map(({ Body }) => JSON.parse(Body!) as Record<string, unknown>));
    }
  };
  return { sink, read };
}

export function eventBridgeTests(world: EntriesWorld): void {
  it('eventbridge: ten events a request, those that failed again alone', async (context) => {
    const { proxy, events: limits } = await world.proxied(context);
    const { sink, read } = await bus(world, context, proxy);
    let failures = 2;
    limits.failing = (text) =>
      text.includes('events/3"') && failures-- > 0 ? 'ThrottlingException' : undefined;
    const batch = Array.from({ length: 25 }, (_, seq) => eventRecord(seq));
    const list = withPayload(eventRecord(25), Buffer.from('[1]'));
    const big = withPayload(eventRecord(26), Buffer.from(`{"a":"${'x'.repeat(1_000_000)}"}`));
    const delivery = await deliverAll(context, sink, [...batch, list, big]);
    const { delivered, deadLettered } = await settled(delivery);
    assert.deepEqual([delivered, deadLettered], [25, 2]);
    const received = await read();
    assert.equal(received.length, 25, 'nothing twice');
    const { source, detail, ...rest } = received.find(
      (item) => (item['detail'] as { seq: number }).seq === 4,
    )!;
    assert.deepEqual([source, rest['detail-type']], ['sightline', 'sightline.event']);
    assert.deepEqual(detail, {
      ...{ type: 'entered', zone: 'door', seq: 4 },
      ...{ recordId: 'cam-1/events/4', streamId: 'cam-1' },
    });
  });

  it('eventbridge: a stream whose name makes a source of AWS holds nobody up', async (context) => {
    const { proxy } = await world.proxied(context);
    const { sink } = await bus(world, context, proxy, { source: '{streamId}' });
    const batch = [eventRecord(1), eventRecord(2, 'aws.cam'), eventRecord(3, 'AWS.cam')];
    assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), [
      ...['accepted', 'rejected', 'rejected'],
    ]);
  });

  it('firehose, eventbridge: throttled, and unheard after they took it, they get everything', async (context) => {
    const { proxy } = await world.proxied(context);
    const rows = await firehose(world, context, proxy, { concurrency: 1, rowsPerRecord: 50 });
    const events = await bus(world, context, proxy, { concurrency: 1 });
    const faults = new Map([
      ['PutRecordBatch', jsonError('ServiceUnavailableException', 503)],
      ['PutEvents', jsonError('ThrottlingException')],
    ]);
    const calls = new Map<string, number>();
    proxy.rule = ({ action }) => {
      const fault = faults.get(action);
      if (fault === undefined) return undefined;
      const call = calls.get(action) ?? 0;
      calls.set(action, call + 1);
      // The SDK tries twice before the outbox hears of it.
      if (call < 4) return fault;
      return call === 4 ? 'lose' : undefined;
    };
    const frames = Array.from({ length: 100 }, (_, seq) => frameRecord(seq, { objects: 1 }));
    const entered = Array.from({ length: 25 }, (_, seq) => eventRecord(seq));
    const deliveries = await Promise.all([
      deliverAll(context, rows.sink, frames),
      deliverAll(context, events.sink, entered),
    ]);
    for (const [index, count] of [100, 25].entries()) {
      const { delivered, retriesByCode } = await settled(deliveries[index]!);
      assert.equal(delivered, count);
      assert.deepEqual(Object.keys(retriesByCode), ['SL_SINK_THROTTLED']);
    }
    const rowIds = (await rows.read()).map((row) => row['record_id']);
    assert.deepEqual(new Set(rowIds), new Set(frames.map(({ recordId }) => recordId)));
    const eventIds = (await events.read()).map(({ detail }) => {
      return (detail as { recordId: string }).recordId;
    });
    assert.deepEqual(new Set(eventIds), new Set(entered.map(({ recordId }) => recordId)));
    for (const [ids, count] of [
      [rowIds, 100],
      [eventIds, 25],
    ] as const) {
      assert.ok(ids.length > count, 'what was taken unheard came twice, with the same id');
    }
  });
}
