// What adding and removing a live stream leaves behind in a running worker.
//   node --import tsx bench/live-cycles.ts [--cycles 1000] [--warm-up 100] [--every 100]
// One worker with one stream of the built-in camera that stays. Each cycle adds a second one (RTSP, decoder, detector
// with a model that costs nothing, tracker, metadata), waits for its first picture, drains it and removes it. Prints the
// worker's memory, descriptors and threads; fails when they grow or the stream that stays is disturbed.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { onnxRuntimeLibrary } from '../src/common/paths.ts';
import { workerCommand } from '../src/control/worker-command.ts';
import { loadModel } from '../src/models/catalog.ts';
import { lowerCpu } from '../src/pipeline/backends/cpu.ts';
import type { Graph } from '../src/pipeline/graph.ts';
import { resolve } from '../src/pipeline/resolve.ts';
import type { StatsEvent } from '../src/worker/protocol.ts';
import { startCamera } from '../test/support/camera.ts';
import { installFixedModel } from '../test/support/fixed-model.ts';
import { temporaryFolder } from '../test/support/server.ts';
import { until } from '../test/support/wait.ts';
import { WorkerHarness } from '../test/worker/worker-harness.ts';

const MOST_GROWTH_MB = 10;
const DRAIN_MS = 2_000;
/** GLib keeps idle threads of its pools for some seconds. */
const IDLE_THREADS = 4;

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    'warm-up': { type: 'string', default: '100' },
    every: { type: 'string', default: '100' },
  },
});
const cycles = Number(values.cycles);
const warmUp = Number(values['warm-up']);
const every = Number(values.every);

/** The graph of one stream, as serve makes it. */
async function lowered(folder: string, url: string): Promise<(id: string) => Graph> {
  const { modelsDir, model: name } = await installFixedModel(folder);
  const model = await loadModel(modelsDir, name);
  return (id) => {
    const source = { type: 'rtsp' as const, url, transport: 'tcp' as const, latencyMs: 0 };
    const spec = { id: 'bench', infer: { model: name, interval: 0 }, streams: [{ id, source }] };
    const { graphs } = lowerCpu(resolve(spec, { models: new Map([[name, model]]) }), {
      onnxRuntimeLibrary: onnxRuntimeLibrary(),
      cores: availableParallelism(),
      filesDir: folder,
    });
    return graphs[0]!;
  };
}

/** The next report, taken while only the stream that stays is there. */
function nextReport(worker: WorkerHarness): Promise<StatsEvent> {
  const from = worker.events.length;
  return until('a report', 10_000, () =>
    worker.events
      .slice(from)
      .find(
        (event): event is StatsEvent =>
          event.event === 'stats' && Object.keys(event.streams).length === 1,
      ),
  );
}

async function cycle(worker: WorkerHarness, graph: Graph): Promise<number> {
  const startedAt = performance.now();
  const added = await worker.request('add', { graphs: [graph] });
  if ('error' in added) throw new Error(`add: ${added.error.message}`);
  await worker.phase(graph.id, 'live', 20_000);
  const liveMs = performance.now() - startedAt;
  const removed = await worker.request('remove', { graphId: graph.id, drainMs: DRAIN_MS });
  if ('error' in removed) throw new Error(`remove: ${removed.error.message}`);
  return liveMs;
}

const megabytes = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10;

await using folder = await temporaryFolder();
await using camera = await startCamera({ args: ['--fps', '30'] });
const graphOf = await lowered(folder.path, camera.url);
await using worker = await WorkerHarness.launch({ env: workerCommand().env });
await worker.start([graphOf('stays')]);
await worker.phase('stays', 'live');

let base: StatsEvent | undefined;
let last: StatsEvent | undefined;
const startedAt = performance.now();
for (let done = 1; done <= warmUp + cycles; done += 1) {
  await cycle(worker, graphOf(`cam-${done}`));
  if (done !== warmUp && (done < warmUp || (done - warmUp) % every !== 0)) continue;
  last = await nextReport(worker);
  base ??= last;
  const counted = done - warmUp;
  console.log(
    JSON.stringify({
      cycles: counted,
      seconds: Math.round((performance.now() - startedAt) / 1000),
      rssMb: megabytes(last.rssBytes),
      growthMb: megabytes(last.rssBytes - base.rssBytes),
      fds: last.fds,
      threads: last.threads,
      recordsDropped: last.streams['stays']?.recordsDropped,
    }),
  );
  // What was read is not needed any more.
  worker.events.splice(0, worker.events.length - 100);
  worker.replies.length = 0;
  worker.records.length = 0;
}
const phases = worker.phases('stays').map(({ phase }) => phase);
const growthMb = megabytes(last!.rssBytes - base!.rssBytes);
const flat = last!.fds <= base!.fds && last!.threads <= base!.threads + IDLE_THREADS;
const undisturbed = phases.every((phase) => phase === 'connecting' || phase === 'live');
console.log(JSON.stringify({ cycles, growthMb, flat, undisturbed }));
if (growthMb > MOST_GROWTH_MB || !flat || !undisturbed) process.exitCode = 1;
