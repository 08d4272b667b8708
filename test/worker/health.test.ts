import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Graph } from '../../src/pipeline/graph.ts';
import { EXIT_CODES, type StatsEvent, type StreamEvent } from '../../src/worker/protocol.ts';
import { camera, graph, node, output } from '../gst/graphs.ts';
import { startCamera } from '../support/camera.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

/** A live stream whose stages are real; a property of `line`, `decode` and `infer` can stop each of them. */
function staged(id: string): Graph {
  const nodes = [
    node('source', 'videotestsrc', 'source', { 'is-live': true }),
    node('line', 'identity', 'parse'),
    node('decode', 'identity', 'decode'),
    node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
    node('frames', 'queue', 'queue', { 'max-size-buffers': 1, leaky: 'downstream' }),
    node('infer', 'identity', 'infer'),
    node('meta', 'slmeta', 'metadata', { 'stream-id': id }),
    output('out'),
  ];
  return graph(id, nodes, { sessionNodes: ['meta'] });
}

async function set(worker: WorkerHarness, graphId: string, at: string, value: number) {
  const [target = '', property = ''] = at.split('.');
  const changes = [{ node: target, property, value }];
  const reply = await worker.request('set', { graphId, changes });
  assert.deepEqual('result' in reply && reply.result, { applied: [true] });
}

function nextPhase(
  worker: WorkerHarness,
  id: string,
  phase: string,
  after: number,
): Promise<StreamEvent> {
  return until(`${id} is ${phase}`, 15_000, () =>
    worker.phases(id).find((event, index) => index >= after && event.phase === phase),
  );
}

test('a stream whose stage stops is stalled with the stage named, one that gets slow is degraded', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([staged('dark'), staged('slow')], {
    stallTimeoutMs: 60_000,
    degradedAfterMs: 2_000,
  });
  for (const id of ['dark', 'slow']) await worker.phase(id, 'live');
  const report = await until('a rate is known', 15_000, () =>
    worker.events
      .filter((event): event is StatsEvent => event.event === 'stats')
      .find(({ streams }) => streams['slow']!.framesPublished > 200),
  );
  const { framesArrived, framesDecoded } = report.streams['slow']!;
  assert.ok(framesArrived >= framesDecoded && framesDecoded > 200, JSON.stringify(report.streams));
  const { lastFrameAgeMs, clockQuality } = report.facts['slow']!;
  assert.ok(lastFrameAgeMs !== undefined && lastFrameAgeMs < 1_000, String(lastFrameAgeMs));
  assert.ok(clockQuality !== undefined);
  assert.ok(report.cpuMs > 0 && report.threads > 5 && report.fds > 5, JSON.stringify(report));

  await set(worker, 'dark', 'decode.drop-probability', 1);
  await set(worker, 'slow', 'line.drop-probability', 0.8);
  const stalled = await worker.phase('dark', 'stalled');
  assert.deepEqual([stalled.code, stalled.layer], ['SL_SOURCE_BROKEN', 'decode']);
  assert.ok(Number(stalled.observed?.['silentMs']) > 2_000);
  assert.ok(Number(stalled.observed?.['framesArrived']) > 30);
  await set(worker, 'dark', 'decode.drop-probability', 0);
  await nextPhase(worker, 'dark', 'live', 3);

  const degraded = await worker.phase('slow', 'degraded');
  assert.equal(degraded.code, 'SL_STREAM_DEGRADED');
  assert.ok(Number(degraded.observed?.['fps']) < Number(degraded.observed?.['usualFps']) / 2);
  await set(worker, 'slow', 'line.drop-probability', 0);
  await nextPhase(worker, 'slow', 'live', 3);
  // All of it in one session.
  assert.equal(new Set(worker.phases('slow').map(({ session }) => session)).size, 1);
});

test('a camera that falls silent is stalled at the network, then connected again', async () => {
  await using real = await startCamera({ args: ['--stall-after-frames', '30', '--fps', '30'] });
  await using worker = await WorkerHarness.launch();
  await worker.start([camera('cam', { location: real.url })], { stallTimeoutMs: 3_500 });
  const stalled = await worker.phase('cam', 'stalled');
  assert.deepEqual([stalled.code, stalled.layer], ['SL_SOURCE_STALLED', 'network']);
  const backoff = await worker.phase('cam', 'backoff');
  assert.deepEqual([backoff.code, backoff.layer], ['SL_SOURCE_STALLED', 'network']);
  assert.ok(Number(backoff.observed?.['silentMs']) > 3_500);
});

test('a detector that does not come back is named, and takes the process along when it cannot be ended', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([staged('cam')], { stallTimeoutMs: 3_500 });
  await worker.phase('cam', 'live');
  await until('frames leave', 5_000, () => worker.records.length > 5);
  await set(worker, 'cam', 'infer.sleep-time', 3_600_000_000);
  const stalled = await worker.phase('cam', 'stalled');
  assert.deepEqual([stalled.code, stalled.layer], ['SL_PIPELINE_FAILED', 'infer']);
  // The worker itself is well, and says so.
  const reports = worker.events.filter(({ event }) => event === 'stats').length;
  await until('reports go on', 3_000, () => {
    return worker.events.filter(({ event }) => event === 'stats').length > reports + 1;
  });
  assert.deepEqual(await worker.exited(12_000), { code: EXIT_CODES.frozen, signal: null });
});
