import type { Family } from '../catalogue.ts';
import { type KeyFile, type KeyGroup, valueIn } from '../key-file.ts';
import { listItems } from './key-value.ts';
import { type FileProblem, fileError, fileWarning } from './problem.ts';

/** What a model can be read from. */
const MODELS = [
  'onnx-file',
  'model-engine-file',
  'tlt-encoded-model',
  'model-file',
  'uff-file',
  'custom-network-config',
  'engine-create-func-name',
];
/** Keys that name a function of the custom library. */
const SYMBOLS = [
  'parse-bbox-func-name',
  'parse-bbox-instance-mask-func-name',
  'parse-segmentation-func-name',
  'parse-classifier-func-name',
  'engine-create-func-name',
];
/** Network types whose class groups are read. */
const WITH_CLASSES = ['0', '3'];

/** What keys of an nvinfer file need of each other and of the platform. */
export function checkNvinferFile(
  file: KeyFile,
  platform: { readonly name: string; readonly family: Family },
): FileProblem[] {
  const property = file.groups.find(({ name }) => name === 'property');
  if (property === undefined) return [];
  const value = (key: string) => valueIn(file, 'property', key);
  const place = (key: string) => placeOf(property, key);
  const problems: FileProblem[] = [];
  // The old way to say that a model is a classifier.
  const type = value('network-type') ?? (value('is-classifier') === '1' ? '1' : '0');
  if (MODELS.every((key) => value(key) === undefined)) {
    const text = `names no model: one of ${MODELS.slice(0, 3).join(', ')} is needed`;
    problems.push(fileError(text, { group: 'property', line: property.line }));
  }
  const symbol = SYMBOLS.find((key) => value(key) !== undefined);
  if (symbol !== undefined && value('custom-lib-path') === undefined) {
    problems.push(fileError('needs "custom-lib-path", the library it is in', place(symbol)));
  }
  const channels = listItems(value('infer-dims') ?? '')[0];
  const offsets = value('offsets') === undefined ? undefined : listItems(value('offsets')!).length;
  if (channels !== undefined && offsets !== undefined && offsets !== Number(channels)) {
    const text = `has ${offsets} numbers, but "infer-dims" has ${channels} channels`;
    problems.push(fileError(text, place('offsets')));
  }
  if (value('symmetric-padding') === '1' && value('maintain-aspect-ratio') !== '1') {
    const text = 'has no effect without "maintain-aspect-ratio=1"';
    problems.push(fileWarning(text, place('symmetric-padding')));
  }
  if (value('network-mode') === '1' && value('int8-calib-file') === undefined) {
    const text = 'INT8 needs "int8-calib-file", unless the model carries its own ranges';
    problems.push(fileWarning(text, place('network-mode')));
  }
  problems.push(...checkClasses(file, property, type));
  problems.push(...checkPlatform(property, value, platform));
  return problems;
}

function checkClasses(file: KeyFile, property: KeyGroup, type: string): FileProblem[] {
  const problems: FileProblem[] = [];
  const count = Number(valueIn(file, 'property', 'num-detected-classes') ?? 0);
  if (WITH_CLASSES.includes(type) && count === 0) {
    const at = { group: 'property', key: 'num-detected-classes', line: property.line };
    problems.push(fileError('must say how many classes a detector has', at));
    return problems;
  }
  for (const group of file.groups) {
    const id = /^class-attrs-(\d+|all)$/.exec(group.name)?.[1];
    if (id === undefined) continue;
    const at = { group: group.name, line: group.line };
    if (!WITH_CLASSES.includes(type)) {
      const text = `is not read with "network-type" ${type}: only detectors have class groups`;
      problems.push(fileWarning(text, at));
    } else if (id !== 'all' && Number(id) >= count) {
      const text = `is about class ${id}, but "num-detected-classes" is ${count}: the last is ${count - 1}`;
      problems.push(fileError(text, at));
    }
  }
  const dropped = listItems(valueIn(file, 'property', 'filter-out-class-ids') ?? '');
  const beyond = dropped.find((id) => Number(id) >= count);
  if (WITH_CLASSES.includes(type) && beyond !== undefined) {
    const text = `names class ${beyond}, but "num-detected-classes" is ${count}`;
    problems.push(fileError(text, placeOf(property, 'filter-out-class-ids')));
  }
  return problems;
}

function checkPlatform(
  property: KeyGroup,
  value: (key: string) => string | undefined,
  { name, family }: { readonly name: string; readonly family: Family },
): FileProblem[] {
  const problems: FileProblem[] = [];
  if (value('enable-dla') === '1' && (family !== 'jetson' || name === 'orin-nano')) {
    const text = `must be 0 on ${name}: it has no DLA`;
    problems.push(fileError(text, placeOf(property, 'enable-dla')));
  }
  if (value('scaling-compute-hw') === '2' && family !== 'jetson') {
    const text = '2 (VIC) is a unit of Jetson: use 0 or 1 (GPU) here';
    problems.push(fileError(text, placeOf(property, 'scaling-compute-hw')));
  }
  return problems;
}

/** Where a key stands; its group's head where it does not. */
export function placeOf(
  group: KeyGroup,
  key: string,
): { group: string; key: string; line: number } {
  const entry = group.entries.findLast((line) => line.key === key);
  return { group: group.name, key, line: entry?.line ?? group.line };
}
