import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { writeFileIfChanged } from '../common/files.ts';
import { type LoadedManifest, type Manifest, needsNms } from './manifest.ts';

/** What one stream or pipeline wants otherwise than the model's manifest. */
export interface InferOverrides {
  /** Least score, for all classes. */
  readonly threshold?: number;
  /** Classes to keep, by index; absent: all. */
  readonly classIds?: readonly number[];
}

/** Symbols of the parsers, as nvinfer's `parse-bbox-func-name` and slinfer know them. */
const PARSER_SYMBOLS: Readonly<Record<Manifest['parser'], string>> = {
  centernet: 'SightlineParseCenterNet',
  yolov8: 'SightlineParseYoloV8',
  yolov5: 'SightlineParseYoloV5',
  yolox: 'SightlineParseYoloX',
  ssd: 'SightlineParseSsd',
  detr: 'SightlineParseDetr',
};

const COLOUR_FORMATS: Readonly<Record<Manifest['input']['colour'], number>> = {
  rgb: 0,
  bgr: 1,
  gray: 2,
};

const NMS = 2;
const NO_CLUSTERING = 4;
const DEFAULT_IOU = 0.45;

type Entries = readonly (readonly [key: string, value: string | number])[];

/**
 * Text of the nvinfer configuration (INI form) of a model.
 * @param paths how the model and the labels are named in it; relative paths start at the configuration's folder.
 */
export function formatNvinferConfig(
  model: LoadedManifest,
  overrides: InferOverrides,
  paths: { readonly onnx: string; readonly labels: string },
): string {
  const { manifest } = model;
  const groups: [string, Entries][] = [
    ['property', propertyEntries(model, overrides, paths)],
    ['class-attrs-all', classEntries(manifest, overrides.threshold ?? manifest.thresholds.default)],
  ];
  if (overrides.threshold === undefined) {
    for (const [label, threshold] of Object.entries(manifest.thresholds.classes)) {
      const group = `class-attrs-${model.labels.indexOf(label)}`;
      groups.push([group, classEntries(manifest, threshold)]);
    }
  }
  const body = groups.map(([name, entries]) => {
    const lines = entries.map(([key, value]) => `${key}=${value}`);
    return [`[${name}]`, ...lines, ''].join('\n');
  });
  return `# Made from the manifest of ${manifest.name} ${manifest.version}: edit that, not this.\n${body.join('\n')}`;
}

/**
 * Writes the configuration of a model with overrides into `directory` and returns its absolute path. The name depends
 * on the content alone, so equal wishes share a file and a running pipeline's file never changes under it.
 */
export async function writeNvinferConfig(
  model: LoadedManifest,
  overrides: InferOverrides,
  directory: string,
): Promise<string> {
  const paths = { onnx: model.onnxFile, labels: model.labelsFile };
  const text = formatNvinferConfig(model, overrides, paths);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return writeFileIfChanged(directory, `${model.manifest.name}-${digest}.txt`, text);
}

/** Brings `nvinfer.txt` beside the manifest up to date and returns its absolute path. */
export async function writeOwnNvinferConfig(model: LoadedManifest): Promise<string> {
  const paths = {
    onnx: model.manifest.onnx.file,
    labels: relative(model.folder, model.labelsFile),
  };
  return writeFileIfChanged(model.folder, 'nvinfer.txt', formatNvinferConfig(model, {}, paths));
}

function propertyEntries(
  { manifest, labels }: LoadedManifest,
  { classIds }: InferOverrides,
  paths: { readonly onnx: string; readonly labels: string },
): Entries {
  const { input, outputs, parser } = manifest;
  const channels = input.colour === 'gray' ? 1 : 3;
  const dropped = classIds && labels.map((_, id) => id).filter((id) => !classIds.includes(id));
  return [
    ['gie-unique-id', 1],
    ['process-mode', 1],
    ['network-type', 0],
    ['onnx-file', paths.onnx],
    ['labelfile-path', paths.labels],
    ['num-detected-classes', labels.length],
    ['batch-size', 1],
    ['infer-dims', [channels, input.height, input.width].join(';')],
    ['network-input-order', input.layout === 'nhwc' ? 1 : 0],
    ['model-color-format', COLOUR_FORMATS[input.colour]],
    ['net-scale-factor', input.scale],
    ...(input.offsets.length > 0 ? [['offsets', input.offsets.join(';')] as const] : []),
    ['maintain-aspect-ratio', Number(input.keepAspect)],
    ['symmetric-padding', Number(input.symmetricPadding)],
    ['output-blob-names', outputs.map(({ name }) => name).join(';')],
    ['cluster-mode', needsNms(parser) ? NMS : NO_CLUSTERING],
    ['parse-bbox-func-name', PARSER_SYMBOLS[parser]],
    ['custom-lib-path', 'libsightline_parsers.so'],
    ...(dropped && dropped.length > 0
      ? [['filter-out-class-ids', dropped.join(';')] as const]
      : []),
  ];
}

function classEntries({ parser, nms, topk }: Manifest, threshold: number): Entries {
  return [
    ['pre-cluster-threshold', threshold],
    ...(needsNms(parser) ? [['nms-iou-threshold', nms?.iou ?? DEFAULT_IOU] as const] : []),
    ...(topk === undefined ? [] : [['topk', topk] as const]),
  ];
}
