import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { compare, option, sinkOf } from './harness.ts';

// MQTT 5 with QoS 1 to mosquitto: the sink behind the outbox beside mqtt.js alone, with as many messages on their way and
// the same properties.
//   node --import tsx bench/delivery/mqtt.ts [--records 20000] [--rounds 5] [--in-flight 1000] [--qos 1]

const port = 20_000 + (process.pid % 20_000);
const url = `mqtt://127.0.0.1:${port}`;
const inFlight = option('in-flight', 1000);
const qos = option('qos', 1) as 1 | 2;
const PROPERTIES = {
  contentType: 'application/x-protobuf; messageType="sightline.v1.Frame"',
  payloadFormatIndicator: false,
};

async function canConnect(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy() && resolve(true));
    socket.once('error', () => resolve(false));
  });
}

async function bare(records: readonly OutboxRecord[]): Promise<void> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    let open = 0;
    const pump = (): void => {
      while (open < inFlight && next < records.length) {
        const { streamId, recordId, kind, payload } = records[next++]!;
        open++;
        const userProperties = { kind, recordId, streamId, schemaVersion: '1', format: 'protobuf' };
        const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
        const options = { qos, properties: { ...PROPERTIES, userProperties } };
        client.publish(`sightline/${streamId}/frames`, body, options, (error) => {
          if (error) return reject(error);
          open--;
          if (open === 0 && next === records.length) resolve();
          else pump();
        });
      }
    };
    pump();
  });
  await client.endAsync();
}

const dir = mkdtempSync(join(tmpdir(), 'sightline-bench-mqtt-'));
const config = join(dir, 'mosquitto.conf');
writeFileSync(
  config,
  `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n`,
);
const broker = spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
try {
  for (let left = 100; !(await canConnect()); left--) {
    if (left === 0) throw new Error('mosquitto does not listen');
    await delay(100);
  }
  await compare({
    name: `MQTT QoS ${qos}, ${inFlight} on their way`,
    sink: () =>
      sinkOf({
        ...{ id: 'a', type: 'mqtt', required: true, url, protocolVersion: 5, qos, retain: [] },
        ...{ topic: 'sightline/{streamId}/{kind}s', kinds: ['frame'], format: 'protobuf' },
        ...{ maxInFlight: inFlight, connectTimeoutMs: 5000 },
      }),
    bare,
  });
} finally {
  broker.kill();
  rmSync(dir, { recursive: true, force: true });
}
