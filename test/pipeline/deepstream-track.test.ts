import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from 'yaml';
import { lower, nodeIn } from './deepstream-fixtures.ts';
import { pipelineText, thrown } from './fixtures.ts';

const CAMERA = '{ type: rtsp, url: "rtsp://h/x" }';
const lowered = (track: string, more = '') =>
  lower(pipelineText(CAMERA, `track: ${track}\n${more}`));

type Sections = Record<string, Record<string, number | string | number[]>>;

/** The tracker's configuration as the library reads it. */
function configuration(track: string, more = ''): Sections {
  const file = lowered(track, more).files.find(({ kind }) => kind === 'tracker');
  assert.ok(file !== undefined);
  return parse(file.text) as Sections;
}

test('bytetrack becomes NvSORT with the same limits', () => {
  const track =
    '{ type: bytetrack, highThreshold: 0.6, lowThreshold: 0.2, matchThreshold: 0.7, maxLostFrames: 50, minHits: 3, classAware: false }';
  const { BaseConfig, TargetManagement, DataAssociator } = configuration(track);
  assert.equal(BaseConfig?.['minDetectorConfidence'], 0.2);
  assert.equal(DataAssociator?.['tentativeDetectorConfidence'], 0.6);
  assert.equal(DataAssociator['minMatchingScore4Iou'], 0.3);
  assert.equal(DataAssociator['checkClassMatch'], 0);
  assert.equal(TargetManagement?.['maxShadowTrackingAge'], 50);
  assert.equal(TargetManagement['probationAge'], 2);
  const { graphs, notes } = lowered('{ type: bytetrack, newTrackThreshold: 0.7, emitLost: true }');
  assert.equal(nodeIn(graphs[0], 'meta').properties['tracker'], 'nvsort');
  assert.deepEqual(
    notes.map(({ pointer }) => pointer),
    ['/track/type', '/track/newTrackThreshold', '/track/emitLost'],
  );
});

test('each tracker has the sections it works with', () => {
  const sections = (track: string) => Object.keys(configuration(track));
  const all = [
    ...['BaseConfig', 'TargetManagement', 'TrajectoryManagement', 'DataAssociator'],
    'StateEstimator',
  ];
  assert.deepEqual(sections('{ type: iou }'), all);
  assert.deepEqual(sections('{ type: nvsort }'), all);
  assert.deepEqual(sections('{ type: nvdcf }'), [...all, 'VisualTracker']);
  assert.deepEqual(sections('{ type: nvdeepsort }'), [...all, 'ReID']);
});

test('profiles of NvDCF spend more, and look at larger pictures', () => {
  const level = (profile: string) =>
    configuration(`{ type: nvdcf, profile: ${profile} }`)['VisualTracker']?.['featureImgSizeLevel'];
  assert.ok(Number(level('max-perf')) < Number(level('perf')));
  assert.ok(Number(level('perf')) < Number(level('accuracy')));
  const width = (profile: string) =>
    nodeIn(lowered(`{ type: nvdcf, profile: ${profile} }`).graphs[0], 'track').properties[
      'tracker-width'
    ];
  assert.ok(Number(width('perf')) < Number(width('accuracy')));
});

test('no truth value is written as a word: the reader takes numbers', () => {
  for (const type of ['bytetrack', 'iou', 'nvsort', 'nvdcf', 'nvdeepsort']) {
    for (const section of Object.values(configuration(`{ type: ${type}, emitLost: true }`))) {
      for (const [key, value] of Object.entries(section)) {
        assert.notEqual(typeof value, 'boolean', key);
      }
    }
  }
});

test('the re-identification network is the sample or a file of the spec', () => {
  const reid = (track: string, more = '') => configuration(track, more)['ReID'];
  const sample = reid('{ type: nvdeepsort }');
  assert.match(String(sample?.['onnxFile']), /^\/opt\/nvidia\/.*\/samples\/models\/Tracker\//);
  assert.equal(sample?.['networkMode'], 1);
  const own = reid(
    '{ type: nvdeepsort, reidModel: "a \\"b.onnx" }',
    'deepstream: { precision: fp32 }',
  );
  assert.equal(own?.['onnxFile'], '/srv/video/a "b.onnx');
  assert.equal(own['networkMode'], 0);
  assert.notEqual(own['modelEngineFile'], sample['modelEngineFile']);
});

test('sizes of the tracker are multiples of 32', () => {
  const { code, problems } = thrown(() =>
    lowered('{ type: iou }', 'deepstream: { tracker: { width: 650, height: 320 } }'),
  );
  assert.equal(code, 'SL_SPEC_INVALID');
  assert.deepEqual(problems, [
    { pointer: '/deepstream/tracker/width', message: 'must be a multiple of 32, not 650' },
  ]);
});

test('without a tracker there is none, and classifiers say what that costs', () => {
  const secondary = 'secondary: [{ id: c, model: vehicle-colour, interval: 5 }]';
  const { graphs, files, notes } = lowered('{ type: none }', secondary);
  assert.throws(() => nodeIn(graphs[0], 'track'));
  assert.equal(nodeIn(graphs[0], 'meta').properties['tracker'], '');
  assert.ok(files.every(({ kind }) => kind !== 'tracker'));
  assert.deepEqual(
    notes.map(({ pointer }) => pointer),
    ['/secondary/0/interval'],
  );
});
