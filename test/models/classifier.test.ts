import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { parse } from 'yaml';
import type { SightlineError } from '../../src/common/errors.ts';
import { PATHS } from '../../src/common/paths.ts';
import { loadModel } from '../../src/models/catalog.ts';
import { modelsList, modelsShow } from '../../src/models/commands.ts';
import { OnnxBuilder } from '../../src/models/convert/onnx-builder.ts';
import { addModel } from '../../src/models/install.ts';
import { loadManifest } from '../../src/models/manifest.ts';
import { writeOwnNvinferConfig } from '../../src/models/nvinfer.ts';
import { inspectOnnx } from '../../src/models/onnx-file.ts';
import { CLASSIFIER_FILES, makeFolder, TINY_CLASSIFIER, writeModel } from './model-folder.ts';
import { readAsNvinfer } from './nvinfer-reader.ts';

async function problemsOf(promise: Promise<unknown>): Promise<[string, string][]> {
  const error = await promise.then(
    () => assert.fail('it was taken'),
    (reason: SightlineError) => reason,
  );
  assert.equal(error.code, 'SL_MODEL_INVALID', error.message);
  return error.problems.map(({ pointer, message }) => [pointer, message]);
}

test('a classifier has an attribute and labels on one line', async (t) => {
  const file = await writeModel(await makeFolder(t), TINY_CLASSIFIER, CLASSIFIER_FILES);
  const { manifest, labels } = await loadManifest(file);
  assert.equal(manifest.task, 'classifier');
  assert.equal(manifest.task === 'classifier' && manifest.attribute, 'colour');
  assert.deepEqual(labels, ['red', 'green', 'blue']);
});

test("a classifier refuses a detector's keys, and a detector a classifier's", async (t) => {
  const classifier = { ...TINY_CLASSIFIER, parser: 'yolov8', nms: { iou: 0.5 } };
  const file = await writeModel(await makeFolder(t), classifier, CLASSIFIER_FILES);
  assert.deepEqual(
    (await problemsOf(loadManifest(file))).map(([pointer]) => pointer),
    ['/parser', '/nms'],
  );
  const { task: _task, ...detector } = TINY_CLASSIFIER;
  const other = await writeModel(await makeFolder(t), detector, CLASSIFIER_FILES);
  const problems = await problemsOf(loadManifest(other));
  assert.ok(problems.some(([pointer]) => pointer === '/attribute'));
  assert.ok(problems.some(([, message]) => message === '"parser" is missing'));
});

