import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import type { SightlineError } from '../../src/common/errors.ts';
import { ROOT } from '../../src/common/paths.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import { lowerDeepStream } from '../../src/pipeline/backends/deepstream.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { graphText } from '../../src/pipeline/text.ts';
import { deepStream } from './deepstream-fixtures.ts';
import { MODEL, MODELS, thrown } from './fixtures.ts';

const GOLDEN = join(ROOT, 'test/golden/record.cpu.txt');
const CAMERA = { type: 'rtsp', url: 'rtsp://camera.example/main' };
const OPTIONS = {
  onnxRuntimeLibrary: '/lib/libonnxruntime.so',
  cores: 2,
  filesDir: '/work',
  recordDir: '/recordings',
};
const ONE = [{ id: 'gate', source: CAMERA }];

function resolved(fields: object) {
  const spec = checkValue({ id: 'p', streams: ONE, ...fields }, PipelineSpec);
  return resolve(spec, { models: MODELS });
}

function problems(act: () => unknown): string[] {
  const { code, problems: found } = thrown(act) as SightlineError;
  return found.map(({ pointer, message }) => `${code} ${pointer} ${message}`);
}

test('recording, with and without pictures and a detector, compiles to the recorded graphs', () => {
  const infer = { model: MODEL.name };
  const each = [
    resolved({ id: 'record-only', record: {} }),
    resolved({
      id: 'own-settings',
      record: { container: 'matroska', segmentSeconds: 10, fragmentMs: 2000 },
      streams: [...ONE, { id: 'dock', source: CAMERA, record: { maxHeldBytes: 2_000_000 } }],
    }),
    resolved({ id: 'key-frames', record: {}, images: { when: 'key-frames', models: ['a', 'b'] } }),
    resolved({
      id: 'motion',
      images: { when: 'motion', fps: 5, maxWidth: 640, motion: { area: 0.02 } },
    }),
    resolved({ id: 'infer', record: {}, infer, images: {} }),
  ];
  const graphs = each.flatMap((pipeline) => lowerCpu(pipeline, OPTIONS).graphs);
  const text = graphText(graphs);
  if (process.env['SIGHTLINE_GOLDEN'] === 'write') writeFileSync(GOLDEN, text);
  assert.equal(text, readFileSync(GOLDEN, 'utf8'));
  for (const { nodes } of graphs.slice(0, 3)) {
    assert.ok(!nodes.some(({ role }) => role === 'infer' || role === 'output'));
  }
});

test('a pipeline without a detector must have something else to do, and nothing that needs objects', () => {
  assert.deepEqual(
    problems(() =>
      resolved({
        streams: [
          { ...ONE[0], record: {} },
          { id: 'b', source: CAMERA },
        ],
      }),
    ),
    ['SL_SPEC_INVALID  "infer" is missing, and there is no default model'],
  );
  assert.deepEqual(
    problems(() => resolved({ record: {}, track: { type: 'none' }, images: { when: 'objects' } })),
    [
      'SL_SPEC_INVALID /images/when must not be "objects" without "infer": nothing finds any',
      'SL_SPEC_INVALID /track needs "infer"',
    ],
  );
  assert.equal(resolved({ images: {} }).images?.when, 'always');
});

test('what pictures say of their choice must fit together', () => {
  const infer = { model: MODEL.name };
  const images = { when: 'key-frames', fps: 2, everyMs: 500, motion: {} };
  assert.deepEqual(
    problems(() => resolved({ infer, images })),
    [
      'SL_SPEC_INVALID /images/fps says the same as "everyMs": leave one of them out',
      'SL_SPEC_INVALID /images/when must not be "key-frames" with "infer": the detector needs the others too',
      'SL_SPEC_INVALID /images/motion is for "when": "motion" alone',
    ],
  );
  assert.equal(resolved({ infer, images: { fps: 3 } }).images?.everyMs, 333);
});

test('nothing is recorded where no folder is set for it', () => {
  const { recordDir: _, ...without } = OPTIONS;
  const streams = [{ ...ONE[0], record: {} }];
  assert.deepEqual(
    problems(() => lowerCpu(resolved({ streams }), without)),
    [
      'SL_BACKEND_UNSUPPORTED /streams/0/record this server keeps no recordings: its configuration names no folder for them',
    ],
  );
});

test('DeepStream refuses what it does not do, with the place that asks for it', () => {
  const infer = { model: MODEL.name };
  const images = { when: 'motion', maxWidth: 320 };
  assert.deepEqual(
    problems(() =>
      lowerDeepStream(resolved({ infer, record: {}, images }), deepStream('dgpu')),
    ).map((problem) => problem.split(' ').slice(0, 2).join(' ')),
    [
      'SL_BACKEND_UNSUPPORTED /record',
      'SL_BACKEND_UNSUPPORTED /images/when',
      'SL_BACKEND_UNSUPPORTED /images/maxWidth',
    ],
  );
  assert.match(
    problems(() => lowerDeepStream(resolved({ record: {} }), deepStream('dgpu')))[0]!,
    /SL_BACKEND_UNSUPPORTED {2}there is nothing for a GPU/,
  );
});
