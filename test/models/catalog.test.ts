import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { listModels, loadModel, loadModels } from '../../src/models/catalog.ts';
import { ChecksumCache } from '../../src/models/checksum.ts';
import { ensureModel } from '../../src/models/ensure.ts';
import { findPackageFile } from '../../src/models/package-file.ts';
import { buildOnnx, makeFolder, TINY_MANIFEST, writeModel } from './model-folder.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const READY = { ...TINY_MANIFEST, onnx: { file: 'model.onnx', sha256: sha256(buildOnnx()) } };

test('loadModel() gives a ready model with absolute paths and a fresh configuration', async (t) => {
  const directory = await makeFolder(t);
  await writeModel(join(directory, 'tiny'), READY);
  const checksums = new ChecksumCache(join(directory, 'checksums.json'));
  const model = await loadModel(directory, 'tiny', { checksums });
  assert.equal(model.onnxFile, join(directory, 'tiny', 'model.onnx'));
  assert.equal(model.configFile, join(directory, 'tiny', 'nvinfer.txt'));
  assert.match(await readFile(model.configFile, 'utf8'), /onnx-file=model\.onnx/);
  assert.deepEqual(model.labels, ['car', 'bus', 'truck']);
  assert.deepEqual(model.input, { width: 96, height: 64 });
  assert.equal(model.dynamicBatch, false);
  assert.equal(model.version, '1');
});

test('loadModel() says what to run for a model that is unknown, not made yet, or changed', async (t) => {
  const directory = await makeFolder(t);
  await writeModel(join(directory, 'tiny'), READY);
  const checksums = new ChecksumCache(join(directory, 'checksums.json'));
  await assert.rejects(loadModel(directory, 'tinny', { checksums }), {
    code: 'SL_MODEL_NOT_FOUND',
    message: /There is no model "tinny".*"tiny"/,
  });
  await writeFile(join(directory, 'tiny', 'model.onnx'), 'something else');
  await assert.rejects(loadModel(directory, 'tiny', { checksums }), {
    code: 'SL_MODEL_CHECKSUM',
    message: /sightline models pull tiny/,
  });
  await rm(join(directory, 'tiny', 'model.onnx'));
  await assert.rejects(loadModel(directory, 'tiny', { checksums }), {
    code: 'SL_MODEL_NOT_FOUND',
    message: /run `sightline models pull tiny`/,
  });
  await writeModel(join(directory, 'tiny'), TINY_MANIFEST);
  await assert.rejects(loadModel(directory, 'tiny', { checksums }), {
    code: 'SL_MODEL_CHECKSUM',
    message: /no onnx\.sha256.*sightline models add/,
  });
  await writeModel(join(directory, 'renamed'), READY);
  await assert.rejects(loadModel(directory, 'renamed', { checksums }), {
    code: 'SL_MODEL_INVALID',
    message: /it calls itself "tiny"/,
  });
});

test('loadModels() finds sound models, throws for broken ones and gives undefined for others', async (t) => {
  const directory = await makeFolder(t);
  await writeModel(join(directory, 'tiny'), READY);
  await writeModel(join(directory, 'broken'), { name: 'broken' });
  await writeFile(join(directory, 'README.md'), 'no model');
  assert.deepEqual(await listModels(directory), ['broken', 'tiny']);
  const checksums = new ChecksumCache(join(directory, 'checksums.json'));
  const find = await loadModels(directory, { checksums });
  assert.equal(find('tiny')?.name, 'tiny');
  assert.equal(find('none'), undefined);
  assert.throws(() => find('broken'), { code: 'SL_MODEL_INVALID' });
  await assert.rejects(listModels(join(directory, 'nowhere')), { code: 'SL_MODEL_NOT_FOUND' });
});

test('ChecksumCache remembers a file until any of its times changes', async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, 'data');
  const memory = join(folder, 'checksums.json');
  await writeFile(file, 'abc');
  assert.equal(await new ChecksumCache(memory).sha256(file), sha256(Buffer.from('abc')));
  const entries = JSON.parse(await readFile(memory, 'utf8'));
  entries[file].sha256 = 'remembered';
  await writeFile(memory, JSON.stringify(entries));
  assert.equal(await new ChecksumCache(memory).sha256(file), 'remembered');
  const { atime, mtime } = await stat(file);
  await writeFile(file, 'abd');
  await utimes(file, atime, mtime);
  assert.equal(await new ChecksumCache(memory).sha256(file), sha256(Buffer.from('abd')));
  await writeFile(memory, 'broken');
  assert.equal(await new ChecksumCache(memory).sha256(file), sha256(Buffer.from('abd')));
});

test('ensureModel() makes the model once, also when asked twice at a time, and leaves nothing else', async (t) => {
  const directory = await makeFolder(t);
  const checksums = new ChecksumCache(join(directory, 'checksums.json'));
  const folder = join(directory, 'centernet-320x320');
  const original = await readFile('models/centernet-320x320/model.yaml', 'utf8');
  await writeModel(folder, {}, { labels: await readFile('models/labels/coco-80.txt', 'utf8') });
  await rm(join(folder, 'model.onnx'));
  await writeFile(
    join(folder, 'model.yaml'),
    original.replace('../labels/coco-80.txt', 'labels.txt'),
  );
  const options = { directory, checksums };
  await Promise.all([
    ensureModel('centernet-320x320', options),
    ensureModel('centernet-320x320', options),
  ]);
  assert.equal((await ensureModel('centernet-320x320', options)).changed, false);
  assert.deepEqual((await readdir(folder)).sort(), [
    'labels.txt',
    'model.onnx',
    'model.yaml',
    'nvinfer.txt',
  ]);
  await writeFile(join(folder, 'model.onnx'), 'cut off');
  assert.equal((await ensureModel('centernet-320x320', options)).changed, true);
  assert.equal((await loadModel(directory, 'centernet-320x320', { checksums })).dynamicBatch, true);
});

test('ensureModel() refuses weights of another version and keeps the file that is there', async (t) => {
  const directory = await makeFolder(t);
  const checksums = new ChecksumCache(join(directory, 'checksums.json'));
  const path = 'models/centernet.json';
  const source = {
    kind: 'package',
    package: '@vladmandic/human',
    files: [{ path, sha256: '0'.repeat(64) }],
  };
  await writeModel(join(directory, 'tiny'), {
    ...TINY_MANIFEST,
    source,
    onnx: { sha256: '1'.repeat(64) },
  });
  await assert.rejects(ensureModel('tiny', { directory, checksums }), {
    code: 'SL_MODEL_CHECKSUM',
    message: /npm ci/,
  });
  assert.deepEqual(await readFile(join(directory, 'tiny', 'model.onnx')), Buffer.from(buildOnnx()));
  assert.throws(() => findPackageFile('@vladmandic/human', 'models/none.json'), {
    code: 'SL_MODEL_NOT_FOUND',
  });
});

test('ensureModel() asks for a file that only the user can bring', async (t) => {
  const directory = await makeFolder(t);
  await writeModel(join(directory, 'tiny'), READY);
  await rm(join(directory, 'tiny', 'model.onnx'));
  const checksums = new ChecksumCache(join(directory, 'checksums.json'));
  await assert.rejects(ensureModel('tiny', { directory, checksums }), {
    code: 'SL_MODEL_NOT_FOUND',
    message: /sightline models add .*model\.yaml --onnx FILE/,
  });
});
