// Works through the queue of the SQS sink, claim checks included:
// node --import tsx examples/typescript/sqs.ts https://sqs.eu-central-1.amazonaws.com/123456789012/frames [how many]
// Credentials and region come from the usual places; AWS_ENDPOINT_URL points at another server.
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SeenRecords, SqsConsumer } from 'sightline/consumer';
import { show } from './show.ts';

const [queueUrl = '', count = 'Infinity'] = process.argv.slice(2);
const isAws = process.env['AWS_ENDPOINT_URL'] === undefined;
const sqs = new SQSClient({ useQueueUrlAsEndpoint: isAws });
const s3 = new S3Client({ forcePathStyle: !isAws });
const seen = new SeenRecords();

const consumer = new SqsConsumer({
  sqs,
  s3,
  queueUrl,
  handle(records) {
    for (const record of records) {
      if (seen.has(record.recordId)) continue;
      show(record);
      seen.add(record.recordId);
    }
    if (seen.size >= Number(count)) void stop();
  },
  onError: (error) => console.error(String(error)),
});
process.once('SIGINT', () => void stop());

/** Deletes what was worked on before it ends. */
async function stop(): Promise<void> {
  await consumer.stop();
  sqs.destroy();
  s3.destroy();
}
