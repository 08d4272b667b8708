import assert from 'node:assert/strict';
import test from 'node:test';
import { PATHS } from '../../src/common/paths.ts';
import { readManifest } from '../../src/models/catalog.ts';
import type { LoadedManifest } from '../../src/models/manifest.ts';
import { formatInferServerConfig, type InferServerWishes } from '../../src/models/nvinferserver.ts';

const WISHES: InferServerWishes = {
  uniqueId: 1,
  processMode: 1,
  batchSize: 4,
  gpuId: 1,
  dropClassIds: [],
  interval: 2,
  minWidth: 0,
  minHeight: 0,
  parserLibrary: '/opt/"p".so',
  modelRepository: '/triton',
};

async function model(): Promise<LoadedManifest> {
  return readManifest(PATHS.models, 'centernet-512x384');
}

test('a model for Triton is described as it is for nvinfer', async () => {
  const text = formatInferServerConfig(await model(), { ...WISHES, threshold: 0.4 });
  for (const line of [
    'max_batch_size: 4',
    'gpu_ids: 1',
    'model_name: "centernet-512x384"',
    'root: "/triton"',
    'network_format: IMAGE_FORMAT_RGB',
    'tensor_order: TENSOR_ORDER_LINEAR',
    'custom_parse_bbox_func: "SightlineParseCenterNet"',
    'threshold: 0.4',
    'process_mode: PROCESS_MODE_FULL_FRAME',
    'interval: 2',
    'path: "/opt/\\"p\\".so"',
  ]) {
    assert.ok(
      text.split('\n').some((candidate) => candidate.trim() === line),
      line,
    );
  }
  assert.doesNotMatch(text, /output_control|operate_on/);
});

test('overlapping boxes are merged where the parser leaves them, each class by its own limit', async () => {
  const loaded = await model();
  const manifest = {
    ...loaded.manifest,
    parser: 'yolov8' as const,
    nms: { iou: 0.6 },
    thresholds: { default: 0.2, classes: { car: 0.7 } },
  };
  const text = formatInferServerConfig({ ...loaded, manifest }, WISHES);
  assert.match(text, /nms \{\s+confidence_threshold: 0\.2\s+iou_threshold: 0\.6/);
  const car = loaded.labels.indexOf('car');
  assert.match(
    text,
    new RegExp(`per_class_params \\{\\s+key: ${car}\\s+value \\{\\s+pre_threshold: 0\\.7`),
  );
});

test('a secondary step names whose objects it looks at, and drops what is not asked for', async () => {
  const text = formatInferServerConfig(await model(), {
    ...WISHES,
    processMode: 2,
    operateOn: { gieId: 1, classIds: [2, 7] },
    dropClassIds: [0, 5],
    minWidth: 32,
  });
  assert.match(text, /process_mode: PROCESS_MODE_CLIP_OBJECTS\s+operate_on_gie_id: 1/);
  assert.match(text, /operate_on_class_ids: 2\s+operate_on_class_ids: 7/);
  assert.match(text, /min_width: 32/);
  assert.match(text, /detect_control \{\s+filter_out_class_ids: 0\s+filter_out_class_ids: 5/);
});
