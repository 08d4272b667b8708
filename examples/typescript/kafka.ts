// Follows the Kafka sink: node --import tsx examples/typescript/kafka.ts localhost:9092 sightline.frames [how many]
import { Consumer } from '@platformatic/kafka';
import { fromKafka, SeenRecords } from 'sightline/consumer';
import { show } from './show.ts';

const [broker = 'localhost:9092', topic = 'sightline.frames', count = 'Infinity'] =
  process.argv.slice(2);
const consumer = new Consumer({
  clientId: 'sightline-example',
  groupId: 'sightline-example-typescript',
  bootstrapBrokers: [broker],
});
const seen = new SeenRecords();
const stream = await consumer.consume({
  topics: [topic],
  mode: 'committed',
  fallbackMode: 'earliest',
  autocommit: false,
});
for await (const message of stream) {
  for (const record of fromKafka(message)) {
    if (seen.has(record.recordId)) continue;
    show(record);
    seen.add(record.recordId);
  }
  // Only what was worked on is committed.
  await message.commit();
  if (seen.size >= Number(count)) break;
}
await consumer.close(true);
