import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { type Dimension, OnnxBuilder } from '../../src/models/convert/onnx-builder.ts';

/** A folder that is removed after the test. */
export async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-models-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An ONNX file whose graph says it takes and gives these shapes. */
export function buildOnnx(
  input: readonly Dimension[] = [1, 3, 64, 96],
  output: readonly Dimension[] = [1, 7, 126],
  names: readonly [string, string] = ['images', 'output0'],
): Uint8Array {
  const builder = new OnnxBuilder();
  builder.add('Identity', names[1], [names[0]]);
  return builder.build({
    graphName: 'tiny',
    input: [names[0], input],
    output: [names[1], output],
  });
}

/** A manifest that fits `buildOnnx()` and the labels car, bus and truck. */
export const TINY_MANIFEST = {
  name: 'tiny',
  version: '1',
  licence: 'MIT',
  source: { kind: 'local', origin: 'a test' },
  onnx: { file: 'model.onnx' },
  input: { name: 'images', width: 96, height: 64, scale: 0.5, keepAspect: true },
  outputs: [{ name: 'output0', shape: [1, 7, 126] }],
  labels: 'labels.txt',
  parser: 'yolov8',
  thresholds: { default: 0.25, classes: { bus: 0.6 } },
  nms: { iou: 0.5 },
  topk: 20,
  batch: 'fixed',
};

/** A classifier that fits `buildOnnx(CLASSIFIER_INPUT, [1, 3], ...)` and the labels red, green and blue. */
export const TINY_CLASSIFIER = {
  name: 'tiny-colour',
  version: '2',
  licence: 'MIT',
  task: 'classifier',
  attribute: 'colour',
  source: { kind: 'local', origin: 'a test' },
  onnx: { file: 'model.onnx' },
  input: { name: 'images', width: 32, height: 32 },
  outputs: [{ name: 'output0', shape: ['N', 3] }],
  labels: 'labels.txt',
  thresholds: { default: 0.4 },
  batch: 'dynamic',
};
export const CLASSIFIER_FILES = {
  labels: 'red;green;blue\n',
  onnx: buildOnnx(['N', 3, 32, 32], ['N', 3]),
};

/** Writes manifest, labels and ONNX file into `folder` and returns the manifest's path. */
export async function writeModel(
  folder: string,
  manifest: object = TINY_MANIFEST,
  files: { readonly labels?: string; readonly onnx?: Uint8Array } = {},
): Promise<string> {
  const { labels = 'car\nbus\ntruck\n', onnx = buildOnnx() } = files;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'labels.txt'), labels);
  await writeFile(join(folder, 'model.onnx'), onnx);
  const file = join(folder, 'model.yaml');
  await writeFile(file, stringify(manifest));
  return file;
}
