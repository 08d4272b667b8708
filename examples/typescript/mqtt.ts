// Follows the MQTT sink: node --import tsx examples/typescript/mqtt.ts mqtt://localhost 'sightline/#' [how many]
import { connectAsync } from 'mqtt';
import { fromMqtt, SeenRecords } from 'sightline/consumer';
import { show } from './show.ts';

const [url = 'mqtt://localhost', topic = 'sightline/+/frames', count = 'Infinity'] =
  process.argv.slice(2);
const client = await connectAsync(url, { protocolVersion: 5 });
const seen = new SeenRecords();

client.on('message', (_topic, payload, packet) => {
  for (const record of fromMqtt(payload, packet)) {
    if (seen.has(record.recordId)) continue;
    show(record);
    seen.add(record.recordId);
  }
  if (seen.size >= Number(count)) client.end();
});
await client.subscribeAsync(topic, { qos: 1 });
console.error(`subscribed to ${topic}`);
