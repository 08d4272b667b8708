import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createThresholdWriter } from '../../src/models/catalog.ts';
import { loadManifest } from '../../src/models/manifest.ts';
import { writeNvinferConfig, writeOwnNvinferConfig } from '../../src/models/nvinfer.ts';
import { makeFolder, TINY_MANIFEST, writeModel } from './model-folder.ts';

test('writeOwnNvinferConfig() writes every setting of the manifest in the keys of nvinfer', async (t) => {
  const folder = await makeFolder(t);
  const file = await writeOwnNvinferConfig(await loadManifest(await writeModel(folder)));
  assert.equal(file, join(folder, 'nvinfer.txt'));
  assert.equal(
    await readFile(file, 'utf8'),
    `# Made from the manifest of tiny 1: edit that, not this.
[property]
gie-unique-id=1
process-mode=1
network-type=0
onnx-file=model.onnx
labelfile-path=labels.txt
num-detected-classes=3
batch-size=1
infer-dims=3;64;96
network-input-order=0
model-color-format=0
net-scale-factor=0.5
maintain-aspect-ratio=1
symmetric-padding=0
output-blob-names=output0
cluster-mode=2
parse-bbox-func-name=SightlineParseYoloV8
custom-lib-path=libsightline_parsers.so

[class-attrs-all]
pre-cluster-threshold=0.25
nms-iou-threshold=0.5
topk=20

[class-attrs-1]
pre-cluster-threshold=0.6
nms-iou-threshold=0.5
topk=20
`,
  );
});

test('writeOwnNvinferConfig() leaves a file alone that is up to date', async (t) => {
  const model = await loadManifest(await writeModel(await makeFolder(t)));
  const before = await stat(await writeOwnNvinferConfig(model), { bigint: true });
  const after = await stat(await writeOwnNvinferConfig(model), { bigint: true });
  assert.equal(after.ino, before.ino);
  assert.equal(after.ctimeNs, before.ctimeNs);
});

test('nvinfer configurations of peak-picking models ask for no clustering, and for the colours and offsets given', async (t) => {
  const { nms: _nms, topk: _topk, ...manifest } = TINY_MANIFEST;
  const file = await writeModel(await makeFolder(t), {
    ...manifest,
    parser: 'centernet',
    outputs: [{ name: 'output0', shape: [1, 7, 6] }],
    input: { ...manifest.input, colour: 'bgr', layout: 'nhwc', offsets: [103.5, 116, 123] },
  });
  const text = await readFile(await writeOwnNvinferConfig(await loadManifest(file)), 'utf8');
  for (const line of [
    'cluster-mode=4',
    'model-color-format=1',
    'network-input-order=1',
    'infer-dims=3;64;96',
    'offsets=103.5;116;123',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
  assert.ok(!text.includes('nms-iou-threshold'));
});

test('writeNvinferConfig() puts overrides into a file named by its content', async (t) => {
  const folder = await makeFolder(t);
  const model = await loadManifest(await writeModel(join(folder, 'model')));
  const target = join(folder, 'configs', 'deeper');
  const overrides = { threshold: 0.7, dropClassIds: [0, 2] };
  const [first, second] = await Promise.all([
    writeNvinferConfig(model, overrides, target),
    writeNvinferConfig(model, overrides, target),
  ]);
  assert.equal(first, second);
  const other = await writeNvinferConfig(model, { threshold: 0.8 }, target);
  assert.notEqual(other, first);
  assert.equal((await readdir(target)).length, 2);
  const text = await readFile(first, 'utf8');
  assert.ok(text.includes(`onnx-file=${join(folder, 'model', 'model.onnx')}\n`));
  assert.ok(text.includes(`labelfile-path=${join(folder, 'model', 'labels.txt')}\n`));
  assert.ok(text.includes('filter-out-class-ids=0;2\n'));
  assert.ok(text.includes('[class-attrs-all]\npre-cluster-threshold=0.7\n'));
  assert.ok(!text.includes('[class-attrs-1]'));
});

test('createThresholdWriter() writes the configuration of an installed model with another threshold', async (t) => {
  const folder = await makeFolder(t);
  await writeModel(join(folder, 'models', 'tiny'));
  const write = createThresholdWriter(join(folder, 'models'), join(folder, 'configs'));
  const text = await readFile(await write({ name: 'tiny' }, 0.9), 'utf8');
  assert.ok(text.includes('[class-attrs-all]\npre-cluster-threshold=0.9\n'));
  await assert.rejects(write({ name: 'none' }, 0.9), { code: 'SL_MODEL_NOT_FOUND' });
});

test('writeNvinferConfig() says which file it cannot write', async (t) => {
  const folder = await makeFolder(t);
  const model = await loadManifest(await writeModel(folder));
  await assert.rejects(writeNvinferConfig(model, {}, join(folder, 'labels.txt', 'configs')), {
    code: 'SL_UNAVAILABLE',
    message: /Cannot write .*labels\.txt\/configs\/tiny-/,
  });
});
