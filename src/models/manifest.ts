import { join, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { childPointer, problemsError, type ValueProblem } from '../common/check.ts';
import { type Document, loadDocument } from '../common/document.ts';
import type { SightlineError } from '../common/errors.ts';
import { defaulted, oneOf, strictObject, tagged } from '../common/schema.ts';
import { readAttributeLabels, readLabels } from './labels.ts';

/** Names of models: safe as folder and file names. */
export const MODEL_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';
/** File of a model's folder that describes it. */
export const MANIFEST_FILE = 'model.yaml';

const SHA256 = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 in lower-case hex' });
const PATH = Type.String({
  pattern: '^[^\\u0000-\\u001f;\\\\]+$',
  maxLength: 1024,
  description: 'A path with / between folders, relative to the manifest',
});
const SCORE = Type.Number({ minimum: 0, maximum: 1 });
const SIZE = Type.Integer({ minimum: 16, maximum: 8192 });

/** Where the ONNX file, or what it is made from, comes from. */
const Source = tagged('kind', [
  strictObject({
    kind: Type.Literal('package'),
    package: Type.String({ minLength: 1, description: 'Installed npm package' }),
    files: Type.Array(strictObject({ path: PATH, sha256: SHA256 }), {
      minItems: 1,
      description: 'Files of the package; with `convert` the first is the one to convert',
    }),
  }),
  strictObject({
    kind: Type.Literal('url'),
    url: Type.String({ pattern: '^https?://', description: 'Where the ONNX file is downloaded' }),
  }),
  strictObject({
    kind: Type.Literal('local'),
    origin: Type.String({ description: 'Free text: who made the file, and how' }),
  }),
]);

/** What both kinds have. */
const common = {
  name: Type.String({
    pattern: MODEL_NAME_PATTERN,
    description: 'Equal to the name of the folder',
  }),
  version: Type.String({ minLength: 1, maxLength: 64 }),
  licence: Type.String({ minLength: 1, description: 'SPDX identifier' }),
  description: defaulted(Type.String(), ''),
  source: Source,
  onnx: strictObject({
    file: defaulted(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*\\.onnx$' }), 'model.onnx'),
    sha256: Type.Optional(SHA256),
  }),
  input: strictObject({
    name: Type.String({ minLength: 1 }),
    width: SIZE,
    height: SIZE,
    layout: defaulted(oneOf(['nchw', 'nhwc']), 'nchw'),
    colour: defaulted(oneOf(['rgb', 'bgr', 'gray']), 'rgb'),
    scale: defaulted(Type.Number({ exclusiveMinimum: 0 }), 1),
    offsets: defaulted(
      Type.Array(Type.Number(), { maxItems: 3, description: 'Subtracted before scaling' }),
      [],
    ),
    keepAspect: defaulted(Type.Boolean(), false),
    symmetricPadding: defaulted(Type.Boolean(), false),
  }),
  outputs: Type.Array(
    strictObject({
      name: Type.String({ minLength: 1, pattern: '^[^;\\u0000-\\u001f]+$' }),
      shape: Type.Array(
        Type.Unsafe<number | string>({ type: ['integer', 'string'], minimum: 1, minLength: 1 }),
        { minItems: 1, maxItems: 8, description: 'Sizes; a name for one that is free' },
      ),
    }),
    { minItems: 1, maxItems: 8 },
  ),
  labels: PATH,
  calibration: Type.Optional(
    Type.String({
      ...PATH,
      description: 'TensorRT calibration table, relative to the manifest; int8 needs it',
    }),
  ),
  batch: oneOf(['dynamic', 'fixed'], { description: 'fixed: the ONNX file takes one frame' }),
};

/** A model that finds boxes in pictures. */
const DetectorManifest = strictObject({
  task: defaulted(Type.Literal('detector'), 'detector'),
  ...common,
  convert: Type.Optional(oneOf(['centernet'], { description: 'Recipe that makes the ONNX file' })),
  parser: oneOf(['centernet', 'yolov8', 'yolov5', 'yolox', 'ssd', 'detr']),
  thresholds: strictObject({
    default: SCORE,
    classes: defaulted(
      Type.Record(Type.String(), SCORE, { description: 'Least score by label' }),
      {},
    ),
  }),
  nms: Type.Optional(
    strictObject({ iou: SCORE }, { description: 'Overlap from which boxes are one. Default 0.45' }),
  ),
  topk: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: 'Objects kept of each class' }),
  ),
});
export type DetectorManifest = Static<typeof DetectorManifest>;

