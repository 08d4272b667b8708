import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDocument } from '../../src/common/document.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import type { Graph, PropertyValue } from '../../src/pipeline/graph.ts';
import { allNodes, assertSound, graphProblems } from '../../src/pipeline/graph-check.ts';
import { launchText } from '../../src/pipeline/launch-text.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { graphText } from '../../src/pipeline/text.ts';
import { CPU, compile, lower, MODEL, MODELS, pipelineText, thrown } from './fixtures.ts';

const CAMERA = '{ type: rtsp, url: "rtsp://h/x" }';
const FILE = '{ type: file, path: a.mp4 }';
const PACED = '{ type: file, path: a.mp4, pace: realtime }';

function properties(graph: Graph, id: string): Readonly<Record<string, PropertyValue>> {
  const node = allNodes(graph).find((candidate) => candidate.id === id);
  assert.ok(node, `no node ${id}`);
  return node.properties;
}

function only(text: string, cpu = CPU): Graph {
  const graphs = compile(text, cpu);
  assert.equal(graphs.length, 1);
  return graphs[0]!;
}

test('a live stream keeps only its newest picture, a file waits', () => {
  for (const source of [CAMERA, PACED]) {
    const queue = properties(only(pipelineText(source)), 'frames');
    assert.equal(queue['leaky'], 'downstream');
    assert.equal(queue['max-size-buffers'], 1);
  }
  assert.equal(properties(only(pipelineText(FILE)), 'frames')['leaky'], undefined);
});

test('a latency budget stands in front of the detector, and chooses what waits there', () => {
  const withDrop = (drop: string, source = CAMERA) =>
    only(pipelineText(source, `latency: { budgetMs: 250, drop: ${drop} }`));
  for (const drop of ['oldest', 'newest', 'non-key']) {
    const graph = withDrop(drop);
    assert.deepEqual(properties(graph, 'latency'), { 'budget-ms': 250, drop });
    assert.ok(graph.links.some(({ from, to }) => from === 'latency' && to === 'infer'));
    const { leaky } = properties(graph, 'frames');
    assert.equal(leaky, drop === 'newest' ? undefined : 'downstream');
    const skips = allNodes(graph).filter(({ factory }) => factory === 'slskip');
    assert.equal(skips.length > 2, drop === 'non-key', 'for every codec where it must skip');
  }
  const plain = only(pipelineText(CAMERA));
  assert.ok(!plain.nodes.some(({ factory }) => factory === 'sllatency'));
});

test('a recording has no latency budget, and that is told', () => {
  const text = pipelineText(FILE, 'latency: { budgetMs: 250, drop: newest }');
  const { graphs, notes } = lower(text);
  assert.ok(!graphs[0]!.nodes.some(({ factory }) => factory === 'sllatency'));
  assert.deepEqual(notes, [
    { pointer: '/latency', message: '"cam" is a recording: every frame is seen, however late' },
  ]);
});

test('only a file played in real time waits for its clock', () => {
  const paced = (source: string) =>
    only(pipelineText(source)).nodes.some(({ factory }) => factory === 'clocksync');
  assert.deepEqual([CAMERA, FILE, PACED].map(paced), [false, false, true]);
});

test('a single live stream gets two threads where there are two cores', () => {
  const threads = (source: string, cores: number) =>
    properties(only(pipelineText(source), { ...CPU, cores }), 'infer')['intra-op-threads'];
  assert.equal(threads(CAMERA, 2), 2);
  assert.equal(threads(CAMERA, 1), 1);
  assert.equal(threads(FILE, 2), 1);
  const two = `${pipelineText(CAMERA)}  - { id: other, source: ${CAMERA} }\n`;
  for (const graph of compile(two)) assert.equal(properties(graph, 'infer')['intra-op-threads'], 1);
});

test('credentials go into a location that is marked secret', () => {
  const graph = only(pipelineText('{ type: rtsp, url: "rtsp://u:p%20w@h/x" }'));
  const [source] = graph.nodes;
  assert.equal(source?.properties['location'], 'rtsp://u:p%20w@h/x');
  assert.deepEqual(source?.secret, ['location']);
});

test('a location with a password in its query is secret as a whole', () => {
  const [source] = only(pipelineText('{ type: rtsp, url: "rtsp://h/x?pwd=1" }')).nodes;
  assert.deepEqual(source?.secret, ['location']);
});

test('knobs of the tracker reach it, and none at all without a tracker', () => {
  const knobs = 'track: { type: bytetrack, minHits: 3, matchThreshold: 0.7, classAware: false }';
  assert.deepEqual(properties(only(pipelineText(FILE, knobs)), 'track'), {
    'min-hits': 3,
    'match-threshold': 0.7,
    'class-aware': false,
  });
  const none = only(pipelineText(FILE, 'track: { type: none }'));
  assert.ok(none.nodes.every(({ role }) => role !== 'track'));
});

test('a threshold needs a configuration of its own', () => {
  const text = pipelineText(FILE).replace('}', ', threshold: 0.5 }');
  const pipeline = resolve(parseDocument(text, PipelineSpec).value, { models: MODELS });
  const { configFile: _configFile, ...without } = CPU;
  assert.equal(thrown(() => lowerCpu(pipeline, without)).code, 'SL_INTERNAL');
  const [graph] = lowerCpu(pipeline, { ...without, configFile: '/x/own.txt' }).graphs;
  assert.equal(properties(graph!, 'infer')['config-file-path'], '/x/own.txt');
  const plain = resolve(parseDocument(pipelineText(FILE), PipelineSpec).value, { models: MODELS });
  const [other] = lowerCpu(plain, without).graphs;
  assert.equal(properties(other!, 'infer')['config-file-path'], MODEL.configFile);
});

