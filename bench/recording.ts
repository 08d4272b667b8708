// What recording a camera costs, against the same cameras in a bare `rtspsrc ! splitmuxsink` in the same run.
//   node --import tsx bench/recording.ts [--streams 20] [--many 100] [--rounds 3] [--seconds 15]
// 720p, 30 a second, 2.5 Mbit/s over TCP, files of 60 s with fragments of 1 s. CPU of the bare graph is gst-launch's; ours is
// that of the worker and of this process, which reads what the worker reports. Then `--many` streams in one worker: CPU
// of a stream, frames a second of the slowest one, and memory a further stream takes (from `--streams` to `--many`).
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { checkValue } from '../src/common/check.ts';
import { PATHS } from '../src/common/paths.ts';
import { lowerCpu } from '../src/pipeline/backends/cpu.ts';
import { resolve } from '../src/pipeline/resolve.ts';
import { PipelineSpec } from '../src/pipeline/spec.ts';
import type { StatsEvent } from '../src/worker/protocol.ts';
import { startCamera } from '../test/support/camera.ts';
import { temporaryFolder } from '../test/support/server.ts';
import { until } from '../test/support/wait.ts';
import { WorkerHarness } from '../test/worker/worker-harness.ts';
import { cpuSeconds, median, privateMegabytes } from './support/process-cpu.ts';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '20' },
    many: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
  },
});
const few = Number(values.streams);
const many = Number(values.many);
const measureMs = Number(values.seconds) * 1000;
const WARM_UP_MS = 8_000;

async function makeClip(folder: string): Promise<string> {
  const clip = join(folder, '720p30.mp4');
  await promisify(execFile)('gst-launch-1.0', [
    ...['-q', 'filesrc', `location=${PATHS.demoClip}`, '!', 'decodebin', '!', 'videoconvert'],
    ...['!', 'videoscale', '!', 'videorate', '!'],
    ...['video/x-raw,width=1280,height=720,framerate=30/1'],
    ...['!', 'identity', 'eos-after=300', '!', 'x264enc'],
    ...['bitrate=2500', 'key-int-max=60', 'bframes=0', 'speed-preset=veryfast', '!', 'mp4mux'],
    ...['!', 'filesink', `location=${clip}`],
  ]);
  return clip;
}

/** Percent of a core. */
async function measure(pids: readonly number[]): Promise<number> {
  const before = cpuSeconds(pids);
  const startedAt = performance.now();
  await delay(measureMs);
  return ((cpuSeconds(pids) - before) / ((performance.now() - startedAt) / 1000)) * 100;
}

async function bare(url: string, folder: string, count: number): Promise<number> {
  const graphs = Array.from({ length: count }, (_, index) => [
    ...['rtspsrc', `location=${url}`, 'protocols=tcp', 'latency=200', '!', 'rtph264depay', '!'],
    ...['h264parse', '!', 'splitmuxsink', 'max-size-time=60000000000'],
    `location=${join(folder, `bare-${index}-%05d.mp4`)}`,
  ]).flat();
  const child = spawn('gst-launch-1.0', ['-q', ...graphs], { stdio: 'ignore' });
  try {
    await delay(WARM_UP_MS);
    return (await measure([child.pid!])) / count;
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

interface Recorded {
  /** Percent of a core a stream. */
  readonly cpu: number;
  readonly megabytes: number;
  /** Of the slowest stream. */
  readonly fps: number;
  readonly lost: number;
}

async function recorded(url: string, folder: string, count: number): Promise<Recorded> {
  const streams = Array.from({ length: count }, (_, index) => ({
    id: `cam-${index}`,
    source: { type: 'rtsp', url, latencyMs: 200 },
  }));
  const spec = checkValue({ id: 'bench', record: {}, streams }, PipelineSpec);
  const options = { onnxRuntimeLibrary: '', cores: 1, filesDir: folder, recordDir: folder };
  const { graphs } = lowerCpu(resolve(spec, { models: new Map() }), options);
  await using worker = await WorkerHarness.launch();
  await worker.start(graphs);
  const stats = () =>
    worker.events.findLast((event): event is StatsEvent => event.event === 'stats');
  const counts = () => Object.values(stats()?.streams ?? {}).map((one) => one.framesRecorded ?? 0);
  await until('all record', 60_000, () => {
    const frames = counts();
    return frames.length === count && frames.every((recorded) => recorded > 0);
  });
  await delay(WARM_UP_MS);
  const before = { frames: counts(), atMs: stats()!.monotonicMs };
  const cpu = (await measure([worker.pid, process.pid])) / count;
  const seconds = (stats()!.monotonicMs - before.atMs) / 1000;
  const rates = counts().map((frames, index) => (frames - before.frames[index]!) / seconds);
  const lost = Object.values(stats()!.streams).reduce(
    (sum, { framesUnrecorded = 0 }) => sum + framesUnrecorded,
    0,
  );
  return { cpu, megabytes: privateMegabytes(worker.pid), fps: Math.min(...rates), lost };
}

await using folder = await temporaryFolder();
const clip = await makeClip(folder.path);
await using camera = await startCamera({ args: ['--clip', clip, '--fps', '30'] });
const floors: number[] = [];
const ours: Recorded[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  floors.push(await bare(camera.url, folder.path, few));
  ours.push(await recorded(camera.url, join(folder.path, `round-${round}`), few));
}
const floor = median(floors);
const cpu = median(ours.map((one) => one.cpu));
console.log(
  `${few} streams, medians of ${ours.length}: bare splitmuxsink ${floor.toFixed(2)} % of a core a stream, ` +
    `recorded ${cpu.toFixed(2)} %: ${(cpu / floor).toFixed(2)}x`,
);
const all = await recorded(camera.url, join(folder.path, 'many'), many);
const more = (all.megabytes - median(ours.map((one) => one.megabytes))) / (many - few);
console.log(
  `${many} streams in one worker: ${all.cpu.toFixed(2)} % of a core a stream (${Math.floor(100 / all.cpu)} a core), ` +
    `slowest ${all.fps.toFixed(1)} a second, ${all.lost} frames before the first key frames, ${more.toFixed(2)} MB a further stream`,
);
