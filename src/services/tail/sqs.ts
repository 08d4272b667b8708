import { S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { readSqsMessage } from '../../consumer/sqs.ts';
import { awsClientConfig, awsError } from '../../sinks/aws/client.ts';
import { SqsQueue } from '../../sinks/sqs/queue.ts';
import type { SqsSinkSpec } from '../../sinks/sqs/spec.ts';
import type { Reader, ReadOptions } from './tail.ts';

const WAIT_S = 5;
const MAX_SHOWN = 10_000;

/**
 * Receives without deleting. That is not free of effects: SQS hides a message from its consumers meanwhile and counts the
 * receipt, so that a queue with dead letters may give up on it. Only where that was asked for.
 */
export async function* peekSqs(spec: SqsSinkSpec, options: ReadOptions): Reader {
  const { signal, tell, peekVisibilityS } = options;
  if (peekVisibilityS === undefined) {
    throw new SightlineError(
      'SL_REQUEST_INVALID',
      `Cannot watch sink ${spec.id} (sqs) by the way: SQS hides what it shows from the consumers of the queue, and counts it ` +
        'for the dead letters. If that may be, say for how long with --peek-visibility SECONDS; else watch the stream ' +
        'with GET /v1/streams/{id}/metadata, or give the sink a second queue',
    );
  }
  const queue = new SqsQueue(spec, 1);
  const sqs = new SQSClient(awsClientConfig(spec, 1));
  const s3 = new S3Client({
    ...awsClientConfig(spec, 1),
    forcePathStyle: spec.endpoint !== undefined,
  });
  const shown = new Set<string>();
  try {
    const { url } = await queue.facts(signal);
    tell(`Peeking at ${url}: each message stays hidden for ${peekVisibilityS} s`);
    while (!signal.aborted) {
      const command = new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: peekVisibilityS,
        WaitTimeSeconds: WAIT_S,
        MessageAttributeNames: ['All'],
      });
      const { Messages = [] } = await sqs.send(command, { abortSignal: signal });
      for (const message of Messages) {
        const { MessageId = '' } = message;
        if (shown.has(MessageId)) continue;
        if (shown.size >= MAX_SHOWN) shown.clear();
        shown.add(MessageId);
        try {
          yield await readSqsMessage(message, s3, signal);
        } catch (error) {
          tell(`${MessageId}: ${toSightlineError(error).message}`);
        }
      }
    }
  } catch (thrown) {
    if (!signal.aborted) throw awsError(thrown, `read queue ${spec.queue}`);
  } finally {
    queue.close();
    sqs.destroy();
    s3.destroy();
  }
}
