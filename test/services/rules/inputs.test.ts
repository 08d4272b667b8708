import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import mqtt from 'mqtt';
import { TestAws } from '../../sinks/aws-proxy.ts';
import { frameRecord } from '../../sinks/samples.ts';
import { Mosquitto } from '../../support/mosquitto.ts';
import { until } from '../../support/wait.ts';
import { receiver, startInput } from './support.ts';

test('MQTT: a failure is not acknowledged, and what came while the input was away comes later', async (context) => {
  const broker = await Mosquitto.prepare(context);
  const spec = { type: 'mqtt', url: broker.url };
  const { ids, handle } = receiver(1);
  // The broker is not there yet.
  const first = startInput(context, spec, { handle });
  await broker.start();
  const client = await mqtt.connectAsync(broker.url);
  context.after(() => client.endAsync(true));
  const send = (seq: number) =>
    client.publishAsync('sightline/cam-1/frames', Buffer.from(frameRecord(seq).payload), {
      qos: 1,
    });
  await until('the first frame is handled, at its second coming', 20_000, async () => {
    if (ids.length === 0) await send(1);
    return ids.length > 0;
  });
  await first.stop();
  const before = ids.length;
  await send(7);
  await client.publishAsync('sightline/cam-1/frames', 'no frame', { qos: 1 });
  const unreadable: string[] = [];
  const onUnreadable = (reason: string) => unreadable.push(reason);
  startInput(context, spec, { handle, onUnreadable });
  await until('the frame that waited', 10_000, () => ids.length > before && unreadable.length > 0);
  assert.equal(ids.at(-1), 'cam-1/s1/7');
});

test('SQS: a message is deleted when it is handled, and comes again when not', async (context) => {
  const aws = await TestAws.start(context);
  const sqs = new SQSClient({ ...aws.client, region: 'us-east-1' });
  context.after(() => sqs.destroy());
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'for-rules' }));
  const { ids, handle } = receiver(1);
  const send = async (MessageBody: string) =>
    sqs.send(
      new SendMessageCommand({
        ...{ QueueUrl, MessageBody },
        MessageAttributes: { encoding: { DataType: 'String', StringValue: 'base64' } },
      }),
    );
  for (const seq of [1, 2, 3]) await send(Buffer.from(frameRecord(seq).payload).toString('base64'));
  const spec = { type: 'sqs', queue: 'for-rules', visibilityTimeoutS: 3, ...aws.client };
  startInput(context, spec, { handle });
  await until('all three are handled', 20_000, () => new Set(ids).size === 3);
  await until('the queue is empty', 10_000, async () => {
    const command = new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    });
    const { Attributes = {} } = await sqs.send(command);
    return Object.values(Attributes).every((value) => value === '0');
  });
});
