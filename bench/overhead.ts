// What Sightline costs beyond the same GStreamer graph into a fakesink: metadata, IPC, outbox and file sink.
//   node --import tsx bench/overhead.ts [--rounds 5] [--seconds 30] [--warm-up 60] [--streams 1,10]
// The same streams (30 fps, decoded, detected by a model that costs nothing, tracked) run in gst-launch and in the
// server: side by side where two cores carry both, else in turns. CPU is that of every process involved but the camera.
// In its first minute a Node process compiles what has become hot, on threads of its own (2 to 3 % of a core here): a
// camera runs for months, so that is left out by the warm-up. Needs an idle machine of two cores.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { onnxRuntimeLibrary, PATHS } from '../src/common/paths.ts';
import type { StreamView } from '../src/control/types.ts';
import { loadModel } from '../src/models/catalog.ts';
import { lowerCpu } from '../src/pipeline/backends/cpu.ts';
import type { Graph } from '../src/pipeline/graph.ts';
import { launchText } from '../src/pipeline/launch-text.ts';
import { resolve } from '../src/pipeline/resolve.ts';
import { startCamera } from '../test/support/camera.ts';
import { installFixedModel } from '../test/support/fixed-model.ts';
import { TestServer, temporaryFolder } from '../test/support/server.ts';
import { until } from '../test/support/wait.ts';
import { cpuSeconds, median, pidsBelow, privateMegabytes } from './support/process-cpu.ts';

const FPS = 30;
/** More streams than this at once do not leave two cores room for both. */
const SIDE_BY_SIDE_STREAMS = 4;
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '30' },
    'warm-up': { type: 'string', default: '60' },
    streams: { type: 'string', default: '1,10' },
  },
});
const rounds = Number(values.rounds);
const measureMs = Number(values.seconds) * 1000;
const warmUpMs = Number(values['warm-up']) * 1000;

interface Sample {
  /** Percent of a core per stream. */
  readonly perStream: number;
  readonly workerMegabytes?: number;
  readonly framesPerSecond?: number;
}

interface Setting {
  readonly folder: string;
  readonly modelsDir: string;
  readonly model: string;
  readonly url: string;
  readonly count: number;
}

function pipelineSpec({ model, url, count }: Setting) {
  return {
    id: 'bench',
    infer: { model, interval: 0 },
    streams: Array.from({ length: count }, (_, index) => ({
      id: `cam-${index}`,
      source: { type: 'rtsp' as const, url, transport: 'tcp' as const, latencyMs: 200 },
    })),
  };
}

async function measure(pids: () => readonly number[], count: number): Promise<number> {
  const before = cpuSeconds(pids());
  const startedAt = performance.now();
  await delay(measureMs);
  const seconds = (performance.now() - startedAt) / 1000;
  return ((cpuSeconds(pids()) - before) / seconds / count) * 100;
}

/** The graph up to the tracker, into a fakesink: slmeta and what follows are what is measured. */
function withoutMetadata(graph: Graph): Graph {
  const dropped = new Set(
    graph.nodes.filter(({ role }) => role === 'metadata' || role === 'output').map(({ id }) => id),
  );
  const end = `${graph.id}-end`;
  const cut = graph.links.find(({ from, to }) => !dropped.has(from) && dropped.has(to))!;
  return {
    ...graph,
    nodes: [
      ...graph.nodes.filter(({ id }) => !dropped.has(id)),
      { id: end, factory: 'fakesink', role: 'output', properties: { sync: false, async: false } },
    ],
    links: [
      ...graph.links.filter(({ from, to }) => !dropped.has(from) && !dropped.has(to)),
      { from: cut.from, to: end },
    ],
    sessionNodes: [],
  };
}

async function floor(setting: Setting): Promise<Sample> {
  const model = await loadModel(setting.modelsDir, setting.model);
  const resolved = resolve(pipelineSpec(setting), { models: new Map([[setting.model, model]]) });
  const { graphs } = lowerCpu(resolved, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: availableParallelism(),
    filesDir: PATHS.cache, // nothing is written: there are no zones
  });
  const line = launchText(graphs.map(withoutMetadata), { pluginDir: PATHS.pluginDir }).replace(
    /^.*gst-launch/s,
    'exec gst-launch',
  );
  const child = spawn('sh', ['-c', line], {
    stdio: 'ignore',
    env: { ...process.env, GST_PLUGIN_PATH: PATHS.pluginDir },
  });
  try {
    await delay(warmUpMs);
    return { perStream: await measure(() => pidsBelow(child.pid!), setting.count) };
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

function framesOf({ status }: StreamView): number {
  return status.counters.framesReceived;
}

async function whole(setting: Setting): Promise<Sample> {
  await using folder = await temporaryFolder();
  await using server = await TestServer.start(folder.path, {
    dataDir: `${folder.path}/data`,
    http: { port: 0 },
    modelsDir: setting.modelsDir,
    pipelines: [pipelineSpec(setting)],
    sinks: [{ id: 'files', type: 'file', dir: `${folder.path}/out` }],
  });
  for (let index = 0; index < setting.count; index += 1) {
    await server.streamIn(`cam-${index}`, ['live'], 60_000);
  }
  await delay(warmUpMs);
  const before = await server.stream('cam-0');
  const startedAt = performance.now();
  const perStream = await measure(() => pidsBelow(server.pid), setting.count);
  const after = await server.stream('cam-0');
  const rate = (framesOf(after) - framesOf(before)) / ((performance.now() - startedAt) / 1000);
  await until('the worker is there', 5000, () => pidsBelow(server.pid, /worker/).length > 0);
  const [worker] = pidsBelow(server.pid, /worker/);
  return { perStream, framesPerSecond: rate, workerMegabytes: privateMegabytes(worker!) };
}

await using folder = await temporaryFolder();
await using camera = await startCamera({ args: ['--fps', String(FPS)] });
const installed = await installFixedModel(folder.path);
for (const count of values.streams.split(',').map(Number)) {
  const setting: Setting = { folder: folder.path, ...installed, url: camera.url, count };
  const floors: number[] = [];
  const wholes: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const bare = floor(setting);
    if (count > SIDE_BY_SIDE_STREAMS) await bare;
    const ours = whole(setting);
    floors.push((await bare).perStream);
    wholes.push(await ours);
  }
  const added = wholes.map(({ perStream }, index) => perStream - floors[index]!);
  console.log(
    `${count} stream(s) at ${FPS} fps, ${rounds} rounds of ${measureMs / 1000} s after ${warmUpMs / 1000} s, % of a core per stream`,
  );
  console.log(
    `  graph into fakesink  median ${median(floors).toFixed(2)}  (${floors.map((v) => v.toFixed(2)).join(' ')})`,
  );
  console.log(`  whole server         median ${median(wholes.map((s) => s.perStream)).toFixed(2)}`);
  console.log(
    `  added                median ${median(added).toFixed(2)}  (${added.map((v) => v.toFixed(2)).join(' ')})`,
  );
  console.log(
    `  into the outbox      median ${median(wholes.map((s) => s.framesPerSecond!)).toFixed(1)} frames/s of a stream`,
  );
  console.log(
    `  worker, private      median ${median(wholes.map((s) => s.workerMegabytes!)).toFixed(0)} MB`,
  );
}
