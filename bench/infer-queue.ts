// `sightline infer` on a full queue beside ONNX Runtime alone, in one run, round by round:
//   node --import tsx bench/infer-queue.ts [--model centernet-512x384] [--rounds 3] [--seconds 10] [--cameras 1]
// Both run the same library with one thread for the model (one camera: one inference at a time). Needs the built server
// and two free cores: on the second one pictures are decoded, and messages and results pass through.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { PATHS } from '../src/common/paths.ts';
import { loadModel } from '../src/models/catalog.ts';
import { SqsSink } from '../src/sinks/sqs/sink.ts';
import { imageOf } from '../test/inference/pictures.ts';
import { InferProcess } from '../test/support/infer-process.ts';
import { temporaryFolder } from '../test/support/server.ts';
import { until } from '../test/support/wait.ts';
import { Fauxqs } from './support/fauxqs.ts';
import { cpuSeconds, pidsBelow } from './support/process-cpu.ts';
import { quantile } from './support/quantile.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'centernet-512x384' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    cameras: { type: 'string', default: '1' },
  },
});
const seconds = Number(values.seconds);
const cameras = Number(values.cameras);
const WARM_FRAMES = 20;
/** More than any machine infers in a round. */
const FRAMES_PER_SECOND = 100;

/** Pictures of the demo clip as a receiver queues them. */
async function pictures(folder: string): Promise<Buffer[]> {
  await mkdir(folder);
  const line = `filesrc location=${PATHS.demoClip} ! decodebin ! videoconvert ! jpegenc quality=85 ! identity eos-after=51 ! multifilesink location=${folder}/%05d`;
  await promisify(execFile)('gst-launch-1.0', ['-q', ...line.split(' ')], { timeout: 60_000 });
  const names = (await readdir(folder)).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name))));
}

interface Figures {
  readonly fps: number;
  /** Of all its processes, ms. */
  readonly cpuMsPerFrame: number;
}

/** ONNX Runtime alone: `cameras` runs of the model at a time, a thread each. */
async function bare(): Promise<Figures> {
  const { input: size } = await loadModel(PATHS.models, values.model);
  const { width, height } = size;
  const shape = [1, 3, height, width];
  const input = new Tensor('float32', new Float32Array(3 * height * width).fill(0.5), shape);
  const file = join(PATHS.models, values.model, 'model.onnx');
  const threads = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const sessions = await Promise.all(
    Array.from({ length: cameras }, () => InferenceSession.create(file, threads)),
  );
  let frames = 0;
  const runFor = async (session: InferenceSession, ms: number): Promise<void> => {
    const feeds = { [session.inputNames[0]!]: input };
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      await session.run(feeds);
      frames += 1;
    }
  };
  await Promise.all(sessions.map((session) => runFor(session, 500)));
  frames = 0;
  const startMs = performance.now();
  const cpuBefore = cpuSeconds([process.pid]);
  await Promise.all(sessions.map((session) => runFor(session, seconds * 1000)));
  const tookMs = performance.now() - startMs;
  const cpuMs = (cpuSeconds([process.pid]) - cpuBefore) * 1000;
  await Promise.all(sessions.map((session) => session.release()));
  return { fps: (frames * 1000) / tookMs, cpuMsPerFrame: cpuMs / frames };
}

/** `sightline infer` on a queue that is never empty. */
async function queued(data: readonly Buffer[]): Promise<Figures> {
  await using folder = await temporaryFolder();
  using queue = await Fauxqs.start({ queues: ['frames'] });
  const aws = queue.client;
  const sink = new SqsSink({
    ...{ id: 'queue', type: 'sqs', required: true, queue: 'frames', kinds: ['image'] },
    ...{ format: 'protobuf', concurrency: 4, ...aws },
  });
  const count = WARM_FRAMES + Math.round(FRAMES_PER_SECOND * seconds);
  for (let from = 0; from < count; from += 20) {
    const batch = Array.from({ length: 20 }, (_, index) => {
      const seq = from + index;
      const camera = `cam-${seq % cameras}`;
      return { ...imageOf({ camera, sequence: seq, data: data[seq % data.length]! }), seq };
    });
    await sink.deliver(batch, { signal: AbortSignal.timeout(60_000) });
  }
  await sink.close();
  await using running = await InferProcess.start(folder.path, {
    queue: { type: 'sqs', queue: 'frames', ...aws },
    models: [{ infer: { model: values.model } }],
    sinks: [{ id: 'files', type: 'file', dir: join(folder.path, 'out'), formats: ['parquet'] }],
    drainMs: 0,
  });
  const done = async () => (await running.status())?.frames.done ?? 0;
  const look = async () => {
    const frames = await done();
    const cpuS = cpuSeconds(pidsBelow(running.pid));
    return { frames, cpuS, atMs: performance.now() };
  };
  await until('it is warm', 60_000, async () => (await done()) >= WARM_FRAMES);
  const first = await look();
  await delay(seconds * 1000);
  const last = await look();
  const frames = last.frames - first.frames;
  return {
    fps: (frames * 1000) / (last.atMs - first.atMs),
    cpuMsPerFrame: ((last.cpuS - first.cpuS) * 1000) / frames,
  };
}

const load = loadavg().map((value) => value.toFixed(2));
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, load before: ${load.join(' ')}`);
await using folder = await temporaryFolder();
const data = await pictures(join(folder.path, 'pictures'));
const ratios: { fps: number; cpu: number }[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  const alone = await bare();
  const inQueue = await queued(data);
  ratios.push({
    fps: inQueue.fps / alone.fps,
    cpu: alone.cpuMsPerFrame / inQueue.cpuMsPerFrame,
  });
  const text = ({ fps, cpuMsPerFrame }: Figures) =>
    `${fps.toFixed(1)} fps, ${cpuMsPerFrame.toFixed(1)} ms of CPU a frame`;
  console.log(`alone ${text(alone)}; from the queue ${text(inQueue)}`);
}
const percent = (of: 'fps' | 'cpu') =>
  `${(
    100 *
      quantile(
        ratios.map((ratio) => ratio[of]),
        0.5,
      )
  ).toFixed(1)} %`;
const size = Math.round(data[0]!.length / 1024);
console.log(`\n${values.model}, ${cameras} camera(s), pictures of ${size} KB`);
console.log(`from the queue / alone: ${percent('fps')} of the frames   (goal: 90 % or more)`);
console.log(`alone / from the queue, CPU of all but the queue itself: ${percent('cpu')}`);
