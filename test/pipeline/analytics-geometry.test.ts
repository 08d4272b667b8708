import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDocument } from '../../src/common/document.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { MODELS, pipelineText, thrown } from './fixtures.ts';

const FILE = '{ type: file, path: a.mp4 }';

function pointers(lines: string): string[] {
  const spec = parseDocument(pipelineText(FILE, lines), PipelineSpec).value;
  return thrown(() => resolve(spec, { models: MODELS })).problems.map(({ pointer }) => pointer);
}

test('shapes in which nothing could be counted are refused where they stand', () => {
  assert.deepEqual(
    pointers(`analytics:
  zones:
    - { id: flat, polygon: [[0, 0], [0.5, 0.5], [1, 1]] }
    - { id: bow-tie, polygon: [[0, 0], [1, 1], [1, 0], [0, 1]] }
  lines:
    - { id: dot, line: [[0.5, 0.5], [0.5, 0.501]], direction: [[0, 0], [1, 1]] }
    - { id: still, line: [[0, 0], [1, 1]], direction: [[0.5, 0.5], [0.5, 0.5]] }
    - { id: along, line: [[0, 0], [1, 0]], direction: [[0, 0.5], [1, 0.51]] }
  directions:
    - { id: none, direction: [[0.2, 0.2], [0.2, 0.2]] }`),
    [
      '/analytics/zones/0/polygon',
      '/analytics/zones/1/polygon',
      '/analytics/lines/0/line',
      '/analytics/lines/1/direction',
      '/analytics/lines/2/direction',
      '/analytics/directions/0/direction',
    ],
  );
});

test('an inverted zone has no overcrowding', () => {
  const zone =
    '{ id: a, polygon: [[0, 0], [1, 0], [1, 1]], invert: true, overcrowding: { objects: 2 } }';
  assert.deepEqual(pointers(`analytics: { zones: [${zone}] }`), [
    '/analytics/zones/0/overcrowding',
  ]);
});

test('zones and bars around the picture exclude each other', () => {
  const zones = 'analytics: { zones: [{ id: a, polygon: [[0, 0], [1, 0], [1, 1]] }] }';
  assert.deepEqual(pointers(`${zones}\ndeepstream: { muxer: { padding: true } }`), [
    '/deepstream/muxer/padding',
  ]);
});
