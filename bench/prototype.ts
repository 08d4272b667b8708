// The frame queue beside the prototype that came before it (bench/prototype.py), both on the same cameras, bucket and queue server (moto).
//   node --import tsx bench/prototype.ts [--frames 15] [--seconds 15] [--rounds 3]
// 720p at 30 a second by RTSP. The prototype: each frame decoded, as 64-bit integers to S3, one message of SQS. Ours: `sightline receive`
// as it is shipped, each frame decoded, as JPEG through the outbox and the sink sqs with a claim check in S3. CPU time
// of all processes of a side, moto left out: frames a second and core are frames a CPU second.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Sink } from '../src/api/schemas.ts';
import { PATHS, ROOT } from '../src/common/paths.ts';
import { decodeImage } from '../src/metadata/image.ts';
import { startCamera } from '../test/support/camera.ts';
import { fileConfig } from '../test/support/config.ts';
import { Moto, noMoto } from '../test/support/moto.ts';
import { TestServer, temporaryFolder } from '../test/support/server.ts';
import { until } from '../test/support/wait.ts';
import { cpuSeconds, median, pidsBelow } from './support/process-cpu.ts';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '3' },
  },
});
const WIDTH = 1280;
const HEIGHT = 720;
if (noMoto !== false) throw new Error(noMoto);
const CAMERAS = 2;
/** Objects whose bytes are counted. */
const SAMPLES = 200;
const WARM_UP_FRAMES = 60;
const LIMIT_MS = 60_000;
const DRAIN_MS = 300_000;
const PYTHON = join(ROOT, '.cache', 'python', 'bin', 'python');
const run = promisify(execFile);

interface Side {
  readonly framesPerCpuSecond: number;
  readonly bytesPerFrame: number;
  readonly metadataPerFrame: number;
}

async function makeClip(folder: string): Promise<string> {
  const clip = join(folder, '720p30.mp4');
  await run('gst-launch-1.0', [
    ...['-q', 'filesrc', `location=${PATHS.demoClip}`, '!', 'decodebin', '!', 'videoconvert'],
    ...['!', 'videoscale', '!', 'videorate', '!'],
    ...[`video/x-raw,width=${WIDTH},height=${HEIGHT},framerate=30/1`],
    ...['!', 'identity', 'eos-after=300', '!', 'x264enc'],
    ...['bitrate=2500', 'key-int-max=60', 'bframes=0', 'speed-preset=veryfast', '!', 'mp4mux'],
    ...['!', 'filesink', `location=${clip}`],
  ]);
  return clip;
}

function clientsOf({ client }: Moto) {
  return { sqs: new SQSClient(client), s3: new S3Client({ ...client, forcePathStyle: true }) };
}

/** A server of its own each time: it keeps everything in memory. */
async function onMoto(measure: (aws: Moto) => Promise<Side>): Promise<Side> {
  const aws = await Moto.start();
  try {
    const { sqs, s3 } = clientsOf(aws);
    for (const Bucket of ['prototype', 'claims'])
      await s3.send(new CreateBucketCommand({ Bucket }));
    for (const QueueName of ['prototype', 'raw-frame-queue']) {
      await sqs.send(new CreateQueueCommand({ QueueName }));
    }
    sqs.destroy();
    s3.destroy();
    return await measure(aws);
  } finally {
    await aws.close();
  }
}

async function prototype(aws: Moto, clip: string): Promise<Side> {
  await using camera = await startCamera({ args: ['--clip', clip, '--fps', '30'] });
  const { stdout } = await run(PYTHON, [
    ...[join(import.meta.dirname, 'prototype.py'), aws.client.endpoint, camera.url],
    ...[WIDTH, HEIGHT].map(String),
    values.frames,
  ]);
  const {
    cpuSeconds: cpu,
    frames,
    bytes,
    messageBytes,
  } = JSON.parse(stdout) as Record<string, number>;
  return {
    framesPerCpuSecond: frames! / cpu!,
    bytesPerFrame: (bytes! + messageBytes!) / frames!,
    metadataPerFrame: messageBytes! / frames!,
  };
}