for (const [labels, message] of [
  ['red\ngreen\n', /has 2 lines; write a classifier's labels on one line/],
  ['red;;blue\n', /label 2 is empty/],
  ['red;blue;red\n', /label 3 repeats "red" of label 1/],
  ['\n', /has no labels/],
] as const) {
  test(`labels ${JSON.stringify(labels)} are refused`, async (t) => {
    const file = await writeModel(await makeFolder(t), TINY_CLASSIFIER, { labels });
    await assert.rejects(loadManifest(file), { code: 'SL_MODEL_INVALID', message });
  });
}

test('the configuration of a classifier is read by nvinfer as one', async (t) => {
  const file = await writeModel(await makeFolder(t), TINY_CLASSIFIER, CLASSIFIER_FILES);
  const text = await readFile(await writeOwnNvinferConfig(await loadManifest(file)), 'utf8');
  const { property, classes } = readAsNvinfer(text);
  assert.equal(classes.size, 0);
  const expected = {
    'process-mode': 2,
    'network-type': 1,
    'classifier-type': 'colour',
    'classifier-threshold': 0.4,
    'classifier-async-mode': 0,
    'labelfile-path': 'labels.txt',
    'output-blob-names': ['output0'],
  };
  for (const [key, value] of Object.entries(expected)) {
    assert.deepEqual(property.get(key), value, key);
  }
  for (const key of ['num-detected-classes', 'cluster-mode', 'parse-bbox-func-name']) {
    assert.ok(!property.has(key), key);
  }
});

test('models add, list and show take a classifier, and its kind is one', async (t) => {
  const directory = await makeFolder(t);
  const file = await writeModel(await makeFolder(t), TINY_CLASSIFIER, CLASSIFIER_FILES);
  await addModel(file, { directory });
  assert.equal((await loadModel(directory, 'tiny-colour')).kind, 'classifier');
  const lines: string[] = [];
  await modelsList((line) => lines.push(line), { directory });
  assert.match(lines[1]!, /^tiny-colour +ready +classifier +2 +32x32 +MIT$/);
  lines.length = 0;
  await modelsShow('tiny-colour', (line) => lines.push(line), { directory });
  assert.ok(lines.includes('attribute    colour'), lines.join('\n'));
});

test('models add refuses a classifier whose output does not fit its labels', async (t) => {
  for (const outputs of [
    [{ name: 'output0', shape: ['N', 4] }],
    [{ name: 'output0', shape: ['N', 3, 2] }],
    [
      { name: 'output0', shape: ['N', 3] },
      { name: 'output0', shape: ['N', 3] },
    ],
  ]) {
    const manifest = { ...TINY_CLASSIFIER, outputs };
    const file = await writeModel(await makeFolder(t), manifest, CLASSIFIER_FILES);
    const problems = await problemsOf(addModel(file, { directory: await makeFolder(t) }));
    assert.ok(
      problems.some(([, message]) => /needs \[N, 3\]|exactly one output/.test(message)),
      JSON.stringify(problems),
    );
  }
});

/** A network whose three numbers are the means of the channels. */
function channelMeans(): Uint8Array {
  const builder = new OnnxBuilder();
  builder.add('ReduceMean', 'output0', ['images'], { axes: [2, 3], keepdims: 0 });
  const input = ['images', ['N', 3, 16, 16]] as const;
  return builder.build({ graphName: 'means', input, output: ['output0', ['N', 3]] });
}

test('models add appends a softmax where the manifest says that the file gives logits', async (t) => {
  const directory = await makeFolder(t);
  const manifest = {
    ...TINY_CLASSIFIER,
    logits: true,
    input: { ...TINY_CLASSIFIER.input, width: 16, height: 16 },
    outputs: [{ name: 'output0', shape: ['N', 3] }],
  };
  const onnx = channelMeans();
  const file = await writeModel(await makeFolder(t), manifest, { ...CLASSIFIER_FILES, onnx });
  await addModel(file, { directory });
  const installed = join(directory, 'tiny-colour', 'model.onnx');
  assert.equal(parse(await readFile(join(installed, '../model.yaml'), 'utf8')).logits, undefined);
  const { outputs, nodeCount } = await inspectOnnx(installed);
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ['output0'],
  );
  assert.equal(nodeCount, (await inspectOnnx(join(file, '../model.onnx'))).nodeCount + 1);
  const pixels = new Float32Array(3 * 16 * 16);
  pixels.fill(1, 0, 256);
  pixels.fill(3, 256, 512);
  // The logits are 1, 3, 0.
  const session = await InferenceSession.create(installed);
  const { output0 } = await session.run({ images: new Tensor('float32', pixels, [1, 3, 16, 16]) });
  const sum = Math.exp(1) + Math.exp(3) + 1;
  const expected = [Math.exp(1) / sum, Math.exp(3) / sum, 1 / sum];
  for (const [index, value] of expected.entries()) {
    assert.ok(Math.abs(Number(output0!.data[index]) - value) < 1e-6, `${index}`);
  }
  assert.equal((await loadModel(directory, 'tiny-colour')).kind, 'classifier');
});

test('a manifest that still says logits is refused where it is used, saying what to run', async (t) => {
  const directory = await makeFolder(t);
  await addModel(await writeModel(await makeFolder(t), TINY_CLASSIFIER, CLASSIFIER_FILES), {
    directory,
  });
  const file = join(directory, 'tiny-colour', 'model.yaml');
  await writeFile(file, `${await readFile(file, 'utf8')}logits: true\n`);
  await assert.rejects(loadModel(directory, 'tiny-colour'), {
    code: 'SL_MODEL_INVALID',
    message: /gives logits.*sightline models add/,
  });
});

test('the example of a classifier is sound', async () => {
  const file = join(PATHS.models, 'examples', 'vehicle-colour', 'model.yaml');
  const { manifest, labels } = await loadManifest(file);
  assert.equal(manifest.task, 'classifier');
  assert.deepEqual(manifest.outputs[0]!.shape, ['N', labels.length]);
});
