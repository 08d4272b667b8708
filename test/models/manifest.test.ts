import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SightlineError } from '../../src/common/errors.ts';
import { PATHS } from '../../src/common/paths.ts';
import { loadManifest } from '../../src/models/manifest.ts';
import { makeFolder, TINY_MANIFEST, writeModel } from './model-folder.ts';

async function problemsOf(file: string): Promise<string[]> {
  const error = await loadManifest(file).then(
    () => assert.fail('the manifest was taken'),
    (reason: SightlineError) => reason,
  );
  assert.equal(error.code, 'SL_MODEL_INVALID', error.message);
  assert.ok(error.problems.every(({ line }) => line !== undefined));
  return error.problems.map(({ pointer }) => pointer).sort();
}

test('loadManifest() reads a manifest, its defaults and its labels', async (t) => {
  const model = await loadManifest(await writeModel(await makeFolder(t)));
  assert.deepEqual(model.labels, ['car', 'bus', 'truck']);
  assert.deepEqual(model.manifest.input, {
    name: 'images',
    width: 96,
    height: 64,
    layout: 'nchw',
    colour: 'rgb',
    scale: 0.5,
    offsets: [],
    keepAspect: true,
    symmetricPadding: false,
  });
});

test('loadManifest() reports unknown keys and wrong values all at once, with positions', async (t) => {
  const file = await writeModel(await makeFolder(t), {
    ...TINY_MANIFEST,
    colour: 'rgb',
    parser: 'yolov9',
    input: { ...TINY_MANIFEST.input, width: '96', meen: 0 },
    onnx: { file: '../other.onnx', sha256: 'abc' },
  });
  assert.deepEqual(await problemsOf(file), [
    '/colour',
    '/input/meen',
    '/input/width',
    '/onnx/file',
    '/onnx/sha256',
    '/parser',
  ]);
});

test('loadManifest() reports settings that contradict each other', async (t) => {
  const file = await writeModel(await makeFolder(t), {
    ...TINY_MANIFEST,
    convert: 'centernet',
    parser: 'detr',
    input: {
      ...TINY_MANIFEST.input,
      keepAspect: false,
      symmetricPadding: true,
      offsets: [1, 2],
    },
    thresholds: { default: 0.2, classes: { buss: 0.5 } },
  });
  assert.deepEqual(await problemsOf(file), [
    '/convert',
    '/input/offsets',
    '/input/symmetricPadding',
    '/nms',
    '/thresholds/classes/buss',
  ]);
});

test('loadManifest() refuses labels that are missing, empty, gapped or doubled, naming the file', async (t) => {
  const folder = await makeFolder(t);
  for (const [labels, message] of [
    ['\n\n', /labels\.txt: it has no labels/],
    ['car\n\nbus\n', /labels\.txt: line 2 is empty/],
    ['car\nbus\ncar\n', /labels\.txt: line 3 repeats "car" of line 1/],
  ] as const) {
    const file = await writeModel(folder, TINY_MANIFEST, { labels });
    await assert.rejects(loadManifest(file), { code: 'SL_MODEL_INVALID', message });
  }
  await rm(join(folder, 'labels.txt'));
  await assert.rejects(loadManifest(join(folder, 'model.yaml')), {
    code: 'SL_MODEL_NOT_FOUND',
    message: /labels\.txt \(ENOENT\): correct `labels`/,
  });
});

test('loadManifest() refuses what is no YAML', async (t) => {
  const file = await writeModel(await makeFolder(t));
  await writeFile(file, 'name: [1\n');
  await assert.rejects(loadManifest(file), { code: 'SL_MODEL_INVALID' });
});

test('every manifest in the repository can be read', async () => {
  const folders = await readdir(PATHS.models);
  const files = [
    ...folders.filter((name) => name.startsWith('centernet')).map((name) => join(name)),
    join('examples', 'yolov8n'),
  ].map((name) => join(PATHS.models, name, 'model.yaml'));
  assert.equal(files.length, 4);
  for (const file of files) {
    const { manifest, labels } = await loadManifest(file);
    assert.equal(labels.length, 80);
    assert.equal(labels[0], 'person');
    assert.ok((await readFile(file, 'utf8')).includes(manifest.name));
  }
});
