import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { loadModels, type Model } from '../../src/models/catalog.ts';
import { EngineCache } from '../../src/models/engine-cache.ts';
import { plainUse } from '../../src/models/infer-use.ts';
import { addModel } from '../../src/models/install.ts';
import { loadManifest } from '../../src/models/manifest.ts';
import { formatNvinferConfig } from '../../src/models/nvinfer.ts';
import type { InferFileRequest } from '../../src/pipeline/backends/infer-file.ts';
import { createInferFileWriter } from '../../src/services/infer-files.ts';
import {
  buildOnnx,
  CLASSIFIER_FILES,
  makeFolder,
  TINY_CLASSIFIER,
  TINY_MANIFEST,
  writeModel,
} from '../models/model-folder.ts';
import { readAsNvinfer } from '../models/nvinfer-reader.ts';
import { readNvinferserver } from '../models/proto-text-reader.ts';

const TOOL = join(ROOT, 'build-native', 'bin', 'infer_keys');
const MACHINE = { gpuName: 'NVIDIA L4', tensorRt: '10.16.1.11', deepStream: '9.1' };
const PARSERS = '/opt/sightline/lib/libsightline_parsers.so';

async function bench(t: TestContext) {
  const folder = await makeFolder(t);
  const directory = join(folder, 'models');
  mkdirSync(directory);
  const dynamic = {
    ...TINY_MANIFEST,
    outputs: [{ name: 'output0', shape: ['N', 7, 126] }],
    batch: 'dynamic',
    calibration: 'int8 table.txt',
  };
  const given = await makeFolder(t);
  const onnx = buildOnnx(['N', 3, 64, 96], ['N', 7, 126]);
  // Windows line ends, which nvinfer would take into the labels.
  const file = await writeModel(given, dynamic, { onnx, labels: 'car\r\nbus\r\ntruck\r\n' });
  writeFileSync(join(given, 'int8 table.txt'), 'TRT-8601-EntropyCalibration2\n');
  await addModel(file, { directory });
  await addModel(await writeModel(await makeFolder(t), { ...TINY_MANIFEST, name: 'one' }), {
    directory,
  });
  const classifier = await writeModel(await makeFolder(t), TINY_CLASSIFIER, CLASSIFIER_FILES);
  await addModel(classifier, { directory });
  const models = await loadModels(directory);
  const filesDir = join(folder, 'files');
  const cacheDir = join(folder, 'engines');
  const options = { models, filesDir, cacheDir, machine: MACHINE };
  const write = createInferFileWriter(options);
  const request = (model: string, more: Partial<InferFileRequest> = {}): InferFileRequest => ({
    model: models(model) as Model,
    engine: 'nvinfer',
    uniqueId: 1,
    processMode: 1,
    batchSize: 4,
    precision: 'fp16',
    gpuId: 0,
    dropClassIds: [],
    interval: 0,
    minWidth: 0,
    minHeight: 0,
    parserLibrary: PARSERS,
    origin: '/infer',
    ...more,
  });
  return { folder, options, models, filesDir, cacheDir, write, request };
}

const SECONDARY: Partial<InferFileRequest> = {
  uniqueId: 2,
  processMode: 2,
  batchSize: 16,
  operateOn: { gieId: 1, classIds: [0, 2] },
  interval: 30,
  minWidth: 32,
  minHeight: 24,
  origin: '/secondary/0',
};

test('the configuration of a detector on a GPU holds what nvinfer needs, absolute and typed', async (t) => {
  const { write, request, cacheDir } = await bench(t);
  const more = { gpuId: 1, interval: 2, dropClassIds: [1], threshold: 0.35 } as const;
  const { text, engineFile, engine } = write(request('tiny', more));
  const { property, classes } = readAsNvinfer(text);
  const expected = {
    'gie-unique-id': 1,
    'process-mode': 1,
    'network-type': 0,
    'gpu-id': 1,
    'network-mode': 2,
    'batch-size': 4,
    interval: 2,
    'infer-dims': [3, 64, 96],
    'custom-lib-path': PARSERS,
    'parse-bbox-func-name': 'SightlineParseYoloV8',
    'cluster-mode': 2,
    'filter-out-class-ids': [1],
    'output-blob-names': ['output0'],
    'maintain-aspect-ratio': 1,
  };
  for (const [key, value] of Object.entries(expected)) {
    assert.deepEqual(property.get(key), value, key);
  }
  assert.equal(property.get('model-engine-file'), engineFile);
  // nvinfer names the engine after the model it was given, and writes it beside it.
  assert.equal(engineFile, `${property.get('onnx-file')}_b4_gpu1_fp16.engine`);
  assert.equal(dirname(engineFile!), join(cacheDir, engine!.key));
  assert.deepEqual([...classes.keys()], ['all']);
  assert.equal(classes.get('all')!.get('pre-cluster-threshold'), 0.35);
});

