import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { HeldMessages } from '../../src/inference/sqs/held-messages.ts';
import { MessageClient } from '../../src/inference/sqs/message-client.ts';
import { TestAws } from '../sinks/aws-proxy.ts';
import { NO_LIMIT } from '../sinks/samples.ts';
import { until } from '../support/wait.ts';

test('a message stays hidden while it is worked on, and comes again when it is not held', async (context) => {
  const aws = await TestAws.start(context);
  const { queueUrl } = aws.server.createQueue('frames');
  const sender = new SQSClient(aws.client);
  context.after(() => sender.destroy());
  await sender.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'one' }));
  const client = new MessageClient(aws.client, 'frames', 4);
  context.after(() => client.close());
  let renewals = 0;
  const held = new HeldMessages({
    client,
    visibilityS: 1,
    onRenewed: (count) => {
      renewals += count;
    },
  });
  context.after(() => held.close());
  const receive = (waitS: number) => client.receive(10, { visibilityS: 1, waitS }, NO_LIMIT.signal);
  const sinceMs = performance.now();
  const [message] = await receive(1);
  const handle = message!.ReceiptHandle!;
  held.add(handle, sinceMs);
  // Two and a half times as long as it was hidden for.
  await until('it is renewed again and again', 10_000, () => {
    const long = performance.now() - sinceMs > 2_500;
    return long && renewals >= 4;
  });
  assert.deepEqual(await receive(0), []);
  assert.equal(held.drop(handle), true);
  assert.equal(held.drop(handle), false, 'it has a fate');
  assert.equal((await receive(5)).length, 1);
});
