import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import mqtt from 'mqtt';
import { ROOT } from '../../src/common/paths.ts';
import { decodeFrame, readFrameHeader } from '../../src/metadata/frame.ts';
import { loadConfig } from '../../src/services/config/load.ts';
import { freePort, INFER } from '../support/config.ts';
import { missingFrames, readFrames } from '../support/delivered.ts';
import { isAlive } from '../support/processes.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const LIVE_MS = 20_000;

async function demoConfig(folder: string) {
  const [camera, broker, aws] = [await freePort(), await freePort(), await freePort()];
  const endpoint = `http://127.0.0.1:${aws}`;
  const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' };
  const config = {
    dataDir: `${folder}/data`,
    http: { port: 0 },
    demo: {
      camera: { port: camera },
      mqtt: { port: broker },
      aws: { port: aws, bucket: 'raw-data', queue: 'raw-frame-queue' },
    },
    pipelines: [
      {
        id: 'demo',
        infer: INFER,
        images: { everyMs: 500, when: 'always' },
        streams: [{ id: 'demo', source: { type: 'rtsp', url: `rtsp://127.0.0.1:${camera}/cam` } }],
      },
    ],
    sinks: [
      { id: 'files', type: 'file', dir: `${folder}/out` },
      { id: 'mqtt', type: 'mqtt', url: `mqtt://127.0.0.1:${broker}`, protocolVersion: 4 },
      { id: 'pictures', type: 's3', bucket: 'raw-data', endpoint, credentials },
      { id: 'queue', type: 'sqs', queue: 'raw-frame-queue', endpoint, credentials },
    ],
  };
  return { config, broker, aws: { endpoint, credentials, region: 'us-east-1' } };
}

test('configs/demo.yaml and configs/sightline.yaml are valid configurations', async () => {
  await loadConfig(join(ROOT, 'configs', 'demo.yaml'));
  await loadConfig(join(ROOT, 'configs', 'sightline.yaml'));
});

test('the demo delivers objects to files, MQTT, SQS and S3, and leaves nothing behind', async () => {
  await using folder = await temporaryFolder();
  const { config, broker, aws } = await demoConfig(folder.path);
  await using server = await TestServer.start(folder.path, config);
  await server.streamIn('demo', ['live'], LIVE_MS);

  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker}`, { protocolVersion: 4 });
  await client.subscribeAsync('sightline/+/frames', { qos: 1 });
  const [topic, payload] = await new Promise<[string, Buffer]>((resolve, reject) => {
    client.once('message', (...message) => resolve([message[0], message[1]]));
    AbortSignal.timeout(10_000).onabort = () => reject(new Error('No message in 10 s'));
  });
  assert.equal(topic, 'sightline/demo/frames');
  assert.equal(readFrameHeader(payload).streamId, 'demo');
  await client.endAsync(true);

  const sqs = new SQSClient(aws);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'raw-frame-queue' }));
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MessageAttributeNames: ['All'],
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 5,
    }),
  );
  const frame = decodeFrame(Buffer.from(Messages[0]?.Body ?? '', 'base64'));
  assert.equal(frame.streamId, 'demo');
  assert.equal(frame.version, '4.0');
  sqs.destroy();

  const s3 = new S3Client({ ...aws, forcePathStyle: true });
  const key = await until('a picture is in the bucket', 10_000, async () => {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: 'raw-data' }));
    return listed.Contents?.[0]?.Key;
  });
  assert.match(key, /^demo\/\d{4}\/\d\d\/\d\d\/\d\d\/[0-9a-f-]+-\d+\.jpg$/);
  const object = await s3.send(new GetObjectCommand({ Bucket: 'raw-data', Key: key }));
  const jpeg = await object.Body!.transformToByteArray();
  assert.deepEqual([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  s3.destroy();

  await until('a person is seen', 20_000, async () =>
    (await readFrames(`${folder.path}/out`)).some(({ objects }) =>
      objects.some(({ type, id }) => type === 'person' && id !== ''),
    ),
  );
  const processes = server.tree().map(({ pid }) => pid);
  assert.ok(processes.length >= 3, 'server, worker and camera run');
  const stoppedAt = performance.now();
  server.signal('SIGINT');
  assert.equal(await server.exited(5000), 0, JSON.stringify(server.logs.at(-1)));
  assert.ok(performance.now() - stoppedAt < 5000);
  await until('no process is left', 1000, () => !processes.some(isAlive));

  const frames = await readFrames(`${folder.path}/out`);
  assert.deepEqual(missingFrames(frames), []);
  const names = await readdir(`${folder.path}/out`, { recursive: true });
  const protobuf = names.find((name) => name.endsWith('.pb'));
  assert.ok(protobuf, 'a length-delimited file is there');
  assert.ok((await readFile(join(folder.path, 'out', protobuf))).byteLength > 1000);
});