test("a model's own thresholds by class stay where the pipeline sets none", async (t) => {
  const { write, request } = await bench(t);
  const { classes } = readAsNvinfer(write(request('tiny')).text);
  assert.equal(classes.get('all')!.get('pre-cluster-threshold'), 0.25);
  assert.equal(classes.get('1')!.get('pre-cluster-threshold'), 0.6);
});

test('the configuration of a classifier on a GPU says whose objects, which and when again', async (t) => {
  const { write, request } = await bench(t);
  const { property } = readAsNvinfer(write(request('tiny-colour', SECONDARY)).text);
  const expected = {
    'gie-unique-id': 2,
    'process-mode': 2,
    'network-type': 1,
    'operate-on-gie-id': 1,
    'operate-on-class-ids': [0, 2],
    'secondary-reinfer-interval': 30,
    'input-object-min-width': 32,
    'input-object-min-height': 24,
    'classifier-type': 'colour',
    'classifier-threshold': 0.4,
    'classifier-async-mode': 0,
  };
  for (const [key, value] of Object.entries(expected)) {
    assert.deepEqual(property.get(key), value, key);
  }
  assert.ok(!property.has('interval'));
});

test('labels are written so that nvinfer reads the same: no line ends of others, one line for a classifier', async (t) => {
  const { write, request } = await bench(t);
  const [labels] = write(request('tiny')).others!;
  assert.deepEqual([labels!.kind, labels!.text], ['labels', 'car\nbus\ntruck\n']);
  const [values] = write(request('tiny-colour', SECONDARY)).others!;
  assert.equal(values!.text, 'red;green;blue\n');
  const { property } = readAsNvinfer(write(request('tiny')).text);
  assert.equal(property.get('labelfile-path'), labels!.path);
});

test('what is written for a GPU is read on a CPU, with the keys without effect named', async (t) => {
  const { write, request, cacheDir, filesDir } = await bench(t);
  const cache = await EngineCache.open(cacheDir);
  mkdirSync(filesDir, { recursive: true });
  for (const asked of [
    request('tiny', { dropClassIds: [0], precision: 'int8' }),
    request('tiny-colour', SECONDARY),
  ]) {
    const { path, text, others, engine } = write(asked);
    await cache.prepare(engine!);
    for (const file of [{ path, text }, ...others!]) writeFileSync(file.path, file.text);
    const names = execFileSync(TOOL, [path], { encoding: 'utf8' }).trim().split('\n');
    assert.deepEqual(names, [
      'gpu-id',
      'network-mode',
      'model-engine-file',
      ...(asked.precision === 'int8' ? ['int8-calib-file'] : []),
    ]);
  }
});

test('equal requests give equal files, and each fact of an engine its own key', async (t) => {
  const { write, request, options } = await bench(t);
  assert.deepEqual(write(request('tiny')), write(request('tiny')));
  const keys = [
    write(request('tiny')),
    write(request('tiny', { batchSize: 8 })),
    write(request('tiny', { precision: 'fp32' })),
    write(request('tiny', { precision: 'int8' })),
    write(request('tiny', { gpuId: 1 })),
    write(request('tiny-colour', SECONDARY)),
    ...Object.keys(MACHINE).map((fact) =>
      createInferFileWriter({ ...options, machine: { ...MACHINE, [fact]: 'other' } })(
        request('tiny'),
      ),
    ),
  ].map(({ engine }) => engine!.key);
  assert.equal(new Set(keys).size, keys.length);
  // What the engine does not depend on shares it.
  const same = { threshold: 0.9, dropClassIds: [2], interval: 5, uniqueId: 3 } as const;
  assert.equal(write(request('tiny', same)).engine!.key, keys[0]);
});

test('uses that nvinfer would take and then fail with are refused', async (t) => {
  const { write, request } = await bench(t);
  const refused = (asked: InferFileRequest, message: RegExp) =>
    assert.throws(() => write(asked), { code: 'SL_MODEL_INVALID', message });
  refused(request('one', { batchSize: 2 }), /takes one picture at a time, not 2/);
  refused(request('one', { batchSize: 1, precision: 'int8' }), /needs a calibration table/);
  refused(request('tiny-colour'), /is a classifier/);
  refused(
    request('one', { engine: 'nvinferserver', modelRepository: '/models', batchSize: 1 }),
    /has a fixed batch/,
  );
  assert.throws(() => write(request('tiny', { engine: 'nvinferserver' })), {
    code: 'SL_SPEC_INVALID',
    message: /needs deepstream\.modelRepository/,
  });
});