test('lowered graphs are frozen', () => {
  const graph = only(pipelineText(CAMERA));
  assert.ok(Object.isFrozen(graph.nodes[0]?.properties));
  assert.ok(Object.isFrozen(graph.choices[0]?.alternatives[0]?.chain));
});

const SOUND: Graph = {
  id: 'g',
  streams: ['g'],
  nodes: [
    { id: 'a', factory: 'fakesrc', role: 'source', properties: {} },
    { id: 'b', factory: 'appsink', role: 'output', properties: {}, outputKind: 1 },
  ],
  links: [{ from: 'a.src', to: 'b' }],
  choices: [],
  sessionNodes: ['a'],
};

test('graphProblems() finds nothing in a sound graph', () => {
  assert.deepEqual(graphProblems(SOUND), []);
});

const BROKEN: readonly [string, Partial<Graph>, string[]][] = [
  [
    'two nodes of one id',
    { nodes: [...SOUND.nodes, SOUND.nodes[0]!] },
    ['two nodes have the id "a"'],
  ],
  [
    'an id that no element can have',
    {
      nodes: [...SOUND.nodes, { ...SOUND.nodes[0]!, id: 'c d' }],
      links: [...SOUND.links, { from: 'c d', to: 'b' }],
    },
    ['the node id "c d" is not well formed'],
  ],
  [
    'a link to nowhere',
    { links: [...SOUND.links, { from: 'a', to: 'z' }] },
    ['a link names "z", which is no node'],
  ],
  ['a session node that is none', { sessionNodes: ['z'] }, ['the session node "z" is no node']],
  ['a node without links', { links: [{ from: 'a', to: 'a' }] }, ['node "b" is linked to nothing']],
  [
    'no output',
    { nodes: SOUND.nodes.map(({ outputKind: _kind, ...node }) => node) },
    ['nothing comes out of it', 'the output "b" does not say what it carries'],
  ],
  [
    'a secret that is no property',
    { nodes: [{ ...SOUND.nodes[0]!, secret: ['pw'] }, SOUND.nodes[1]!] },
    ['node "a" has no property "pw"'],
  ],
  [
    'a choice of nothing',
    { choices: [{ from: 'a', to: 'b', alternatives: [] }] },
    ['the choice behind "a" has no alternative'],
  ],
];
for (const [name, change, expected] of BROKEN) {
  test(`graphProblems() finds ${name}`, () => {
    const problems = graphProblems({ ...SOUND, ...change });
    assert.deepEqual(
      problems,
      expected.map((problem) => `graph "g": ${problem}`),
    );
  });
}

test('assertSound() refuses two graphs of one id', () => {
  assert.throws(() => assertSound([SOUND, SOUND]), {
    code: 'SL_INTERNAL',
    message: 'Cannot use the lowered pipeline: two graphs have the same id',
  });
});

test('a web address is read with its password apart, and never shows it', () => {
  const [graph] = compile(
    pipelineText('{ type: http, url: "https://u:hunter2@h/v.mp4?X-Amz-Signature=abc123" }'),
  );
  const source = graph?.nodes.find(({ id }) => id === 'source');
  assert.deepEqual(source?.properties, {
    location: 'https://h/v.mp4?X-Amz-Signature=abc123',
    'user-id': 'u',
    'user-pw': 'hunter2',
  });
  assert.doesNotMatch(graphText([graph!]) + launchText([graph!]), /hunter2|abc123/);
  const queue = graph?.nodes.find(({ id }) => id === 'frames');
  assert.equal(queue?.properties['leaky'], undefined);
});

test("analytics reads the pipeline's files, each stream its own groups", () => {
  const text = `${pipelineText(
    FILE,
    `analytics:
  zones:
    - { id: a, polygon: [[0, 0], [1, 0], [1, 1]] }
    - { id: b, polygon: [[0, 0], [1, 0], [1, 1]], invert: true, streams: [other] }`,
  )}  - { id: other, source: ${FILE} }\n`;
  const { graphs, files } = lower(text);
  assert.equal(files.length, 2);
  const elements = graphs.map(({ nodes }) => nodes.filter(({ role }) => role === 'analytics'));
  assert.deepEqual(
    elements.map((nodes) =>
      nodes.map(({ id, stream, properties }) => [
        id,
        stream,
        properties['config-file'],
        properties['stream-index'],
      ]),
    ),
    [
      [['analytics', 'cam', files[0]?.path, 0]],
      [
        ['analytics', 'other', files[0]?.path, 1],
        ['analytics-2', 'other', files[1]?.path, 1],
      ],
    ],
  );
  assert.ok(
    files.every(({ path, origin }) => path.startsWith('/generated/') && origin === '/analytics'),
  );
});

test('analytics measures on the surface DeepStream would have', () => {
  const surface = (deepstream: string) => {
    const zones = 'analytics: { zones: [{ id: a, polygon: [[0, 0], [1, 0], [1, 1]] }] }';
    const all = properties(only(pipelineText(FILE, `${zones}\n${deepstream}`)), 'analytics');
    return [all['surface-width'], all['surface-height']];
  };
  assert.deepEqual(surface(''), [1920, 1080]);
  assert.deepEqual(surface('deepstream: { muxer: { width: 1280, height: 720 } }'), [1280, 720]);
  assert.deepEqual(surface('deepstream: { muxer: { kind: new } }'), [0, 0]);
});
