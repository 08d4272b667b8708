import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame } from '../../src/metadata/frame.ts';
import type { Graph, PropertyValue } from '../../src/pipeline/graph.ts';
import type { StatsEvent } from '../../src/worker/protocol.ts';
import { graph, node, output } from '../gst/graphs.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

/** A stream of our own elements without a model. */
function metadata(id: string, source: Readonly<Record<string, PropertyValue>>): Graph {
  const nodes = [
    node('source', 'videotestsrc', 'source', source),
    node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
    node('meta', 'slmeta', 'metadata', { 'stream-id': id }),
    output('out'),
  ];
  return graph(id, nodes, { sessionNodes: ['meta'] });
}

/** A stream whose detector is told to use a configuration. */
function detection(id: string, config: string): Graph {
  const nodes = [
    node('source', 'videotestsrc', 'source', { 'is-live': true }),
    node('infer', 'slinfer', 'infer', { 'config-file-path': config }),
    node('meta', 'slmeta', 'metadata', { 'stream-id': id }),
    output('out'),
  ];
  return graph(id, nodes, { sessionNodes: ['meta'] });
}

test('each session’s records carry its id, and the elements’ counters add up over sessions', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([metadata('cam', { 'is-live': true, 'num-buffers': 4 })]);
  const sessions = await until('two sessions', 10_000, () => {
    const ended = worker.phases('cam').filter(({ phase }) => phase === 'backoff');
    return ended.length >= 2 && ended.slice(0, 2).map(({ session }) => session);
  });
  await worker.request('stop', { drainMs: 1_000 });
  await worker.exited(2_000);
  const frames = worker.records.map(({ payload }) => decodeFrame(payload));
  for (const session of sessions) {
    const own = frames.filter((frame) => frame.session === session);
    assert.deepEqual(
      own.map(({ frameSequence }) => Number(frameSequence)),
      [0, 1, 2, 3],
    );
  }
  const last = worker.events.filter((event): event is StatsEvent => event.event === 'stats').at(-1);
  assert.deepEqual(last?.streams['cam'], {
    // Its pictures are made, not decoded.
    framesArrived: 0,
    framesDecoded: frames.length,
    framesInferred: 0,
    framesPublished: frames.length,
    framesSkipped: 0,
    recordsDropped: 0,
  });
});

test('a model that is not there fails its stream for good and leaves its neighbour alone', async () => {
  await using worker = await WorkerHarness.launch();
  const broken = detection('broken', '/nonexistent/nvinfer.txt');
  await worker.start([broken, metadata('good', { 'is-live': true })]);
  const failed = await worker.phase('broken', 'failed');
  assert.equal(failed.code, 'SL_MODEL_NOT_FOUND');
  assert.match(failed.message ?? '', /\/nonexistent\/nvinfer\.txt/);
  await worker.phase('good', 'live');
  await until('it goes on', 5_000, () => worker.records.length > 20);
  assert.equal(worker.phases('broken').at(-1)?.phase, 'failed');
});