test('the text for nvinferserver fits its messages, for a detector and a classifier', async (t) => {
  const { write, request } = await bench(t);
  const triton = { engine: 'nvinferserver', modelRepository: '/models' } as const;
  const detector = write(request('tiny', { ...triton, dropClassIds: [1], interval: 3 }));
  assert.equal(detector.engine, undefined);
  const read = readNvinferserver(detector.text);
  assert.deepEqual(read['input_control'], {
    process_mode: 'PROCESS_MODE_FULL_FRAME',
    interval: 3,
  });
  assert.deepEqual(read['output_control'], { detect_control: { filter_out_class_ids: [1] } });
  const { postprocess, ...config } = read['infer_config'] as Record<string, unknown>;
  assert.deepEqual(config, {
    unique_id: 1,
    gpu_ids: [0],
    max_batch_size: 4,
    backend: {
      triton: {
        model_name: 'tiny',
        version: -1,
        model_repo: { root: ['/models'], strict_model_config: true },
      },
      output_mem_type: 'MEMORY_TYPE_CPU',
    },
    preprocess: {
      network_format: 'IMAGE_FORMAT_RGB',
      tensor_order: 'TENSOR_ORDER_LINEAR',
      tensor_name: 'images',
      maintain_aspect_ratio: 1,
      symmetric_padding: 0,
      frame_scaling_hw: 'FRAME_SCALING_HW_DEFAULT',
      frame_scaling_filter: 1,
      normalize: { scale_factor: 0.5 },
    },
    custom_lib: { path: PARSERS },
  });
  assert.deepEqual((postprocess as Record<string, unknown>)['detection'], {
    num_detected_classes: 3,
    per_class_params: [{ key: 1, value: { pre_threshold: 0.6 } }],
    custom_parse_bbox_func: 'SightlineParseYoloV8',
    nms: { confidence_threshold: 0.25, iou_threshold: 0.5, topk: 20 },
  });
  const classifier = readNvinferserver(
    write(request('tiny-colour', { ...SECONDARY, ...triton })).text,
  );
  assert.deepEqual(classifier['input_control'], {
    process_mode: 'PROCESS_MODE_CLIP_OBJECTS',
    operate_on_gie_id: 1,
    operate_on_class_ids: [0, 2],
    secondary_reinfer_interval: 30,
    async_mode: false,
    object_control: { bbox_filter: { min_width: 32, min_height: 24 } },
  });
  assert.deepEqual(classifier['output_control'], { classifier_type: 'colour' });
});

test('a file made from any manifest of models/ is read by the rules of nvinfer', async () => {
  const folder = join(ROOT, 'models');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('model.yaml'))
    .map((name) => join(folder, name));
  assert.ok(files.length >= 5);
  for (const file of files) {
    const model = await loadManifest(file);
    const paths = { onnx: '/m/model.onnx', labels: '/m/labels.txt' };
    const gpu = { precision: 'fp16', gpuId: 0, parserLibrary: PARSERS, engineFile: '/e' } as const;
    for (const text of [
      formatNvinferConfig(model, plainUse(model), paths),
      formatNvinferConfig(model, plainUse(model), paths, gpu),
    ]) {
      const { property } = readAsNvinfer(text);
      assert.equal(property.get('infer-dims')?.toString().split(',').length, 3, file);
      assert.doesNotMatch(text, /=(true|false|yes|no)$/m, file);
    }
  }
});

test('what nvinfer would misread is seen: YAML booleans, unknown keys, class groups of a classifier', () => {
  for (const [text, message] of [
    ['[property]\nmaintain-aspect-ratio=true\n', /is no bool/],
    ['[property]\nbatch-size=4.0\n', /is no int/],
    ['[property]\nbatch_size=4\n', /not understood/],
    ['[property]\nbatch-size=4\nbatch-size=4\n', /twice/],
    ['[property]\ninfer-dims=3;64\n', /2 items/],
    ['[property]\nnetwork-type=1\n[class-attrs-all]\n', /not read for network-type 1/],
    ['[property]\nnum-detected-classes=2\n[class-attrs-2]\n', /no such class/],
    ['[class-attrs-all]\n', /no group \[property\]/],
  ] as const) {
    assert.throws(() => readAsNvinfer(text), message, text);
  }
});
