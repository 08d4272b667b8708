import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDocument } from '../../src/common/document.ts';
import {
  type AnalyticsFileOptions,
  analyticsFiles,
} from '../../src/pipeline/backends/analytics-file.ts';
import { generatedFile } from '../../src/pipeline/generated-file.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { MODEL, MODELS } from './fixtures.ts';

const STREAMS = ['dock', 'gate'];

function files(analytics: string, options?: AnalyticsFileOptions) {
  const streams = STREAMS.map((id) => `  - { id: ${id}, source: { type: file, path: a.mp4 } }`);
  const text = `id: p\ninfer: { model: ${MODEL.name} }\nstreams:\n${streams.join('\n')}\nanalytics:\n${analytics}`;
  const pipeline = resolve(parseDocument(text, PipelineSpec).value, { models: MODELS });
  return analyticsFiles(pipeline.analytics!, STREAMS, options);
}

const SQUARE = 'polygon: [[0, 0], [0.5, 0], [0.5, 0.33335], [0, 1]]';

test('items of all kinds become groups of the streams they are for', () => {
  const [file, ...others] = files(`
    zones:
      - { id: bay, ${SQUARE}, classes: [car, person], overcrowding: { objects: 3 } }
    lines:
      - { id: in, line: [[0.1, 0.4], [0.3, 0.2]], direction: [[0.5, 0.6], [0.7, 0.8]], streams: [gate], mode: strict, extended: true }
    directions:
      - { id: north, direction: [[0.5, 1], [0.5, 0]], streams: [dock] }
`);
  assert.deepEqual(others, []);
  assert.deepEqual(file?.streams, [0, 1]);
  assert.equal(
    file?.text,
    `[property]
enable=1
config-width=10000
config-height=10000
osd-mode=0
obj-cnt-win-in-ms=50

[roi-filtering-stream-0]
enable=1
class-id=0;2
inverse-roi=0
roi-bay=0;0;5000;0;5000;3334;0;10100

[overcrowding-stream-0]
enable=1
class-id=0;2
object-threshold=3
roi-bay=0;0;5000;0;5000;3334;0;10100

[direction-detection-stream-0]
enable=1
class-id=-1
direction-north=5000;10000;5000;0

[roi-filtering-stream-1]
enable=1
class-id=0;2
inverse-roi=0
roi-bay=0;0;5000;0;5000;3334;0;10100

[overcrowding-stream-1]
enable=1
class-id=0;2
object-threshold=3
roi-bay=0;0;5000;0;5000;3334;0;10100

[line-crossing-stream-1]
enable=1
class-id=-1
extended=1
mode=strict
line-crossing-in=5000;6000;7000;8000;1000;4000;3000;2000
`,
  );
});

test('items that differ in what a group has once go into further files', () => {
  const [first, second, third, ...others] = files(`
    zones:
      - { id: a, ${SQUARE} }
      - { id: b, ${SQUARE}, invert: true, streams: [gate] }
      - { id: c, ${SQUARE} }
    lines:
      - { id: x, line: [[0, 0], [1, 0]], direction: [[0, 0], [0, 1]], streams: [gate], mode: loose }
      - { id: y, line: [[0, 0], [1, 0]], direction: [[0, 0], [0, 1]], streams: [gate], mode: strict }
      - { id: z, line: [[0, 0], [1, 0]], direction: [[0, 0], [0, 1]], streams: [gate], classes: [car] }
`);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [first, second, third].map((file) => file?.streams),
    [[0, 1], [1], [1]],
  );
  const groups = (text = '') => text.match(/^(\[.*\]|roi-.*?|line-crossing-.*?)(?==|$)/gm);
  assert.deepEqual(groups(first?.text), [
    '[property]',
    '[roi-filtering-stream-0]',
    'roi-a',
    'roi-c',
    '[roi-filtering-stream-1]',
    'roi-a',
    'roi-c',
    '[line-crossing-stream-1]',
    'line-crossing-x',
  ]);
  assert.deepEqual(groups(second?.text), [
    '[property]',
    '[roi-filtering-stream-1]',
    'roi-b',
    '[line-crossing-stream-1]',
    'line-crossing-y',
  ]);
  assert.deepEqual(groups(third?.text), [
    '[property]',
    '[line-crossing-stream-1]',
    'line-crossing-z',
  ]);
});

test('nothing for these streams is no file, and drawing is asked for', () => {
  assert.deepEqual(files('    zones: []'), []);
  const [file] = files(`    zones: [{ id: a, ${SQUARE} }]`, { draw: true });
  assert.match(file?.text ?? '', /^osd-mode=2$/m);
});

test('the name of a generated file follows from its text', () => {
  const file = (text: string) =>
    generatedFile('/generated', 'p-analytics', '.txt', {
      kind: 'analytics',
      text,
      origin: '/analytics',
    });
  assert.match(file('a').path, /^\/generated\/p-analytics-[0-9a-f]{16}\.txt$/);
  assert.equal(file('a').path, file('a').path);
  assert.notEqual(file('a').path, file('b').path);
});