/** A model that names one attribute of an object: its colour, make, posture. */
const ClassifierManifest = strictObject({
  task: Type.Literal('classifier'),
  ...common,
  attribute: Type.String({
    pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}$',
    description: 'What the labels are values of (nvinfer: classifier-type)',
  }),
  logits: defaulted(
    Type.Boolean({
      description:
        'The ONNX file ends without a softmax: `models add` appends one, because nvinfer reads probabilities',
    }),
    false,
  ),
  thresholds: strictObject({ default: SCORE }),
});
export type ClassifierManifest = Static<typeof ClassifierManifest>;

/** What `models/<name>/model.yaml` may hold. Unknown keys are refused. */
export const ManifestSchema = tagged('task', [DetectorManifest, ClassifierManifest], {
  description: 'A model; `task` may be left out of a detector',
});
export type Manifest = DetectorManifest | ClassifierManifest;

/** A manifest that was read and is sound in itself, with its labels. Paths are absolute. */
export interface LoadedManifest {
  readonly manifest: Manifest;
  readonly folder: string;
  readonly file: string;
  readonly onnxFile: string;
  readonly labelsFile: string;
  /** By class; of a classifier: the values of its attribute. */
  readonly labels: readonly string[];
  readonly calibrationFile?: string;
}

/** Parsers that pick peaks or queries themselves: overlapping boxes of one object do not occur. */
export function needsNms(parser: DetectorManifest['parser']): boolean {
  return parser !== 'centernet' && parser !== 'detr';
}

/**
 * Reads a manifest with its labels.
 * @param file path of the manifest.
 * @throws SightlineError `SL_MODEL_NOT_FOUND` when there is no such file or no labels, `SL_MODEL_INVALID` with every
 * problem and its position otherwise.
 */
export async function loadManifest(file: string): Promise<LoadedManifest> {
  const document = await loadDocument(file, ManifestSchema, { code: 'SL_MODEL_INVALID' });
  const manifest: Manifest = document.value;
  const folder = resolve(file, '..');
  const labelsFile = resolve(folder, manifest.labels);
  const isDetector = manifest.task === 'detector';
  const labels = await (isDetector ? readLabels(labelsFile) : readAttributeLabels(labelsFile));
  const problems = [
    ...findInputContradictions(manifest),
    ...(isDetector ? findDetectorContradictions(manifest) : []),
    ...(isDetector ? findUnknownLabels(manifest, labels) : []),
  ];
  if (problems.length > 0) throw manifestError(document, problems);
  const onnxFile = join(folder, manifest.onnx.file);
  const { calibration } = manifest;
  return {
    ...{ manifest, folder, file, onnxFile, labelsFile, labels },
    ...(calibration === undefined ? {} : { calibrationFile: resolve(folder, calibration) }),
  };
}

function manifestError(document: Document<unknown>, problems: ValueProblem[]): SightlineError {
  return problemsError(document.locate(problems), {
    code: 'SL_MODEL_INVALID',
    subject: document.file,
  });
}

function findDetectorContradictions(manifest: DetectorManifest): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const { source, convert, parser, nms } = manifest;
  if (convert !== undefined && source.kind !== 'package') {
    problems.push({ pointer: '/convert', message: 'needs a source of the kind package' });
  }
  if (nms !== undefined && !needsNms(parser)) {
    problems.push({ pointer: '/nms', message: `has no effect with ${parser}: remove it` });
  }
  return problems;
}

function findInputContradictions({ input }: Manifest): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const channels = input.colour === 'gray' ? 1 : 3;
  if (input.offsets.length > 0 && input.offsets.length !== channels) {
    const message = `must have ${channels} numbers for ${input.colour}`;
    problems.push({ pointer: '/input/offsets', message });
  }
  if (input.symmetricPadding && !input.keepAspect) {
    const message = 'has no effect without keepAspect: remove it';
    problems.push({ pointer: '/input/symmetricPadding', message });
  }
  return problems;
}

function findUnknownLabels(manifest: DetectorManifest, labels: readonly string[]): ValueProblem[] {
  return Object.keys(manifest.thresholds.classes)
    .filter((label) => !labels.includes(label))
    .map((label) => ({
      pointer: childPointer('/thresholds/classes', label),
      message: `is no label of ${manifest.labels}`,
      at: 'key',
    }));
}
