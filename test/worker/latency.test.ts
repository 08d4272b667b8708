import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATHS } from '../../src/common/paths.ts';
import { GstPipeline } from '../../src/gst/pipeline.ts';
import { decodeFrame } from '../../src/metadata/frame.ts';
import { FrameCounters } from '../../src/worker/frame-counters.ts';
import { graph, node, output } from '../gst/graphs.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

/** 50 pictures a second for a detector that takes 20: `waiting` of them are kept in front of it. */
function slow(id: string, latency: { drop: string; 'budget-ms': number }, waiting: number) {
  const queue = { 'max-size-buffers': waiting, 'max-size-bytes': 0, 'max-size-time': 0 };
  const nodes = [
    node('source', 'videotestsrc', 'source', { 'is-live': true }),
    node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
    node('frames', 'queue', 'queue', { ...queue, ...(waiting === 1 ? { leaky: 2 } : {}) }),
    node('latency', 'sllatency', 'queue', latency),
    node('detector', 'identity', 'infer', { 'sleep-time': 50_000 }),
    node('meta', 'slmeta', 'metadata', { 'stream-id': id }),
    output('out'),
  ];
  const links = nodes.slice(1).map((to, index) => ({ from: nodes[index]!.id, to: to.id }));
  const caps = 'video/x-raw,format=GRAY8,width=16,height=16,framerate=50/1';
  return graph(id, nodes, {
    links: links.map((link) => (link.from === 'source' ? { ...link, caps } : link)),
    sessionNodes: ['meta'],
  });
}

test('a latency budget holds in a worker, and every number of a frame is accounted for', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([slow('cam', { drop: 'newest', 'budget-ms': 80 }, 8)]);
  await until('40 records', 20_000, () => worker.records.length >= 40);
  let next = 0;
  let skipped = 0;
  for (const { payload } of worker.records.slice(0, 40)) {
    const frame = decodeFrame(payload);
    const frameSequence = Number(frame.frameSequence);
    const framesSkipped = Number(frame.framesSkipped);
    assert.equal(frameSequence, next + framesSkipped, 'no gap but the one it tells');
    next = frameSequence + 1;
    skipped += framesSkipped;
  }
  assert.ok(
    skipped >= 40,
    `${skipped} of ${next} were left out: more than half of them are too many`,
  );
  // Late ones are left out of now on: with a budget that none can meet, all of them.
  const changes = [
    { node: 'latency', property: 'drop', value: 'oldest' },
    { node: 'latency', property: 'budget-ms', value: 1 },
    { node: 'detector', property: 'sleep-time', value: 0 },
  ];
  const reply = await worker.request('set', { graphId: 'cam', changes });
  assert.deepEqual(reply, { id: 2, result: { applied: [true, true, true] } });
});

test('what was left out is told by reason', async () => {
  process.env['GST_PLUGIN_PATH'] = PATHS.pluginDir;
  await using pipeline = await GstPipeline.create(
    slow('cam', { drop: 'oldest', 'budget-ms': 1000 }, 1),
  );
  await pipeline.setState('playing');
  const counters = new FrameCounters(pipeline);
  const reasons = async () => {
    const samples = await counters.read();
    return samples.get('cam')?.skipped ?? {};
  };
  await until('the detector is busy', 10_000, async () => ((await reasons())['busy'] ?? 0) > 10);
  assert.deepEqual(Object.keys(await reasons()), ['busy']);
  await pipeline.setProperties([{ node: 'decoded', property: 'drop-interval', value: 2 }]);
  await until('an interval', 10_000, async () => ((await reasons())['drop-interval'] ?? 0) > 10);
  await pipeline.setProperties([{ node: 'latency', property: 'budget-ms', value: 1 }]);
  await until('the budget', 10_000, async () => ((await reasons())['budget-oldest'] ?? 0) > 5);
  await pipeline.setProperties([{ node: 'latency', property: 'budget-ms', value: 0 }]);
  const told = await reasons();
  const explained = Object.values(told).reduce((sum, count) => sum + count, 0);
  const last = await until('the next gap', 10_000, async () => {
    const sample = (await counters.read()).get('cam');
    return sample !== undefined && sample.counters.framesSkipped >= explained && sample;
  });
  assert.equal(
    Object.values(last.skipped).reduce((sum, count) => sum + count, 0),
    last.counters.framesSkipped,
    'the reasons add up',
  );
});
