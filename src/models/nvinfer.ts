import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { writeFileIfChanged } from '../common/files.ts';
import { checkUse, type GpuUse, type InferUse, plainUse } from './infer-use.ts';
import { type Entries, formatKeyFile } from './key-file.ts';
import {
  type ClassifierManifest,
  type DetectorManifest,
  type LoadedManifest,
  type Manifest,
  needsNms,
} from './manifest.ts';

/** How files are named in a configuration; relative paths start at its folder. */
export interface ConfigPaths {
  readonly onnx: string;
  readonly labels: string;
}

/** Symbols of the parsers, as nvinfer's `parse-bbox-func-name` and slinfer know them. */
export const PARSER_SYMBOLS: Readonly<Record<DetectorManifest['parser'], string>> = {
  centernet: 'SightlineParseCenterNet',
  yolov8: 'SightlineParseYoloV8',
  yolov5: 'SightlineParseYoloV5',
  yolox: 'SightlineParseYoloX',
  ssd: 'SightlineParseSsd',
  detr: 'SightlineParseDetr',
};

export const DEFAULT_IOU = 0.45;

const COLOUR_FORMATS: Readonly<Record<Manifest['input']['colour'], number>> = {
  rgb: 0,
  bgr: 1,
  gray: 2,
};
const NETWORK_TYPES = { detector: 0, classifier: 1 } as const;
/** nvinfer's numbers; those of nvtracker differ. */
const NETWORK_MODES = { fp32: 0, int8: 1, fp16: 2 } as const;
const NMS = 2;
const NO_CLUSTERING = 4;

/**
 * Text of the nvinfer configuration (INI form) for one use of a model: read by nvinfer, slinfer and slclassify alike.
 * @param gpu what TensorRT must know; without it the file is for a CPU.
 * @throws SightlineError `SL_MODEL_INVALID` for a use the model cannot have.
 */
export function formatNvinferConfig(
  model: LoadedManifest,
  use: InferUse,
  paths: ConfigPaths,
  gpu?: GpuUse,
): string {
  checkUse(model, use, gpu);
  const { manifest } = model;
  const property: Entries = [
    ['gie-unique-id', use.uniqueId],
    ['process-mode', use.processMode],
    ['network-type', NETWORK_TYPES[manifest.task]],
    ...gpuEntries(model, gpu),
    ...networkEntries(manifest, use, paths, model.labels.length),
    ...(use.processMode === 2 ? objectEntries(use) : []),
    ...(use.processMode === 1 && use.interval > 0 ? [['interval', use.interval] as const] : []),
    ...(manifest.task === 'detector'
      ? detectorEntries(manifest, use, gpu)
      : classifierEntries(manifest, use)),
  ];
  return formatKeyFile(
    `Made from the manifest of ${manifest.name} ${manifest.version}: edit that, not this.`,
    [['property', property], ...classGroups(model, use)],
  );
}

/**
 * Writes the configuration of a model for a use into `directory` and returns its absolute path. The name depends on
 * the content alone, so equal wishes share a file and a running pipeline's file never changes under it.
 */
export async function writeNvinferConfig(
  model: LoadedManifest,
  wishes: Partial<InferUse>,
  directory: string,
): Promise<string> {
  const paths = { onnx: model.onnxFile, labels: model.labelsFile };
  const text = formatNvinferConfig(model, { ...plainUse(model), ...wishes }, paths);
  return writeFileIfChanged(directory, configName(model, text), text);
}

