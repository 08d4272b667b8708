import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyticsChanges, changesFor, streamsOf } from '../../src/control/live-commands.ts';
import type { Compiler } from '../../src/control/types.ts';
import { workerCommand } from '../../src/control/worker-command.ts';
import type { Graph, GraphNode } from '../../src/pipeline/graph.ts';
import { changeGraph } from '../../src/pipeline/graph-changes.ts';
import type { PipelineSpec, StreamSpec } from '../../src/pipeline/spec.ts';
import { withZones } from '../../src/pipeline/zones.ts';
import { until } from '../support/wait.ts';
import { TEST_PICTURES } from './real-graphs.ts';
import {
  fakeWorker,
  graphOf,
  specOf,
  startOrchestrator,
  untilState,
  untilTold,
} from './support.ts';

const node = (id: string, factory: string, more: Partial<GraphNode> = {}): GraphNode => ({
  ...{ id, factory, role: 'parse', properties: {} },
  ...more,
});

/** Two streams in one graph, as DeepStream runs them. */
const SHARED: Graph = {
  id: 'yard',
  streams: ['gate', 'door'],
  nodes: [
    node('decoded-0', 'slstamp', { properties: { stage: 'decode' }, stream: 'gate' }),
    node('decoded-1', 'slstamp', { properties: { stage: 'decode' }, stream: 'door' }),
    node('infer', 'nvinfer', { role: 'infer' }),
    node('classify-plates', 'nvinfer', { role: 'classify' }),
    node('analytics', 'nvdsanalytics', { properties: { 'config-file': '/w/a-1.txt' } }),
  ],
  links: [],
  choices: [],
  sessionNodes: [],
};

test('in a shared graph a decoder is one stream’s, the detector and the analytics are everybody’s', () => {
  const drop = changesFor(SHARED, 'door', { kind: 'drop-frame-interval', interval: 3 });
  assert.deepEqual(drop, [{ node: 'decoded-1', property: 'drop-interval', value: 3 }]);
  assert.deepEqual(streamsOf(SHARED, drop), ['door']);
  const interval = changesFor(SHARED, 'door', { kind: 'infer-interval', interval: 4 });
  assert.deepEqual(interval, [{ node: 'infer', property: 'interval', value: 4 }]);
  assert.deepEqual(streamsOf(SHARED, interval), ['gate', 'door']);
  assert.deepEqual(changesFor(SHARED, 'door', { kind: 'skip-frames', mode: 2 }), []);
  const decoder = node('h264-decode-1', 'nvv4l2decoder', { role: 'decode', stream: 'door' });
  const own = { ...SHARED, nodes: [...SHARED.nodes, decoder] };
  assert.deepEqual(changesFor(own, 'door', { kind: 'skip-frames', mode: 2 }), [
    { node: 'h264-decode-1', property: 'skip-frames', value: 2 },
  ]);
  assert.deepEqual(changesFor(own, 'gate', { kind: 'skip-frames', mode: 2 }), []);
  assert.deepEqual(changesFor(SHARED, 'gate', { kind: 'analytics-reload' }), [
    { node: 'analytics', property: 'config-file', value: '/w/a-1.txt' },
  ]);
});

test('analytics take the new file; elements that are not needed are switched off; more cannot be added', () => {
  const analytics = (...files: string[]): Graph => ({
    ...graphOf('cam'),
    nodes: files.map((file, index) =>
      node(index === 0 ? 'analytics' : `analytics-${index + 1}`, 'slanalytics', {
        properties: { 'config-file': file },
      }),
    ),
  });
  assert.deepEqual(analyticsChanges(analytics('a', 'b'), analytics('c'), 'cam'), [
    { node: 'analytics', property: 'config-file', value: 'c' },
    { node: 'analytics', property: 'enable', value: true },
    { node: 'analytics-2', property: 'enable', value: false },
  ]);
  assert.deepEqual(analyticsChanges(analytics('a'), analytics('b', 'c'), 'cam'), []);
  const nvidia = (file: string): Graph => {
    const properties = { 'config-file': file };
    return { ...SHARED, nodes: [node('analytics', 'nvdsanalytics', { properties })] };
  };
  assert.deepEqual(analyticsChanges(nvidia('a'), nvidia('b'), 'door'), [
    { node: 'analytics', property: 'config-file', value: 'b' },
  ]);
  assert.deepEqual(analyticsChanges(graphOf('cam'), analytics('b'), 'cam'), []);
});

test('changeGraph() reaches nodes of choices, leaves the rest alone, and knows its nodes', () => {
  const graph: Graph = {
    ...graphOf('cam'),
    choices: [
      { from: 'source', to: 'out', alternatives: [{ caps: 'x', chain: [node('skip', 'slskip')] }] },
    ],
  };
  const changed = changeGraph(graph, [{ node: 'skip', property: 'skip', value: 'non-key' }]);
  assert.deepEqual(changed.choices[0]!.alternatives[0]!.chain[0]!.properties, { skip: 'non-key' });
  assert.deepEqual(graph.choices[0]!.alternatives[0]!.chain[0]!.properties, {});
  assert.throws(() => changeGraph(graph, [{ node: 'none', property: 'x', value: 1 }]), {
    code: 'SL_NOT_FOUND',
  });
});

