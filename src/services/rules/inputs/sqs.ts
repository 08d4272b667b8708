import { S3Client } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SightlineError, toSightlineError } from '../../../common/errors.ts';
import { deferred } from '../../../common/waits.ts';
import { SqsConsumer } from '../../../consumer/index.ts';
import { awsClientConfig, awsError } from '../../../sinks/aws/client.ts';
import type { ReadInput } from './run.ts';
import type { SpecOf } from './specs.ts';

const SOCKETS = 16;

/** Messages of a queue, also those whose record lies in S3. What fails comes again, and ends in the queue's dead letters. */
export const readSqs: ReadInput<SpecOf<'sqs'>> = async (spec, options) => {
  const { handle, signal, onConnected } = options;
  const sqs = new SQSClient({
    ...awsClientConfig(spec, SOCKETS),
    useQueueUrlAsEndpoint: spec.endpoint === undefined,
  });
  const s3 = new S3Client({
    ...awsClientConfig(spec, SOCKETS),
    forcePathStyle: spec.endpoint !== undefined,
  });
  const lost = deferred<never>();
  lost.promise.catch(() => undefined);
  let consumer: SqsConsumer | undefined;
  try {
    const queueUrl = await urlOf(sqs, spec.queue, signal);
    onConnected();
    consumer = new SqsConsumer({
      ...{ sqs, s3, queueUrl, handle },
      concurrency: spec.concurrency,
      visibilityTimeoutS: spec.visibilityTimeoutS,
      onError: (error, message) => {
        const failed = toSightlineError(error);
        if (failed.code === 'SL_MESSAGE_INVALID') options.onUnreadable(failed.message);
        else if (message === undefined) lost.reject(awsError(error, `read queue ${spec.queue}`));
      },
    });
    await Promise.race([aborted(signal), lost.promise]);
  } finally {
    await consumer?.stop();
    sqs.destroy();
    s3.destroy();
  }
};

async function urlOf(sqs: SQSClient, nameOrUrl: string, abortSignal: AbortSignal): Promise<string> {
  if (/^https?:/.test(nameOrUrl)) return nameOrUrl;
  try {
    const command = new GetQueueUrlCommand({ QueueName: nameOrUrl });
    const { QueueUrl } = await sqs.send(command, { abortSignal });
    if (QueueUrl !== undefined) return QueueUrl;
  } catch (thrown) {
    throw awsError(thrown, `find queue ${nameOrUrl}`);
  }
  throw new SightlineError('SL_SINK_UNAVAILABLE', `Cannot find queue ${nameOrUrl}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = deferred<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
