import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Graph, GraphNode, Role } from '../../src/pipeline/graph.ts';
import type { StatsEvent } from '../../src/worker/protocol.ts';
import { graph, node, output } from '../gst/graphs.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

const CAPS = 'video/x-raw,format=GRAY8,width=16,height=16,framerate=25/1';

interface Source {
  readonly properties?: GraphNode['properties'];
  /** Of an `identity` behind the source. */
  readonly identity?: GraphNode['properties'];
}

/** Several sources into one output, as a muxer would join them: everything but the batch is real. */
function shared(
  sources: Readonly<Record<string, Source>>,
  behind: GraphNode['properties'] = {},
): Graph {
  const streams = Object.keys(sources);
  const own = (stream: string, id: string, factory: string, role: Role, properties = {}) =>
    node(`${id}-${stream}`, factory, role, properties, { stream });
  return graph(
    'shared',
    [
      ...streams.flatMap((id) => [
        own(id, 'source', 'videotestsrc', 'source', {
          'is-live': true,
          ...sources[id]!.properties,
        }),
        own(id, 'check', 'identity', 'decode', sources[id]!.identity ?? {}),
        own(id, 'decoded', 'slstamp', 'stamp', { stage: 'decode' }),
      ]),
      node('mux', 'funnel', 'mux'),
      node('infer', 'identity', 'infer', behind),
      output('out'),
    ],
    {
      streams,
      links: [
        ...streams.flatMap((id) => [
          { from: `source-${id}`, to: `check-${id}`, caps: CAPS },
          { from: `check-${id}`, to: `decoded-${id}` },
          { from: `decoded-${id}`, to: 'mux.sink_%u' },
        ]),
        { from: 'mux', to: 'infer' },
        { from: 'infer', to: 'out' },
      ],
    },
  );
}

function stats(worker: WorkerHarness): readonly StatsEvent[] {
  return worker.events.filter((event): event is StatsEvent => event.event === 'stats');
}

function told(worker: WorkerHarness, id: string): readonly string[] {
  return worker.phases(id).map(({ phase }) => phase);
}

test('each stream of a shared graph is live and counted by itself, in one session', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([shared({ a: {}, b: { properties: { 'is-live': true } }, c: {} })]);
  const sessions = new Set<string | undefined>();
  for (const id of ['a', 'b', 'c']) sessions.add((await worker.phase(id, 'live')).session);
  assert.equal(sessions.size, 1);
  const report = await until('a report of all', 5_000, () =>
    stats(worker).find(({ streams }) =>
      ['a', 'b', 'c'].every((id) => (streams[id]?.framesDecoded ?? 0) > 0),
    ),
  );
  assert.deepEqual(Object.keys(report.streams), ['a', 'b', 'c']);
  const stopped = await worker.request('stop', { drainMs: 2_000 });
  assert.deepEqual(stopped, { id: 2, result: { drained: true } });
  for (const id of ['a', 'b', 'c']) {
    assert.deepEqual(told(worker, id), ['connecting', 'live', 'stopped']);
  }
  // The counts are the streams' own: together they are what came over the line.
  const last = stats(worker).at(-1)!.streams;
  const decoded = Object.values(last).reduce((sum, { framesDecoded }) => sum + framesDecoded, 0);
  assert.ok(decoded >= worker.records.length && decoded <= worker.records.length + 3);
});

test('a source that fails is in back-off alone, and the graph is started anew for it later', async () => {
  await using worker = await WorkerHarness.launch();
  const failing = { identity: { 'error-after': 3 } };
  await worker.start([shared({ good: {}, bad: failing })], {
    shared: { rescueBaseMs: 2_500, rescueCapMs: 600_000 },
  });
  const backoff = await worker.phase('bad', 'backoff');
  assert.equal(backoff.code, 'SL_PIPELINE_FAILED');
  assert.match(backoff.message ?? '', /check-bad/);
  assert.ok(backoff.retryInMs! > 2_000);
  const before = stats(worker).length;
  await until('a report after it', 5_000, () => stats(worker).length > before + 1);
  assert.deepEqual(told(worker, 'good'), ['connecting', 'live']);
  const frames = stats(worker).map(({ streams }) => streams['good']!.framesDecoded);
  assert.ok(frames.at(-1)! > frames.at(-2)!, 'the other one goes on');

  // The wait is over: all of them start anew, and the reason says for whom.
  const interrupted = await worker.phase('good', 'backoff');
  assert.equal(interrupted.code, 'SL_PIPELINE_FAILED');
  assert.match(interrupted.message ?? '', /bring back stream "bad"/);
  assert.equal(
    worker
      .phases('bad')
      .filter(({ phase }) => phase === 'backoff')
      .at(-1)!.code,
    'SL_PIPELINE_FAILED',
  );
  await until('both are live again', 10_000, () =>
    ['good', 'bad'].every(
      (id) => told(worker, id).filter((phase) => phase === 'live').length === 2,
    ),
  );
  const sessions = new Set(worker.phases('good').map(({ session }) => session));
  assert.equal(sessions.size, 2);
});

test('an error of what the streams share starts the graph anew for all of them', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([shared({ a: {}, b: {} }, { 'error-after': 40 })]);
  for (const id of ['a', 'b']) {
    const backoff = await worker.phase(id, 'backoff');
    assert.equal(backoff.code, 'SL_PIPELINE_FAILED');
    assert.ok(backoff.retryInMs! <= 200);
  }
  await until('both are live again', 10_000, () =>
    ['a', 'b'].every((id) => told(worker, id).filter((phase) => phase === 'live').length >= 2),
  );
});

test('a silent stream is in back-off while the others go on; silence of all starts the graph anew', async () => {
  await using worker = await WorkerHarness.launch();
  // An identity that sleeps before each buffer: the source is there and gives nothing for a long time.
  const silent = { identity: { 'sleep-time': 2_000_000 } };
  await worker.start([shared({ a: { properties: { 'num-buffers': 60 } }, quiet: silent })], {
    firstFrameTimeoutMs: 1_000,
    stallTimeoutMs: 1_000,
    shared: { allSilentMs: 60_000, rescueBaseMs: 60_000 },
  });
  await worker.phase('a', 'live');
  const backoff = await worker.phase('quiet', 'backoff');
  assert.equal(backoff.code, 'SL_SOURCE_STALLED');
  assert.match(backoff.message ?? '', /No picture came (within|for) \d+ ms/);
  await worker.phase('quiet', 'live');
  const ended = await worker.phase('a', 'backoff');
  assert.equal(ended.code, 'SL_SOURCE_ENDED');
});

test('a graph whose streams are all silent is started anew', async () => {
  await using worker = await WorkerHarness.launch();
  const dead = { properties: { 'num-buffers': 5 } };
  await worker.start([shared({ a: dead, b: dead })], {
    stallTimeoutMs: 500,
    shared: { allSilentMs: 1_500, rescueBaseMs: 60_000 },
  });
  await until('the graph runs a second time', 15_000, () => {
    return new Set(worker.phases('a').map(({ session }) => session)).size >= 2;
  });
  const reasons = worker.phases('b').filter(({ phase }) => phase === 'backoff');
  // Its own reason, not that of the graph, also when the graph is what starts anew.
  assert.ok(reasons.every(({ code }) => code === 'SL_SOURCE_ENDED'));
});
