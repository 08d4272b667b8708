import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { parseDocument } from '../../src/common/document.ts';
import { onnxRuntimeLibrary, PATHS } from '../../src/common/paths.ts';
import { frameToJson } from '../../src/metadata/frame.ts';
import { loadModel, type Model } from '../../src/models/catalog.ts';
import { OnnxBuilder } from '../../src/models/convert/onnx-builder.ts';
import { ensureModel } from '../../src/models/ensure.ts';
import { addModel } from '../../src/models/install.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import { launchText } from '../../src/pipeline/launch-text.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { writeGeneratedFiles } from '../../src/services/generated-files.ts';
import { createClassifierFileWriter } from '../../src/services/infer-files.ts';
import { CLASSIFIER_FILES, TINY_CLASSIFIER, writeModel } from '../models/model-folder.ts';
import { CPU, lower, MODEL, pipelineText, thrown } from './fixtures.ts';
import { inFolder, runShell } from './run.ts';

const CAMERA = '{ type: rtsp, url: "rtsp://camera.example/x" }';
const STEP =
  'secondary: [{ id: colour, model: colour, on: { classes: [car] }, interval: 30, minWidth: 16 }]';
const WRITER = {
  ...CPU,
  classifierFiles: (step: { id: string }, origin: string) =>
    [
      { path: `/generated/${step.id}.txt`, kind: 'nvinfer', text: 'config', origin },
      { path: '/generated/colour.labels', kind: 'labels', text: 'red;green;blue\n', origin },
    ] as const,
} as unknown as typeof CPU;

test('a classifier becomes an slclassify between tracker and messages, with files and origin', () => {
  const { graphs, files } = lower(pipelineText(CAMERA, STEP), WRITER);
  const [graph] = graphs;
  const ids = graph!.nodes.map(({ id }) => id);
  assert.equal(ids.indexOf('classify-colour'), ids.indexOf('track') + 1);
  const node = graph!.nodes.find(({ id }) => id === 'classify-colour')!;
  assert.deepEqual(
    [node.factory, node.role, node.origin],
    ['slclassify', 'classify', '/secondary/0'],
  );
  assert.deepEqual(node.properties, {
    'config-file-path': '/generated/colour.txt',
    'unique-id': 2,
    'batch-size': 16,
    'onnxruntime-library': CPU.onnxRuntimeLibrary,
  });
  assert.deepEqual(
    files.map(({ path }) => path),
    ['/generated/colour.txt', '/generated/colour.labels'],
  );
});

test('without a tracker the interval has no effect, which is said', () => {
  const { notes } = lower(pipelineText(CAMERA, `${STEP}\ntrack: { type: none }`), WRITER);
  assert.deepEqual(
    notes.map(({ pointer }) => pointer),
    ['/secondary/0/interval'],
  );
});

test('a detector inside of objects is refused on the CPU, at its place', () => {
  const text = pipelineText(CAMERA, `secondary: [{ id: plate, model: ${MODEL.name} }]`);
  const { code, problems } = thrown(() => lower(text, WRITER));
  assert.equal(code, 'SL_BACKEND_UNSUPPORTED');
  assert.deepEqual(
    problems.map(({ pointer }) => pointer),
    ['/secondary/0/model'],
  );
});

/** Says which channel of a picture is brightest. */
function brightestChannel(): Uint8Array {
  const builder = new OnnxBuilder();
  builder.add('ReduceMean', 'output0', ['images'], { axes: [2, 3], keepdims: 0 });
  const input = ['images', ['N', 3, 32, 32]] as const;
  return builder.build({ graphName: 'brightest', input, output: ['output0', ['N', 3]] });
}

async function runClip(folder: string, frames: number) {
  const directory = join(folder, 'models');
  await mkdir(directory);
  const manifest = {
    ...TINY_CLASSIFIER,
    input: { ...TINY_CLASSIFIER.input, scale: 1 / 255 },
    thresholds: { default: 0 },
  };
  const given = await writeModel(join(folder, 'given'), manifest, {
    ...CLASSIFIER_FILES,
    onnx: brightestChannel(),
  });
  await addModel(given, { directory });
  await ensureModel('centernet-320x320');
  const models = new Map<string, Model>([
    ['centernet-320x320', await loadModel(PATHS.models, 'centernet-320x320')],
    ['tiny-colour', await loadModel(directory, 'tiny-colour')],
  ]);
  const spec = `
id: p
infer: { model: centernet-320x320 }
secondary:
  - { id: colour, model: tiny-colour, on: { classes: [person] }, interval: 1000, minHeight: 40 }
streams:
  - { id: cam, source: { type: file, path: "${PATHS.demoClip}" } }
`;
  const filesDir = join(folder, 'files');
  const pipeline = resolve(parseDocument(spec, PipelineSpec).value, { models });
  const { graphs, files } = lowerCpu(pipeline, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: 2,
    filesDir,
    classifierFiles: createClassifierFileWriter({ models: (name) => models.get(name), filesDir }),
  });
  await writeGeneratedFiles(files);
  const line = launchText(graphs)
    .replace('slinfer ', `identity eos-after=${frames + 1} ! slinfer `)
    .replace('fakesink sync=false async=false', 'multifilesink async=false location=%03d.pb');
  await runShell(line, folder);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.pb')).sort();
  return Promise.all(names.map(async (name) => frameToJson(await readFile(join(folder, name)))));
}

test('people of a real clip get a label each, which stays theirs, and nothing else gets one', async () => {
  await inFolder(async (folder) => {
    const frames = await runClip(folder, 40);
    assert.ok(frames.length >= 40);
    // First label of each person; undefined from when they may be looked at again.
    const labels = new Map<string, { area: number; label: string } | undefined>();
    let people = 0;
    for (const { id: frame, objects } of frames) {
      for (const { id, type, bbox, classifications = [] } of objects) {
        const where = `object ${id} (${type}) of frame ${frame}`;
        const height = Number(bbox!.bottomY) - Number(bbox!.topY);
        const area = height * (Number(bbox!.rightX) - Number(bbox!.leftX));
        if (type !== 'person' || height < 39) {
          assert.deepEqual(classifications, [], where);
          continue;
        }
        const [found, ...more] = classifications;
        // At the limit itself a pixel of rounding decides.
        if (found === undefined && height < 41) continue;
        people += 1;
        assert.equal(more.length, 0, where);
        assert.deepEqual([found?.component, found?.attribute], [2, 'colour'], where);
        const confidence = Number(found!.confidence);
        assert.ok(confidence > 0 && confidence <= 1, where);
        const { label } = found!;
        if (!labels.has(id)) labels.set(id, { area, label });
        const known = labels.get(id);
        // Who covers a fifth more is looked at again.
        if (known !== undefined && area < 1.15 * known.area)
          assert.equal(label, known.label, where);
        else labels.set(id, undefined);
      }
    }
    assert.ok(people > 50, `${people} people`);
  });
});
