import assert from 'node:assert/strict';
import test from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { parseDocument } from '../../src/common/document.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { type ResolveOptions, resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec, StreamSpec } from '../../src/pipeline/spec.ts';
import { FIXED_MODEL, MODEL, MODELS, thrown } from './fixtures.ts';

const OPTIONS: ResolveOptions = { models: MODELS };
const FILE = { type: 'file', path: 'a.mp4' };

function stream(fields: Record<string, unknown> = {}): StreamSpec {
  const infer = { model: MODEL.name };
  return checkValue({ id: 'cam', source: FILE, infer, ...fields }, StreamSpec);
}

function problems(spec: PipelineSpec | StreamSpec, options = OPTIONS): string[] {
  return thrown(() => resolve(spec, options)).problems.map((p) => `${p.pointer} ${p.message}`);
}

test('resolve() makes a pipeline of one stream of a StreamSpec', () => {
  assert.deepEqual(resolve(stream(), OPTIONS), {
    id: 'cam',
    accelerator: 'prefer-gpu',
    secondary: [],
    infer: { model: MODEL, interval: 0 },
    track: { type: 'bytetrack' },
    streams: [
      {
        id: 'cam',
        sensorId: 'cam',
        source: { type: 'file', path: 'a.mp4', pace: 'none' },
        pointer: '',
      },
    ],
  });
});

test('resolve() leaves out what is switched off, and finds what is wrong with it', () => {
  const infer = { model: MODEL.name };
  const streams = [
    { id: 'off', source: FILE, enabled: false },
    { id: 'on', source: FILE, enabled: true },
  ];
  const two = checkValue({ id: 'p', infer, streams }, PipelineSpec);
  const [only, ...others] = resolve(two, OPTIONS).streams;
  assert.deepEqual([only?.id, only?.pointer, others], ['on', '/streams/1', []]);
  assert.deepEqual(resolve(stream({ enabled: false }), OPTIONS).streams, []);
  const again = checkValue({ id: 'p', infer, streams: [...streams, streams[0]] }, PipelineSpec);
  assert.equal(problems(again).length, 2, 'the id is taken twice');
});

test('resolve() gives each stream its latency budget: its own, or that of the pipeline', () => {
  const usual = { budgetMs: 500, drop: 'oldest' };
  const own = { budgetMs: 80, drop: 'non-key' };
  const spec = checkValue(
    {
      id: 'p',
      infer: { model: MODEL.name },
      latency: usual,
      streams: [
        { id: 'a', source: FILE },
        { id: 'b', source: FILE, latency: own },
      ],
    },
    PipelineSpec,
  );
  const found = resolve(spec, OPTIONS).streams.map(({ latency }) => latency);
  assert.deepEqual(found, [
    { ...usual, pointer: '/latency' },
    { ...own, pointer: '/streams/1/latency' },
  ]);
});

test('resolve() refuses sinks that the server has not, where it knows them', () => {
  const spec = checkValue(
    {
      id: 'p',
      infer: { model: MODEL.name },
      sinks: ['files', 'quue'],
      streams: [{ id: 'a', source: FILE, sinks: ['nothing'] }],
    },
    PipelineSpec,
  );
  assert.deepEqual(problems(spec, { ...OPTIONS, sinks: ['files', 'queue'] }), [
    '/sinks/1 there is no sink "quue"; did you mean "queue"?',
    '/streams/0/sinks/0 there is no sink "nothing"',
  ]);
  resolve(spec, OPTIONS);
});

test('resolve() takes the default model where the spec names none', () => {
  const spec = stream({ infer: undefined });
  assert.ok(!('infer' in spec));
  assert.equal(
    resolve(spec, { ...OPTIONS, defaultModel: MODEL.name }).infer?.model.name,
    MODEL.name,
  );
  assert.deepEqual(problems(spec), [' "infer" is missing, and there is no default model']);
});

test('resolve() turns labels into ascending class ids', () => {
  const infer = { model: MODEL.name, classes: ['truck', 'person'], threshold: 0.5, interval: 2 };
  assert.deepEqual(resolve(stream({ infer }), OPTIONS).infer, {
    model: MODEL,
    interval: 2,
    threshold: 0.5,
    classIds: [0, 7],
  });
});

test('resolve() freezes everything and shares nothing with its input', () => {
  const spec = stream({ images: {}, source: { type: 'rtsp', url: 'rtsp://u:p@h/x' } });
  const pipeline = resolve(spec, OPTIONS);
  const open: unknown[] = [pipeline];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value)) continue;
    assert.ok(Object.isFrozen(value), JSON.stringify(value));
    open.push(...Object.values(value));
  }
  assert.ok(!Object.isFrozen(MODEL.labels));
  assert.ok(!Object.isFrozen(spec.images));
  assert.throws(() => {
    (pipeline.infer as { interval: number }).interval = 5;
  }, TypeError);
});

