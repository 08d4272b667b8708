// The frame queue beside the prototype that came before it (bench/prototype/receive.py), both on cameras, a bucket and a queue of the
// same kind (fauxqs in a process of its own).
//   node --import tsx bench/prototype.ts [--frames 20] [--seconds 30] [--rounds 3] [--max-width 640] [--cameras 2]
//     [--pack-ms 500] [--quality 75]
// 720p at 30 a second by RTSP. The prototype: each frame decoded, as 64-bit integers to S3, one message of SQS. Ours: `sightline receive`
// as it is shipped, each frame decoded, as JPEG through the outbox and the sink sqs with a claim check in S3: an object each, then
// those of a tenth of a second (or `--pack-ms`) in one. Beside them what cannot be saved: GStreamer's receiver, decoder and JPEG encoder
// alone, which throw the pictures away. CPU time of all processes of a side, camera and server left out: frames a second
// and core are frames a CPU second.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Sink } from '../src/api/schemas.ts';
import { PATHS, ROOT } from '../src/common/paths.ts';
import { readSqsMessage } from '../src/consumer/sqs.ts';
import { decodeImage } from '../src/metadata/image.ts';
import { startCamera } from '../test/support/camera.ts';
import { fileConfig } from '../test/support/config.ts';
import { TestServer, temporaryFolder } from '../test/support/server.ts';
import { until } from '../test/support/wait.ts';
import { Fauxqs } from './support/fauxqs.ts';
import { cpuSeconds, median, pidsBelow } from './support/process-cpu.ts';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '3' },
    'max-width': { type: 'string' },
    cameras: { type: 'string', default: '2' },
    'pack-ms': { type: 'string', default: '100' },
    quality: { type: 'string', default: '85' },
  },
});
const WIDTH = 1280;
const HEIGHT = 720;
/** About seven fill a core. */
const CAMERAS = Number(values.cameras);
/** V8 compiles what runs often, for most of a minute. */
const WARM_UP_FRAMES = 900 * CAMERAS;
const LIMIT_MS = 120_000;
const CODEC_SECONDS = 10;
/** Requests whose messages are read. */
const READS = 10;
const FOLDER = join(import.meta.dirname, 'prototype');
const PYTHON = join(ROOT, '.cache', 'prototype', 'bin', 'python');
const run = promisify(execFile);

interface Side {
  readonly framesPerCpuSecond: number;
  readonly bytesPerFrame: number;
  readonly metadataPerFrame: number;
}

