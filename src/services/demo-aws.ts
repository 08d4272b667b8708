import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { SightlineError } from '../common/errors.ts';

export interface DemoAwsOptions {
  readonly port: number;
  readonly bucket: string;
  readonly queue: string;
  /** The emulator lives in memory: beyond these it forgets the oldest. Defaults 300 pictures, 20000 messages. */
  readonly keepObjects?: number;
  readonly keepMessages?: number;
}

export interface DemoAws extends AsyncDisposable {
  readonly endpoint: string;
  readonly queueUrl: string;
}

const JANITOR_INTERVAL_MS = 10_000;

/** An S3 and SQS of protocol level in this process, on loopback, so that the real SDK clients have a server to talk to. */
export async function startDemoAws(options: DemoAwsOptions): Promise<DemoAws> {
  const { port, bucket, queue, keepObjects = 300, keepMessages = 20_000 } = options;
  const server = await startFauxqs({ port, host: '127.0.0.1', logger: false }).catch((cause) => {
    throw new SightlineError(
      'SL_PORT_TAKEN',
      `Cannot start the demo's AWS emulator on port ${port}`,
      { cause },
    );
  });
  server.createBucket(bucket);
  const { queueUrl } = server.createQueue(queue);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const client = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'demo', secretAccessKey: 'demo' },
  };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const sqs = new SQSClient(client);

  const sweep = async (): Promise<void> => {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    const keys = (listed.Contents ?? [])
      .toSorted((a, b) => Number(a.LastModified) - Number(b.LastModified))
      .flatMap((object) => (object.Key === undefined ? [] : [{ Key: object.Key }]));
    const old = keys.slice(0, Math.max(0, keys.length - keepObjects));
    if (old.length > 0) {
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: old } }));
    }
    if ((server.inspectQueue(queue)?.messages.ready.length ?? 0) > keepMessages) {
      await sqs.send(new PurgeQueueCommand({ QueueUrl: queueUrl }));
    }
  };
  const janitor = setInterval(() => void sweep().catch(() => undefined), JANITOR_INTERVAL_MS);
  janitor.unref();

  return {
    endpoint,
    queueUrl,
    async [Symbol.asyncDispose]() {
      clearInterval(janitor);
      s3.destroy();
      sqs.destroy();
      await server.stop();
    },
  };
}