test('zones of one stream are replaced; the others keep theirs', () => {
  const zone = (id: string, streams?: readonly string[]) => ({
    id,
    polygon: [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
    invert: false,
    ...(streams === undefined ? {} : { streams: [...streams] }),
  });
  const spec = {
    id: 'yard',
    streams: [{ id: 'gate' }, { id: 'door' }],
    analytics: {
      zones: [zone('all'), zone('gate-only', ['gate']), zone('both', ['gate', 'door'])],
      lines: [],
      directions: [],
    },
  } as unknown as PipelineSpec;
  const { analytics } = withZones(spec, 'gate', [zone('new')]);
  assert.deepEqual(
    analytics!.zones.map(({ id, streams }) => [id, streams]),
    [
      ['all', ['door']],
      ['both', ['door']],
      ['new', ['gate']],
    ],
  );
  const alone = withZones({ id: 'cam' } as StreamSpec, 'cam', [zone('new')]);
  assert.deepEqual(alone.analytics, { zones: [zone('new')], lines: [], directions: [] });
});

test('a stream that cannot do it, is over, or does not exist says so', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { command: fakeWorker('end-first', 'over') });
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live');
  for (const command of [
    { kind: 'infer-interval', interval: 1 },
    { kind: 'skip-frames', mode: 1 },
    { kind: 'drop-frame-interval', interval: 2 },
    { kind: 'analytics-reload' },
    { kind: 'zones', zones: [] },
  ] as const) {
    await assert.rejects(orchestrator.control('cam', command), { code: 'SL_BACKEND_UNSUPPORTED' });
  }
  await orchestrator.createStream(specOf('over'));
  await untilState(orchestrator, 'over', 'stopped');
  const command = { kind: 'infer-interval', interval: 1 } as const;
  await assert.rejects(orchestrator.control('over', command), { code: 'SL_UNAVAILABLE' });
  await assert.rejects(orchestrator.control('none', command), { code: 'SL_NOT_FOUND' });
  assert.equal(orchestrator.getStream('cam').changes, undefined);
});

test('a URL is compared whole, credentials included, and only by a stream that has one', async (t) => {
  const { orchestrator } = await startOrchestrator(t);
  const url = 'rtsp://admin:hunter22@h/1';
  await orchestrator.createStream(specOf('cam', { source: { url } }));
  await orchestrator.createStream(specOf('plain', { source: { url: 'rtsp://h/1' } }));
  await orchestrator.createStream(specOf('none'));
  assert.deepEqual(
    [
      orchestrator.hasUrl('cam', url),
      orchestrator.hasUrl('cam', 'rtsp://***@h/1'),
      orchestrator.hasUrl('plain', 'rtsp://h/1'),
      orchestrator.hasUrl('none', 'rtsp://h/1'),
      orchestrator.hasUrl('unknown', url),
    ],
    [true, false, true, false, false],
  );
});

test('labels are shown, and come back after a restart', async (t) => {
  const first = await startOrchestrator(t);
  const labels = { 'nvidia.camera_id': 'Tür 1' };
  const view = await first.orchestrator.createStream(specOf('cam'), { labels });
  assert.deepEqual(view.labels, labels);
  await first.orchestrator.close();
  const { orchestrator } = await startOrchestrator(t, { dataDir: first.dataDir });
  assert.deepEqual(orchestrator.getStream('cam').labels, labels);
});

test('a change holds for the next worker when this one is killed', async (t) => {
  const { orchestrator, records } = await startOrchestrator(t, {
    command: workerCommand(),
    compiler: TEST_PICTURES,
  });
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live', 15_000);
  const change = await orchestrator.control('cam', { kind: 'drop-frame-interval', interval: 5 });
  assert.deepEqual(change, { applied: true, streams: ['cam'] });
  const afterId = orchestrator.events.lastId;
  process.kill(orchestrator.workers()[0]!.pid!, 'SIGKILL');
  const live = await untilTold(orchestrator, 'stream.live', afterId);
  const numbers = () =>
    records
      .filter(
        ({ kind, recordId }) => kind === 'frame' && recordId.includes(String(live['session'])),
      )
      .map(({ recordId }) => Number(recordId.split('/')[2]));
  await until('frames of the new worker', 10_000, () => numbers().length >= 4);
  assert.deepEqual(numbers().slice(0, 4), [0, 5, 10, 15]);
});

test('a change while no worker runs is in force from its start on', async (t) => {
  let compiled: Compiler = TEST_PICTURES;
  compiled = { ...compiled };
  const { orchestrator } = await startOrchestrator(t, {
    command: fakeWorker('exit', '3'),
    compiler: compiled,
  });
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'backoff');
  const change = await orchestrator.control('cam', { kind: 'drop-frame-interval', interval: 5 });
  assert.deepEqual(change, { applied: false, streams: ['cam'] });
  assert.deepEqual(orchestrator.getStream('cam').changes, { dropFrameInterval: 5 });
});