async function installPrototype(): Promise<void> {
  if (!existsSync(PYTHON)) await run('python3', ['-m', 'venv', join(PYTHON, '..', '..')]);
  const requirements = join(FOLDER, 'requirements.txt');
  await run(PYTHON, ['-m', 'pip', 'install', '-q', '-r', requirements]);
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

async function prototype(clip: string): Promise<Side & { framesPerSecond: number }> {
  using aws = await Fauxqs.start({ buckets: ['prototype'], queues: ['prototype'] });
  await using camera = await startCamera({ args: ['--clip', clip, '--fps', '30'] });
  const program = join(FOLDER, 'receive.py');
  const { stdout } = await run(PYTHON, [program, aws.client.endpoint, camera.url, values.frames]);
  const said = JSON.parse(stdout) as Record<string, number>;
  const { cpuSeconds: cpu, seconds, frames, bytes, messageBytes } = said;
  return {
    framesPerCpuSecond: frames! / cpu!,
    framesPerSecond: frames! / seconds!,
    bytesPerFrame: (bytes! + messageBytes!) / frames!,
    metadataPerFrame: messageBytes! / frames!,
  };
}

/** Frames a CPU second of receiving, decoding and encoding with nothing behind them. */
async function codecs(clip: string): Promise<number> {
  await using camera = await startCamera({ args: ['--clip', clip, '--fps', '30'] });
  const text = `rtspsrc location=${camera.url} protocols=tcp ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 ! jpegenc quality=${values.quality} ! fakesink`;
  const child = spawn('gst-launch-1.0', ['-q', ...text.split(' ')], { stdio: 'ignore' });
  // It has begun to decode after the first of them.
  await delay(3_000);
  const before = cpuSeconds([child.pid!]);
  await delay(CODEC_SECONDS * 1000);
  const cpu = cpuSeconds([child.pid!]) - before;
  child.kill();
  return (CODEC_SECONDS * 30) / cpu;
}

async function ours(clip: string, packing: { packBytes?: number; packMs?: number }): Promise<Side> {
  using aws = await Fauxqs.start({ buckets: ['claims'], queues: ['raw-frame-queue'] });
  await using camera = await startCamera({ args: ['--clip', clip, '--fps', '30'] });
  await using folder = await temporaryFolder();
  const ids = Array.from({ length: CAMERAS }, (_, index) => `cam-${index}`);
  const claimCheck = { bucket: 'claims', aboveBytes: 0, ...packing };
  const { 'max-width': width } = values;
  const scaling = width === undefined ? {} : { maxWidth: Number(width) };
  const config = fileConfig(folder.path, {
    defaults: {},
    recording: { store: { type: 'folder', dir: join(folder.path, 'store') } },
    pipelines: [
      {
        id: 'gate',
        // The least time between two pictures is shorter than that between two frames: each is taken.
        images: { fps: 50, when: 'always', quality: Number(values.quality), ...scaling },
        streams: ids.map((id) => ({ id, source: { type: 'rtsp', url: camera.url } })),
      },
    ],
    sinks: [
      {
        ...{ id: 'queue', type: 'sqs', queue: 'raw-frame-queue', kinds: ['image'] },
        ...{ claimCheck, ...aws.client },
      },
    ],
  });
  await using server = await TestServer.start(folder.path, config, {}, 'receive');
  const delivered = async () => {
    const [sink] = (await server.json<{ items: Sink[] }>('/v1/sinks')).items;
    return sink!.delivered;
  };
  await until('it is warm', LIMIT_MS, async () => {
    // To answer costs CPU time, too.
    await delay(1000);
    return (await delivered()) >= WARM_UP_FRAMES;
  });
  const pids = pidsBelow(server.pid);
  const before = { frames: await delivered(), cpu: cpuSeconds(pids) };
  await delay(Number(values.seconds) * 1000);
  const frames = (await delivered()) - before.frames;
  const framesPerCpuSecond = frames / (cpuSeconds(pids) - before.cpu);
  return { framesPerCpuSecond, ...(await bytesOf(aws)) };
}

/** What lies in the bucket and the queue for a frame, and what of it is no picture. */
async function bytesOf({ client }: Fauxqs): Promise<Omit<Side, 'framesPerCpuSecond'>> {
  const sqs = new SQSClient(client);
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'raw-frame-queue' }));
  const messages: number[] = [];
  const records: number[] = [];
  const pictures: number[] = [];
  for (let read = 0; read < READS; read += 1) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
    );
    for (const message of Messages) {
      const attributes = Object.entries(message.MessageAttributes ?? {});
      const text = attributes.flatMap(([name, { DataType = '', StringValue = '' }]) => [
        ...[name, DataType, StringValue],
      ]);
      messages.push([message.Body ?? '', ...text].reduce((sum, t) => sum + t.length, 0));
      const [record] = await readSqsMessage(message, s3, AbortSignal.timeout(LIMIT_MS));
      if (record?.kind !== 'image') throw new Error('The queue has a message of something else');
      records.push(record.bytes.length);
      pictures.push(decodeImage(record.bytes).data.length);
    }
  }
  sqs.destroy();
  s3.destroy();
  const [message, record, picture] = [messages, records, pictures].map(mean);
  return { bytesPerFrame: record! + message!, metadataPerFrame: record! - picture! + message! };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

await using folder = await temporaryFolder();
await installPrototype();
const clip = await makeClip(folder.path);
const rounds: {
  readonly was: Side & { readonly framesPerSecond: number };
  readonly each: Side;
  readonly packed: Side;
  readonly codecs: number;
}[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  rounds.push({
    was: await prototype(clip),
    each: await ours(clip, {}),
    packed: await ours(clip, { packBytes: 4 * 1024 * 1024, packMs: Number(values['pack-ms']) }),
    codecs: await codecs(clip),
  });
}
const of = (side: 'was' | 'each' | 'packed', key: keyof Side) =>
  median(rounds.map((round) => round[side][key]));
const was = of('was', 'framesPerCpuSecond');
console.log(`frames a second and core, the prototype: ${was.toFixed(2)}`);
const loop = median(rounds.map((round) => round.was.framesPerSecond));
console.log(`  its loop, which waits for each upload: ${loop.toFixed(2)} frames a second`);
for (const side of ['each', 'packed'] as const) {
  const is = of(side, 'framesPerCpuSecond');
  const ratios = rounds.map((round) => {
    const ratio = round[side].framesPerCpuSecond / round.was.framesPerCpuSecond;
    return `${ratio.toFixed(1)}x`;
  });
  const how = side === 'each' ? 'an object each' : 'several in an object';
  console.log(
    `ours, ${how}: ${is.toFixed(1)}: ${(is / was).toFixed(1)}x (goal 15x); rounds ${ratios.join(', ')}`,
  );
}
const alone = median(rounds.map((round) => round.codecs));
console.log(`decoder and JPEG encoder alone: ${alone.toFixed(1)}: ${(alone / was).toFixed(1)}x`);
const [large, small] = [of('was', 'bytesPerFrame'), of('packed', 'bytesPerFrame')];
console.log(
  `bytes a frame: ${Math.round(small)} of ours, ${Math.round(large)} of the prototype: 1/${Math.round(large / small)} (goal 1/100)`,
);
console.log(
  `of that no picture: ${Math.round(of('packed', 'metadataPerFrame'))} bytes (goal 1024)`,
);