/** Name of a configuration file: by the model and the content. */
export function configName({ manifest }: LoadedManifest, text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${manifest.name}-${digest}.txt`;
}

/** Brings `nvinfer.txt` beside the manifest up to date and returns its absolute path. */
export async function writeOwnNvinferConfig(model: LoadedManifest): Promise<string> {
  const paths = {
    onnx: model.manifest.onnx.file,
    labels: relative(model.folder, model.labelsFile),
  };
  const text = formatNvinferConfig(model, plainUse(model), paths);
  return writeFileIfChanged(model.folder, 'nvinfer.txt', text);
}

function gpuEntries({ calibrationFile }: LoadedManifest, gpu: GpuUse | undefined): Entries {
  if (gpu === undefined) return [];
  const { gpuId, precision, engineFile } = gpu;
  return [
    ['gpu-id', gpuId],
    ['network-mode', NETWORK_MODES[precision]],
    ...(engineFile === undefined ? [] : [['model-engine-file', engineFile] as const]),
    ...(precision === 'int8' && calibrationFile !== undefined
      ? [['int8-calib-file', calibrationFile] as const]
      : []),
  ];
}

function networkEntries(
  { task, input, outputs }: Manifest,
  { batchSize }: InferUse,
  paths: ConfigPaths,
  classes: number,
): Entries {
  const channels = input.colour === 'gray' ? 1 : 3;
  return [
    ['onnx-file', paths.onnx],
    ['labelfile-path', paths.labels],
    ...(task === 'detector' ? [['num-detected-classes', classes] as const] : []),
    ['batch-size', batchSize],
    // nvinfer needs it where the ONNX file leaves sizes open.
    ['infer-dims', [channels, input.height, input.width].join(';')],
    ['network-input-order', input.layout === 'nhwc' ? 1 : 0],
    ['model-color-format', COLOUR_FORMATS[input.colour]],
    ['net-scale-factor', input.scale],
    ...(input.offsets.length > 0 ? [['offsets', input.offsets.join(';')] as const] : []),
    ['maintain-aspect-ratio', input.keepAspect],
    ['symmetric-padding', input.symmetricPadding],
    ['output-blob-names', outputs.map(({ name }) => name).join(';')],
  ];
}

function objectEntries({ operateOn, interval, minWidth, minHeight }: InferUse): Entries {
  const { gieId, classIds } = operateOn ?? {};
  return [
    ...(gieId === undefined ? [] : [['operate-on-gie-id', gieId] as const]),
    ...(classIds === undefined ? [] : [['operate-on-class-ids', classIds.join(';')] as const]),
    ['secondary-reinfer-interval', interval],
    ['input-object-min-width', minWidth],
    ['input-object-min-height', minHeight],
  ];
}

function detectorEntries(
  { parser }: DetectorManifest,
  { dropClassIds }: InferUse,
  gpu: GpuUse | undefined,
): Entries {
  return [
    ['cluster-mode', needsNms(parser) ? NMS : NO_CLUSTERING],
    ['parse-bbox-func-name', PARSER_SYMBOLS[parser]],
    ['custom-lib-path', gpu?.parserLibrary ?? 'libsightline_parsers.so'],
    ...(dropClassIds.length > 0 ? [['filter-out-class-ids', dropClassIds.join(';')] as const] : []),
  ];
}

function classifierEntries(
  { attribute, thresholds }: ClassifierManifest,
  { threshold }: InferUse,
): Entries {
  return [
    ['classifier-type', attribute],
    ['classifier-threshold', threshold ?? thresholds.default],
    // Labels come with the frame they are of.
    ['classifier-async-mode', false],
  ];
}

/** nvinfer reads class groups for detectors alone. */
function classGroups(
  { manifest, labels }: LoadedManifest,
  { threshold }: InferUse,
): [name: string, entries: Entries][] {
  if (manifest.task !== 'detector') return [];
  const { thresholds } = manifest;
  const all = classEntries(manifest, threshold ?? thresholds.default);
  const own = threshold === undefined ? Object.entries(thresholds.classes) : [];
  return [
    ['class-attrs-all', all],
    ...own.map(([label, least]): [string, Entries] => [
      `class-attrs-${labels.indexOf(label)}`,
      classEntries(manifest, least),
    ]),
  ];
}

function classEntries({ parser, nms, topk }: DetectorManifest, threshold: number): Entries {
  return [
    ['pre-cluster-threshold', threshold],
    ...(needsNms(parser) ? [['nms-iou-threshold', nms?.iou ?? DEFAULT_IOU] as const] : []),
    ...(topk === undefined ? [] : [['topk', topk] as const]),
  ];
}
