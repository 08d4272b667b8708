import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { awsClientConfig } from '../../src/sinks/aws/client.ts';
import { eachLimited } from '../../src/sinks/limited.ts';
import { createSink } from '../../src/sinks/registry.ts';
import type { SinkSpec } from '../../src/sinks/specs.ts';
import { compare } from './harness.ts';

/** SQS: the sink behind an outbox beside SendMessageBatch in a loop, ten messages a request, four requests at a time. */

const CONCURRENCY = 4;
/** What the sink says of every message, too: each attribute costs the client and the emulator something. */
const SAME = {
  ...{ contentType: 'application/x-protobuf', encoding: 'base64' },
  ...{ schemaVersion: '1', format: 'protobuf' },
};
const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
const { queueUrl } = server.createQueue('bench');
const aws = {
  endpoint: `http://127.0.0.1:${server.port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};
const client = new SQSClient(awsClientConfig(aws, CONCURRENCY));

async function bare(records: readonly OutboxRecord[]): Promise<void> {
  const requests = Array.from({ length: Math.ceil(records.length / 10) }, (_, index) =>
    records.slice(index * 10, index * 10 + 10),
  );
  await eachLimited(requests, CONCURRENCY, async (request) => {
    const Entries = request.map(({ payload, recordId, streamId, kind }, index) => ({
      Id: String(index),
      MessageBody: Buffer.from(payload).toString('base64'),
      MessageGroupId: streamId,
      MessageAttributes: Object.fromEntries(
        Object.entries({ ...SAME, recordId, streamId, kind }).map(([name, StringValue]) => [
          name,
          { DataType: 'String', StringValue },
        ]),
      ),
    }));
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
    );
    if (Failed.length > 0) throw new Error(`${Failed.length} messages failed`);
  });
}

await compare({
  name: 'SQS',
  sink: () =>
    createSink(
      {
        ...{ id: 'sqs', type: 'sqs', required: true, queue: queueUrl, kinds: ['frame'] },
        ...{ format: 'protobuf', concurrency: CONCURRENCY, ...aws },
      } as SinkSpec,
      { baseDir: '/' },
    ),
  bare,
  records: 5_000,
  warmUp: 1_000,
});
client.destroy();
await server.stop();
