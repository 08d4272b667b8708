import { connect } from 'amqplib';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { amqpSpec } from '../../test/sinks/amqp-spec.ts';
import { noRabbitMq, RabbitMq } from '../../test/support/rabbitmq.ts';
import { compare, sinkOf } from './harness.ts';

// Through the outbox to a durable queue of RabbitMQ with confirms, beside the client's own confirm channel with batches of
// the same size.
//   node --import tsx bench/delivery/amqp.ts [--records 20000] [--rounds 5]

if (noRabbitMq !== false) throw new Error(noRabbitMq);
/** As the sink's. */
const BATCH = 1000;

const broker = await RabbitMq.start();
await broker.createQueue('bench', 'sightline.frames.*');
const connection = await connect(broker.url);
const channel = await connection.createConfirmChannel();

async function bare(records: readonly OutboxRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += BATCH) {
    for (const { streamId, recordId, kind, payload } of records.slice(from, from + BATCH)) {
      channel.publish('amq.topic', `sightline.frames.${streamId}`, Buffer.from(payload), {
        ...{ mandatory: true, persistent: true, messageId: recordId, type: kind },
        contentType: 'application/x-protobuf; messageType="sightline.v1.Frame"',
        headers: { kind, recordId, streamId, schemaVersion: '1', format: 'protobuf' },
      });
    }
    await channel.waitForConfirms();
  }
  await channel.purgeQueue('bench');
}

try {
  await compare({
    name: 'AMQP with confirms',
    sink: () => sinkOf(amqpSpec({ url: broker.url })),
    bare,
  });
} finally {
  await connection.close();
  await broker.close();
}
