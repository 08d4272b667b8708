import { SightlineError } from '../common/errors.ts';
import { checkUse, type GpuUse, type InferUse } from './infer-use.ts';
import { type DetectorManifest, type LoadedManifest, type Manifest, needsNms } from './manifest.ts';
import { type ConfigPaths, DEFAULT_IOU, PARSER_SYMBOLS } from './nvinfer.ts';
import { formatProtoText, type ProtoMessage } from './proto-text.ts';

const MEDIA_FORMATS = {
  rgb: { word: 'IMAGE_FORMAT_RGB' },
  bgr: { word: 'IMAGE_FORMAT_BGR' },
  gray: { word: 'IMAGE_FORMAT_GRAY' },
} as const;
const TENSOR_ORDERS = {
  nchw: { word: 'TENSOR_ORDER_LINEAR' },
  nhwc: { word: 'TENSOR_ORDER_NHWC' },
} as const;
/** NvBufSurfTransform's bilinear filter; 0, the default of the field, is nearest. */
const BILINEAR = 1;
const LATEST = -1;

/**
 * Text of the nvinferserver configuration for one use of a model: a `PluginControl` message. The model must stand in
 * the repository under its own name (`sightline models triton`).
 * @throws SightlineError `SL_MODEL_INVALID` for a use the model cannot have.
 */
export function formatNvinferserverConfig(
  model: LoadedManifest,
  use: InferUse,
  paths: Pick<ConfigPaths, 'labels'>,
  gpu: GpuUse,
  repository: string,
): string {
  checkUse(model, use, { ...gpu, precision: 'fp16' });
  checkTriton(model);
  const { manifest } = model;
  const text = formatProtoText({
    infer_config: {
      unique_id: use.uniqueId,
      gpu_ids: [gpu.gpuId],
      max_batch_size: use.batchSize,
      backend: {
        triton: {
          model_name: manifest.name,
          version: LATEST,
          model_repo: { root: repository, strict_model_config: true },
        },
        // Parsers and the classifier read on the CPU.
        output_mem_type: { word: 'MEMORY_TYPE_CPU' },
      },
      preprocess: preprocess(manifest),
      postprocess: { labelfile_path: paths.labels, ...postprocess(model, use) },
      ...(manifest.task === 'detector' ? { custom_lib: { path: gpu.parserLibrary } } : {}),
    },
    input_control: use.processMode === 1 ? frames(use) : objects(use),
    ...outputControl(manifest, use),
  });
  return `# Made from the manifest of ${manifest.name} ${manifest.version}: edit that, not this.\n${text}`;
}

/** @throws SightlineError `SL_MODEL_INVALID` where Triton's batches do not fit the ONNX file. */
export function checkTriton({ manifest }: LoadedManifest): void {
  if (manifest.batch === 'dynamic') return;
  throw new SightlineError(
    'SL_MODEL_INVALID',
    `Cannot run the model "${manifest.name}" on Triton: its ONNX file has a fixed batch; export it with a free one, or use nvinfer`,
  );
}

function preprocess({ input }: Manifest): ProtoMessage {
  return {
    network_format: MEDIA_FORMATS[input.colour],
    tensor_order: TENSOR_ORDERS[input.layout],
    tensor_name: input.name,
    maintain_aspect_ratio: Number(input.keepAspect),
    symmetric_padding: Number(input.symmetricPadding),
    frame_scaling_hw: { word: 'FRAME_SCALING_HW_DEFAULT' },
    frame_scaling_filter: BILINEAR,
    normalize: {
      scale_factor: input.scale,
      ...(input.offsets.length > 0 ? { channel_offsets: input.offsets } : {}),
    },
  };
}

function postprocess({ manifest, labels }: LoadedManifest, use: InferUse): ProtoMessage {
  const threshold = use.threshold ?? manifest.thresholds.default;
  if (manifest.task === 'classifier') return { classification: { threshold } };
  const { parser, thresholds } = manifest;
  const own = use.threshold === undefined ? Object.entries(thresholds.classes) : [];
  return {
    detection: {
      num_detected_classes: labels.length,
      per_class_params: own.map(([label, least]) => ({
        key: labels.indexOf(label),
        value: { pre_threshold: least },
      })),
      custom_parse_bbox_func: PARSER_SYMBOLS[parser],
      ...clustering(manifest, threshold),
    },
  };
}

function clustering({ parser, nms, topk }: DetectorManifest, threshold: number): ProtoMessage {
  if (!needsNms(parser)) return { simple_cluster: { threshold } };
  const iou = nms?.iou ?? DEFAULT_IOU;
  return {
    nms: { confidence_threshold: threshold, iou_threshold: iou, ...(topk ? { topk } : {}) },
  };
}

function frames({ interval }: InferUse): ProtoMessage {
  return { process_mode: { word: 'PROCESS_MODE_FULL_FRAME' }, interval };
}

function objects({ operateOn, interval, minWidth, minHeight }: InferUse): ProtoMessage {
  return {
    process_mode: { word: 'PROCESS_MODE_CLIP_OBJECTS' },
    ...(operateOn === undefined ? {} : { operate_on_gie_id: operateOn.gieId }),
    ...(operateOn?.classIds === undefined ? {} : { operate_on_class_ids: operateOn.classIds }),
    secondary_reinfer_interval: interval,
    async_mode: false,
    object_control: { bbox_filter: { min_width: minWidth, min_height: minHeight } },
  };
}

function outputControl(manifest: Manifest, { dropClassIds }: InferUse): ProtoMessage {
  if (manifest.task === 'classifier') {
    return { output_control: { classifier_type: manifest.attribute } };
  }
  if (dropClassIds.length === 0) return {};
  return { output_control: { detect_control: { filter_out_class_ids: dropClassIds } } };
}
