import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SightlineError } from '../../src/common/errors.ts';
import { loadModel } from '../../src/models/catalog.ts';
import { modelsAdd, modelsList, modelsPull, modelsShow } from '../../src/models/commands.ts';
import type { Dimension } from '../../src/models/convert/onnx-builder.ts';
import { downloadFile } from '../../src/models/download.ts';
import { addModel } from '../../src/models/install.ts';
import { inspectOnnx } from '../../src/models/onnx-file.ts';
import { buildOnnx, makeFolder, TINY_MANIFEST, writeModel } from './model-folder.ts';

const ignore = (): void => undefined;

/** Folders of a user's model and of installed ones. */
async function makeFolders(context: TestContext): Promise<{ own: string; directory: string }> {
  const folder = await makeFolder(context);
  const directory = join(folder, 'models');
  await mkdir(directory);
  return { own: join(folder, 'own'), directory };
}

async function problemsOf(adding: Promise<unknown>): Promise<string[]> {
  const error = await adding.then(
    () => assert.fail('the model was taken'),
    (reason: SightlineError) => reason,
  );
  assert.equal(error.code, 'SL_MODEL_INVALID', error.message);
  return error.problems.map(({ pointer }) => pointer);
}

test('modelsAdd() installs a model of the user so that it loads, comments of the manifest kept', async (t) => {
  const { own, directory } = await makeFolders(t);
  const file = await writeModel(own);
  await writeFile(file, `# My cars.\n${await readFile(file, 'utf8')}`);
  const lines: string[] = [];
  await modelsAdd(file, (line) => lines.push(line), { directory });
  assert.deepEqual(lines, [`tiny: installed in ${join(directory, 'tiny')}`]);
  const model = await loadModel(directory, 'tiny');
  assert.deepEqual(model.labels, ['car', 'bus', 'truck']);
  assert.match(await readFile(model.file, 'utf8'), /^# My cars\.\n/);
  assert.deepEqual((await readdir(model.folder)).sort(), [
    'labels.txt',
    'model.onnx',
    'model.yaml',
    'nvinfer.txt',
  ]);
  await assert.rejects(addModel(file, { directory }), { code: 'SL_CONFLICT' });
  await addModel(file, { directory, replace: true });
});

test('addModel() completes a manifest that lies in its place already', async (t) => {
  const { directory } = await makeFolders(t);
  await addModel(await writeModel(join(directory, 'tiny')), { directory });
  assert.equal((await loadModel(directory, 'tiny')).name, 'tiny');
});

test('the YOLO example installs with a file of the shapes it describes', async (t) => {
  const { own, directory } = await makeFolders(t);
  await mkdir(own);
  const onnx = join(own, 'yolov8n.onnx');
  await writeFile(onnx, buildOnnx([1, 3, 640, 640], [1, 84, 8400]));
  await addModel('models/examples/yolov8n/model.yaml', { directory, onnx });
  const model = await loadModel(directory, 'yolov8n');
  assert.equal(model.labels.length, 80);
  const config = await readFile(model.configFile, 'utf8');
  assert.match(config, /parse-bbox-func-name=SightlineParseYoloV8/);
  assert.match(config, /\[class-attrs-0\]\npre-cluster-threshold=0.3\nnms-iou-threshold=0.45\n/);
});

test('addModel() refuses a file whose tensors are not those of the manifest, each with its place', async (t) => {
  const { own, directory } = await makeFolders(t);
  const cases: readonly [Uint8Array, string[]][] = [
    [buildOnnx([1, 3, 64]), ['/input']],
    [buildOnnx([1, 1, 64, 96]), ['/input']],
    [buildOnnx([4, 3, 64, 96]), ['/input']],
    [buildOnnx([1, 3, 96, 64], [1, 126, 7]), ['/input', '/outputs/0/shape']],
    [buildOnnx(undefined, [1, 7]), ['/outputs/0/shape']],
    [buildOnnx(undefined, undefined, ['x', 'y']), ['/input/name', '/outputs/0/name']],
  ];
  for (const [onnx, expected] of cases) {
    const file = await writeModel(own, TINY_MANIFEST, { onnx });
    assert.deepEqual(await problemsOf(addModel(file, { directory })), expected);
  }
  const dynamic = { ...TINY_MANIFEST, batch: 'dynamic' };
  assert.deepEqual(await problemsOf(addModel(await writeModel(own, dynamic), { directory })), [
    '/batch',
  ]);
  assert.deepEqual(await readdir(directory), []);
});

test('addModel() refuses outputs whose size does not fit the number of labels', async (t) => {
  const { own, directory } = await makeFolders(t);
  const cases: readonly (readonly [string, readonly Dimension[]])[] = [
    ['yolov8', [1, 8, 126]],
    ['yolov5', [1, 126, 7]],
    ['yolox', [1, 126, 9]],
  ];
  for (const [parser, shape] of cases) {
    const manifest = { ...TINY_MANIFEST, parser, outputs: [{ name: 'output0', shape }] };
    const file = await writeModel(own, manifest, { onnx: buildOnnx(undefined, shape) });
    assert.deepEqual(await problemsOf(addModel(file, { directory })), ['/outputs/0/shape'], parser);
  }
  const { nms: _nms, ...single } = { ...TINY_MANIFEST, parser: 'detr' };
  assert.deepEqual(await problemsOf(addModel(await writeModel(own, single), { directory })), [
    '/outputs',
  ]);
});

test('inspectOnnx() refuses every cut of a file, and what is no ONNX model', async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, 'model.onnx');
  const whole = buildOnnx();
  for (let length = 0; length < whole.length; length++) {
    await writeFile(file, whole.subarray(0, length));
    await assert.rejects(inspectOnnx(file), { code: 'SL_MODEL_INVALID', message: /cut off/ });
  }
  await writeFile(file, '<!doctype html><title>404</title>');
  await assert.rejects(inspectOnnx(file), { code: 'SL_MODEL_INVALID' });
  await assert.rejects(inspectOnnx(join(folder, 'none.onnx')), { code: 'SL_MODEL_NOT_FOUND' });
});

