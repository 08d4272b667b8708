import { Producer } from '@platformatic/kafka';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { Kafka, kafkaSpec, noKafka } from '../../test/support/kafka.ts';
import { compare, sinkOf } from './harness.ts';

// Through the outbox to a topic of Apache Kafka, acks: all, idempotent, beside the client's own idempotent producer with
// batches of the same size.
//   node --import tsx bench/delivery/kafka.ts [--records 20000] [--rounds 5] [--compression lz4]

if (noKafka !== false) throw new Error(noKafka);
/** As many frames as fit into a batch of the sink: a topic takes 1 MiB. */
const BATCH = 900;
const at = process.argv.indexOf('--compression');
const compression = (at === -1 ? 'none' : process.argv[at + 1]) as 'none' | 'gzip' | 'lz4';

const broker = await Kafka.start();
const topic = 'bench';
await broker.createTopic(topic, {}, 3);
const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
  clientId: 'bench',
  bootstrapBrokers: [`127.0.0.1:${broker.port}`],
  idempotent: true,
  compression,
});

async function bare(records: readonly OutboxRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += BATCH) {
    await producer.send({
      messages: records.slice(from, from + BATCH).map((record) => ({
        topic,
        key: Buffer.from(record.streamId),
        value: Buffer.from(record.payload),
        headers: new Map(
          [
            ['contentType', 'application/x-protobuf; messageType="sightline.v1.Frame"'],
            ...Object.entries({ kind: record.kind, recordId: record.recordId }),
            ...Object.entries({
              streamId: record.streamId,
              schemaVersion: '1',
              format: 'protobuf',
            }),
          ].map(([name, value]) => [Buffer.from(name!), Buffer.from(value!)]),
        ),
      })),
    });
  }
}

try {
  await compare({
    name: `Kafka, acks: all, ${compression}`,
    sink: () => sinkOf(kafkaSpec({ port: broker.port, topic, compression })),
    bare,
  });
} finally {
  await producer.close();
  await broker.close();
}