test('resolve() reports every problem at once with its pointer', () => {
  const spec = stream({
    source: { type: 'rtsp', url: 'http://h' },
    infer: { model: FIXED_MODEL.name, classes: ['persn', 'person', 'zebra'], batchSize: 4 },
  });
  assert.deepEqual(problems(spec), [
    '/infer/batchSize must be 1: the model "yolo-fixed" takes one frame at a time',
    '/infer/classes/0 "persn" is no label of the model "yolo-fixed"; did you mean "person"?',
    '/infer/classes/2 "zebra" is no label of the model "yolo-fixed"',
    '/source/url must begin with rtsp:// or rtsps://',
  ]);
});

test('resolve() reports duplicate ids at both places, with lines through the document', () => {
  const text = [
    'id: p',
    `infer: { model: ${MODEL.name} }`,
    'streams:',
    '  - id: a',
    '    source: { type: file, path: x }',
    '  - { id: b, source: { type: file, path: x } }',
    '  - { id: a, source: { type: file, path: y } }',
    '  - { id: a, source: { type: file, path: z } }',
  ].join('\n');
  const document = parseDocument(text, PipelineSpec);
  const found = thrown(() => resolve(document.value, OPTIONS));
  assert.equal(found.code, 'SL_SPEC_INVALID');
  assert.deepEqual(
    document.locate(found.problems).map((p) => `${p.line}:${p.column} ${p.pointer} ${p.message}`),
    [
      '4:9 /streams/0/id the id "a" is used again by /streams/2',
      '7:11 /streams/2/id the id "a" is taken by /streams/0',
      '8:11 /streams/3/id the id "a" is taken by /streams/0',
    ],
  );
});

test('resolve() says SL_MODEL_NOT_FOUND when the model is all that is wrong', () => {
  const spec = stream({ infer: { model: 'centernet-512x348' } });
  const found = thrown(() => resolve(spec, OPTIONS));
  assert.equal(found.code, 'SL_MODEL_NOT_FOUND');
  assert.deepEqual(found.problems, [
    {
      pointer: '/infer/model',
      message:
        'no model "centernet-512x348" is installed; did you mean "centernet-512x384"? (see: sightline models list)',
    },
  ]);
  const both = stream({ infer: { model: 'x' }, source: { type: 'rtsp', url: 'x' } });
  assert.equal(thrown(() => resolve(both, OPTIONS)).code, 'SL_SPEC_INVALID');
});

test('resolve() passes on why a lookup refuses a model', () => {
  const models = () => {
    throw new SightlineError('SL_MODEL_CHECKSUM', 'Model "x" is not the file it says');
  };
  const found = thrown(() => resolve(stream(), { models }));
  assert.equal(found.code, 'SL_MODEL_CHECKSUM');
  assert.deepEqual(found.problems, [
    { pointer: '/infer/model', message: 'Model "x" is not the file it says' },
  ]);
});

const BAD_STREAMS: readonly [string, Record<string, unknown>, string][] = [
  ['an id of a path', { id: '../../etc' }, '/id'],
  ['an encoded id', { id: '..%2f' }, '/id'],
  ['an empty id', { id: '' }, '/id'],
  ['a dot as id', { id: '.' }, '/id'],
  ['a long id', { id: 'a'.repeat(64) }, '/id'],
  ['an id with a line end', { id: 'cam\n' }, '/id'],
  ['an id of a number', { id: 5 }, '/id'],
  ['a path as model', { infer: { model: '../../etc/passwd' } }, '/infer/model'],
  ['a UNC path as model', { infer: { model: '\\\\host\\share' } }, '/infer/model'],
  ['a threshold above 1', { infer: { model: 'm', threshold: 1.0001 } }, '/infer/threshold'],
  ['a negative interval', { infer: { model: 'm', interval: -1 } }, '/infer/interval'],
  ['a batch of 0', { infer: { model: 'm', batchSize: 0 } }, '/infer/batchSize'],
  ['no classes', { infer: { model: 'm', classes: [] } }, '/infer/classes'],
  ['a class twice', { infer: { model: 'm', classes: ['a', 'a'] } }, '/infer/classes/1'],
  ['another tracker', { track: { type: 'sort' } }, '/track/type'],
  ['a knob of no tracker', { track: { type: 'none', minHits: 1 } }, '/track/minHits'],
  ['pictures too often', { images: { everyMs: 19 } }, '/images/everyMs'],
  ['a quality of 101', { images: { quality: 101 } }, '/images/quality'],
  ['an unknown key', { trakcer: {} }, '/trakcer'],
  ['an unknown source', { source: { type: 'exec', path: '/bin/sh' } }, '/source/type'],
  [
    'text for a number',
    { source: { type: 'rtsp', url: 'rtsp://h', latencyMs: '1' } },
    '/source/latencyMs',
  ],
  ['null for a list', { infer: { model: 'm', classes: null } }, '/infer/classes'],
];
for (const [name, fields, pointer] of BAD_STREAMS) {
  test(`StreamSpec refuses ${name}`, () => {
    const found = thrown(() => stream(fields));
    assert.deepEqual(
      found.problems.map((problem) => problem.pointer),
      [pointer],
    );
  });
}

test('PipelineSpec refuses a pipeline without streams', () => {
  const found = thrown(() => checkValue({ id: 'p', streams: [] }, PipelineSpec));
  assert.deepEqual(found.problems, [
    { pointer: '/streams', message: 'must have at least 1 item, has 0' },
  ]);
});
