import assert from 'node:assert/strict';
import test from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { deepStream, lower, nodeIn, requestsOf } from './deepstream-fixtures.ts';
import { pipelineText, thrown } from './fixtures.ts';

const CAMERA = '{ type: rtsp, url: "rtsp://u:hunter2@h/x" }';
const spec = (lines: string) => pipelineText(CAMERA, lines);

const CASCADE = `
secondary:
  - { id: plate, model: plates, on: { classes: [car, truck] } }
  - { id: colour, model: vehicle-colour, on: { step: plate }, threshold: 0.3, interval: 10, minWidth: 40, batchSize: 8 }`;

test('a cascade follows the tracker, each step on what another found', () => {
  const [graph] = lower(spec(CASCADE)).graphs;
  const order = graph?.nodes.map(({ id }) => id) ?? [];
  const places = ['infer', 'track', 'detect-plate', 'classify-colour', 'meta'].map((id) =>
    order.indexOf(id),
  );
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
  );
  const { 'config-file-path': _file, ...plate } = nodeIn(graph, 'detect-plate').properties;
  assert.deepEqual(plate, {
    'unique-id': 2,
    'process-mode': 2,
    'batch-size': 16,
    'infer-on-gie-id': 1,
    'infer-on-class-ids': '2:7',
    'gpu-id': 0,
  });
  const colour = nodeIn(graph, 'classify-colour');
  assert.equal(colour.properties['infer-on-gie-id'], 2);
  assert.equal(colour.properties['infer-on-class-ids'], undefined);
  assert.equal(colour.properties['interval'], undefined);
  assert.equal(colour.role, 'classify');
  assert.equal(colour.origin, '/secondary/1');
  assert.equal(
    nodeIn(graph, 'meta').properties['models'],
    '1=centernet-512x384/1;2=plates/1;3=vehicle-colour/1',
  );
});

test('model files are asked for with everything they depend on', () => {
  const [primary, plate, colour] = requestsOf(spec(`${CASCADE}\ndeepstream: { precision: fp32 }`));
  assert.equal(plate?.model.name, 'plates');
  assert.deepEqual(plate.operateOn, { gieId: 1, classIds: [2, 7] });
  const { model: _model, ...rest } = colour!;
  assert.deepEqual(rest, {
    ...{ engine: 'nvinfer', precision: 'fp32', gpuId: 0, origin: '/secondary/1' },
    ...{ parserLibrary: '/opt/sightline/libsightline_parsers.so', uniqueId: 3, processMode: 2 },
    ...{ batchSize: 8, threshold: 0.3, dropClassIds: [], operateOn: { gieId: 2 } },
    ...{ interval: 10, minWidth: 40, minHeight: 0 },
  });
  assert.equal(primary?.processMode, 1);
  assert.deepEqual(primary.dropClassIds, []);
});

test('classes that are not kept are filtered by the element', () => {
  const infer = (lines: string) => {
    const text = spec('').replace(/^infer:.*$/m, `infer: { model: centernet-512x384, ${lines} }`);
    return { properties: nodeIn(lower(text).graphs[0], 'infer').properties, text };
  };
  const kept = infer('classes: [person, bus, car], interval: 4');
  assert.equal(kept.properties['filter-out-class-ids'], '1;3;4;6;7');
  assert.equal(kept.properties['interval'], 4);
  assert.deepEqual(requestsOf(kept.text)[0]?.dropClassIds, [1, 3, 4, 6, 7]);
  assert.equal(infer('interval: 0').properties['filter-out-class-ids'], undefined);
});

test('a model that takes one frame at a time is not batched', () => {
  const text = pipelineText(CAMERA).replace('centernet-512x384', 'yolo-fixed');
  const two = `${text}  - { id: second, source: ${CAMERA} }\n`;
  const [graph] = lower(two).graphs;
  assert.equal(nodeIn(graph, 'mux').properties['batch-size'], 2);
  assert.equal(nodeIn(graph, 'infer').properties['batch-size'], 1);
});

test('a batch size of the spec is that of the streams, and a note says so', () => {
  const text = spec('').replace('384 }', '384, batchSize: 4 }');
  const { graphs, notes } = lower(text);
  assert.equal(nodeIn(graphs[0], 'infer').properties['batch-size'], 1);
  assert.ok(notes.some(({ pointer }) => pointer === '/infer/batchSize'));
});

test('Triton reads a file of its own and needs a repository', () => {
  const lines = 'deepstream: { engine: nvinferserver, modelRepository: triton }';
  const { graphs, files } = lower(spec(lines));
  const infer = nodeIn(graphs[0], 'infer');
  assert.equal(infer.factory, 'nvinferserver');
  assert.deepEqual(Object.keys(infer.properties).sort(), [
    ...['batch-size', 'config-file-path', 'interval', 'process-mode', 'unique-id'],
  ]);
  assert.equal(nodeIn(graphs[0], 'meta').properties['execution-provider'], 'Triton');
  assert.ok(files.some(({ kind }) => kind === 'nvinferserver'));
  assert.equal(requestsOf(spec(lines))[0]?.modelRepository, '/srv/video/triton');
  const { code, problems } = thrown(() => lower(spec('deepstream: { engine: nvinferserver }')));
  assert.equal(code, 'SL_SPEC_INVALID');
  assert.equal(problems[0]?.pointer, '/deepstream');
});

test('a model that cannot be configured is a problem at its place', () => {
  const inferFile = () => {
    throw new SightlineError('SL_BACKEND_UNSUPPORTED', 'int8 needs a calibration table');
  };
  const { code, problems } = thrown(() =>
    lower(spec('deepstream: { precision: int8 }'), deepStream('dgpu', { inferFile })),
  );
  assert.equal(code, 'SL_BACKEND_UNSUPPORTED');
  assert.deepEqual(problems, [
    { pointer: '/infer/model', message: 'int8 needs a calibration table' },
  ]);
});

test('overrides come last, on every element of the factory', () => {
  const lines = `deepstream: { source: rtspsrc, elements: { nvv4l2decoder: { num-extra-surfaces: 3 }, nvstreammux: { width: 640 } } }`;
  const [graph] = lower(spec(lines)).graphs;
  assert.equal(nodeIn(graph, 'mux').properties['width'], 640);
  for (const codec of ['h264', 'h265', 'jpeg', 'vp9']) {
    assert.equal(nodeIn(graph, `${codec}-decode-0`).properties['num-extra-surfaces'], 3);
  }
});

test('overrides of what is not there, or is ours, are refused', () => {
  const elements =
    '{ nvstreamux: { width: 1 }, appsink: { drop: true }, sldsmeta: { tracker: x } }';
  const { code, problems } = thrown(() => lower(spec(`deepstream: { elements: ${elements} }`)));
  assert.equal(code, 'SL_SPEC_INVALID');
  assert.deepEqual(problems, [
    {
      pointer: '/deepstream/elements/nvstreamux',
      message: 'this pipeline has no element "nvstreamux"; did you mean "nvstreammux"?',
    },
    {
      pointer: '/deepstream/elements/appsink',
      message: '"appsink" cannot be set from here',
    },
    {
      pointer: '/deepstream/elements/sldsmeta',
      message: '"sldsmeta" cannot be set from here',
    },
  ]);
});