test('modelsPull() downloads a file of a known checksum, and nothing else', async (t) => {
  const { directory } = await makeFolders(t);
  const onnx = buildOnnx(undefined, undefined);
  const served: Record<string, Uint8Array> = {
    '/good.onnx': onnx,
    '/bad.onnx': onnx.subarray(0, 50),
  };
  const server = createServer((request, response) => {
    const body = served[request.url ?? ''];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeModel(join(directory, 'tiny'), TINY_MANIFEST, { onnx: Buffer.from('old') });
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  const pull = (url: string, sum: string | undefined): Promise<void> =>
    modelsPull('tiny', ignore, { directory, url, ...(sum === undefined ? {} : { sha256: sum }) });

  await assert.rejects(pull(`${base}/good.onnx`, undefined), { code: 'SL_CONFIG_INVALID' });
  await assert.rejects(pull(`${base}/bad.onnx`, sha256), { code: 'SL_MODEL_CHECKSUM' });
  await assert.rejects(pull(`${base}/none.onnx`, sha256), {
    code: 'SL_UNAVAILABLE',
    message: /none\.onnx: HTTP 404/,
  });
  await assert.rejects(downloadFile(`${base}/good.onnx`, join(directory, 'x'), { maxBytes: 10 }), {
    code: 'SL_MODEL_INVALID',
  });
  assert.equal(await readFile(join(directory, 'tiny', 'model.onnx'), 'utf8'), 'old');

  await pull(`${base}/good.onnx`, sha256);
  const model = await loadModel(directory, 'tiny');
  assert.deepEqual(model.manifest.source, { kind: 'url', url: `${base}/good.onnx` });
  const lines: string[] = [];
  await modelsPull('tiny', (line) => lines.push(line), { directory });
  assert.deepEqual(lines, [`tiny: ${model.onnxFile} is up to date`]);
});

test('modelsList() and modelsShow() print what is installed and what is wrong with it', async (t) => {
  const { own, directory } = await makeFolders(t);
  await addModel(await writeModel(own), { directory });
  await writeModel(join(directory, 'odd'), { ...TINY_MANIFEST, name: 'odd', colour: 'red' });
  const lines: string[] = [];
  const entries = await modelsList((line) => lines.push(line), { directory });
  assert.deepEqual(
    entries.map(({ name, state }) => [name, state]),
    [
      ['odd', 'broken'],
      ['tiny', 'ready'],
    ],
  );
  assert.match(lines.join('\n'), /tiny {2}ready {4}detector {4}1 {8}96x64 {6}MIT/);
  assert.match(lines.join('\n'), /\/colour/);
  const shown: string[] = [];
  await modelsShow('tiny', (line) => shown.push(line), { directory });
  assert.match(shown.join('\n'), /input {8}images FLOAT\[1,3,64,96\], rgb, scale 0.5, aspect kept/);
  assert.match(shown.join('\n'), /labels {7}3: car, bus, truck/);
});