async function ours(aws: Moto, clip: string): Promise<Side> {
  await using camera = await startCamera({ args: ['--clip', clip, '--fps', '30'] });
  await using folder = await temporaryFolder();
  const ids = Array.from({ length: CAMERAS }, (_, index) => `cam-${index}`);
  const claimCheck = { bucket: 'claims', aboveBytes: 0 };
  const config = fileConfig(folder.path, {
    defaults: {},
    recording: { store: { type: 'folder', dir: join(folder.path, 'store') } },
    pipelines: [
      {
        id: 'gate',
        // The least time between two pictures is shorter than that between two frames: each is taken.
        images: { fps: 50, when: 'always' },
        streams: ids.map((id) => ({ id, source: { type: 'rtsp', url: camera.url } })),
      },
    ],
    sinks: [
      {
        id: 'queue',
        type: 'sqs',
        queue: 'raw-frame-queue',
        kinds: ['image'],
        claimCheck,
        ...aws.client,
      },
    ],
  });
  await using server = await TestServer.start(folder.path, config, {}, 'receive');
  const sink = async () => (await server.json<{ items: Sink[] }>('/v1/sinks')).items[0]!;
  await until('pictures come', LIMIT_MS, async () => (await sink()).accepted >= WARM_UP_FRAMES);
  const pids = pidsBelow(server.pid);
  const before = { frames: (await sink()).accepted, cpu: cpuSeconds(pids) };
  await delay(Number(values.seconds) * 1000);
  await camera.kill();
  // moto is slower than the camera: what waits is a part of what was made in that time.
  const { accepted } = await until('all are queued', DRAIN_MS, async () => {
    // To answer costs CPU time, too.
    await delay(2000);
    const state = await sink();
    return state.pending === 0 && state;
  });
  const framesPerCpuSecond = (accepted - before.frames) / (cpuSeconds(pids) - before.cpu);
  return { framesPerCpuSecond, ...(await bytesOf(aws)) };
}

/** What lies in the bucket and the queue for a frame, and what of it is no picture. */
async function bytesOf(aws: Moto): Promise<Omit<Side, 'framesPerCpuSecond'>> {
  const { sqs, s3 } = clientsOf(aws);
  const QueueUrl = `${aws.client.endpoint}/123456789012/raw-frame-queue`;
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
    }),
  );
  const ofMessages = Messages.map(({ Body = '', MessageAttributes = {} }) =>
    Object.entries(MessageAttributes).reduce(
      (sum, [name, { DataType = '', StringValue = '' }]) =>
        sum + name.length + DataType.length + StringValue.length,
      Buffer.byteLength(Body),
    ),
  );
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'claims' }));
  const objects = await Promise.all(
    Contents.slice(0, SAMPLES).map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'claims', Key }));
      const bytes = await Body!.transformToByteArray();
      return { all: bytes.length, picture: decodeImage(bytes).data.length };
    }),
  );
  sqs.destroy();
  s3.destroy();
  const message = mean(ofMessages);
  const all = mean(objects.map((object) => object.all));
  const picture = mean(objects.map((object) => object.picture));
  return { bytesPerFrame: all + message, metadataPerFrame: all - picture + message };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

await using folder = await temporaryFolder();
const clip = await makeClip(folder.path);
const before: Side[] = [];
const now: Side[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  before.push(await onMoto((aws) => prototype(aws, clip)));
  now.push(await onMoto((aws) => ours(aws, clip)));
}
const of = (sides: readonly Side[], key: keyof Side) => median(sides.map((side) => side[key]));
const [was, is] = [of(before, 'framesPerCpuSecond'), of(now, 'framesPerCpuSecond')];
console.log(
  `frames a second and core: ${is.toFixed(1)} of ours, ${was.toFixed(2)} of the prototype: ${(is / was).toFixed(1)}x (goal 15x)`,
);
const rounds = now.map((side, round) =>
  (side.framesPerCpuSecond / before[round]!.framesPerCpuSecond).toFixed(1),
);
console.log(`  rounds: ${rounds.join(', ')}x`);
const [large, small] = [of(before, 'bytesPerFrame'), of(now, 'bytesPerFrame')];
console.log(
  `bytes a frame: ${Math.round(small)} of ours, ${Math.round(large)} of the prototype: 1/${Math.round(large / small)} (goal 1/100)`,
);
console.log(`of that no picture: ${Math.round(of(now, 'metadataPerFrame'))} bytes (goal 1024)`);
