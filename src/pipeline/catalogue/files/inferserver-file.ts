import { didYouMean } from '../../../common/near.ts';
import { own } from '../elements.ts';
import type { ProtoField, ProtoTable } from '../keys.ts';
import { type FileProblem, fileError, fileWarning } from './problem.ts';
import {
  type ProtoEntry,
  type ProtoMessage,
  ProtoSyntaxError,
  type ProtoValue,
  parseTextProto,
} from './text-proto.ts';

/**
 * nvinferserver's file: fields of its messages, each with a value of its type, and what a model needs.
 * @param batch frames the muxer puts in a batch, where that is known
 */
export function checkInferServerFile(
  text: string,
  table: ProtoTable,
  batch: number | undefined,
): FileProblem[] {
  let root: ProtoMessage;
  try {
    root = parseTextProto(text);
  } catch (error) {
    if (!(error instanceof ProtoSyntaxError)) throw error;
    return [fileError(`cannot be read: ${error.message}`, { line: error.line })];
  }
  const problems: FileProblem[] = [];
  checkMessage(root, table.root, '', table, problems);
  return [...problems, ...checkNeeds(root, batch)];
}

/** Keys of a message are told by their path: `infer_config.backend.triton`. */
function checkMessage(
  { fields }: ProtoMessage,
  type: string,
  path: string,
  table: ProtoTable,
  problems: FileProblem[],
): void {
  const known = own(table.messages, type) ?? {};
  const seen = new Set<string>();
  const chosen = new Map<string, string>();
  for (const entry of fields) {
    const field = own(known, entry.name);
    const place = { group: type, key: join(path, entry.name), line: entry.line };
    if (field === undefined) {
      const hint = didYouMean(entry.name, Object.keys(known));
      problems.push(fileError(`${type} has no field "${entry.name}"${hint}`, place));
      continue;
    }
    const single = field.repeated !== true && field.map === undefined;
    if (single && seen.has(entry.name)) {
      problems.push(fileError('stands here twice, and is one value', place));
    }
    seen.add(entry.name);
    const other = field.oneOf === undefined ? undefined : chosen.get(field.oneOf);
    if (other !== undefined && other !== entry.name) {
      problems.push(fileError(`and "${other}" exclude each other: only one can be set`, place));
    }
    if (field.oneOf !== undefined) chosen.set(field.oneOf, entry.name);
    checkField(entry, field, place, table, problems);
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function checkField(
  { value }: ProtoEntry,
  field: ProtoField,
  place: { group: string; key: string; line: number },
  table: ProtoTable,
  problems: FileProblem[],
): void {
  if (field.map !== undefined || own(table.messages, field.type) !== undefined) {
    if (value.kind !== 'message') {
      problems.push(fileError('takes a message { ... }', place));
    } else if (field.map === undefined) {
      checkMessage(value.message, field.type, place.key, table, problems);
    } else {
      checkMapEntry(value.message, field, place, table, problems);
    }
    return;
  }
  const problem = scalarProblem(value, field.type, table);
  if (problem !== undefined) problems.push(fileError(problem, place));
}

/** An entry of a map is a message of `key` and `value`. */
function checkMapEntry(
  { fields }: ProtoMessage,
  { map = '', type }: ProtoField,
  place: { group: string; key: string; line: number },
  table: ProtoTable,
  problems: FileProblem[],
): void {
  const shape: Record<string, ProtoField> = { key: { type: map }, value: { type } };
  for (const entry of fields) {
    const at = { ...place, key: `${place.key}.${entry.name}`, line: entry.line };
    const field = own(shape, entry.name);
    if (field === undefined) problems.push(fileError('a map has "key" and "value" only', at));
    else checkField(entry, field, at, table, problems);
  }
}

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

function scalarProblem(value: ProtoValue, type: string, table: ProtoTable): string | undefined {
  if (value.kind === 'message') return `takes a ${type}, not a message`;
  if (type === 'string') return value.kind === 'string' ? undefined : 'takes text in quotes';
  const { text } = value;
  const shown = JSON.stringify(text.slice(0, 40));
  const names = own(table.enums, type);
  if (names !== undefined) {
    const fits = Object.hasOwn(names, text) || Object.values(names).includes(Number(text));
    if (fits && value.kind === 'word') return undefined;
    return `takes one of ${Object.keys(names).join(', ')}, not ${shown}${didYouMean(text, Object.keys(names))}`;
  }
  if (value.kind === 'string') return `takes a ${type}, not text in quotes`;
  if (type === 'bool') {
    return /^(true|false|t|f|True|False|0|1)$/.test(text)
      ? undefined
      : `takes true or false, not ${shown}`;
  }
  if (type === 'float') {
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?f?$/i.test(text)
      ? undefined
      : `takes a number, not ${shown}`;
  }
  const limits = own(INTEGERS, type);
  if (limits === undefined) return undefined;
  const whole = /^-?\d+$/.test(text) && BigInt(text) >= limits[0] && BigInt(text) <= limits[1];
  return whole ? undefined : `takes a whole number (${type}), not ${shown}`;
}

function find(message: ProtoMessage | undefined, name: string): ProtoEntry | undefined {
  return message?.fields.find((field) => field.name === name);
}

function messageAt(message: ProtoMessage | undefined, name: string): ProtoMessage | undefined {
  const value = find(message, name)?.value;
  return value?.kind === 'message' ? value.message : undefined;
}

function checkNeeds(root: ProtoMessage, batch: number | undefined): FileProblem[] {
  const problems: FileProblem[] = [];
  const config = messageAt(root, 'infer_config');
  const line = find(root, 'infer_config')?.line ?? 1;
  const missing = (key: string, text: string) =>
    problems.push(fileError(text, { group: 'InferenceConfig', key, line }));
  if (config === undefined) {
    missing('infer_config', 'is missing: it names the model');
    return problems;
  }
  const backend = messageAt(config, 'backend');
  const triton = messageAt(backend, 'triton') ?? messageAt(backend, 'trt_is');
  if (triton === undefined) {
    missing('infer_config.backend.triton', 'is missing: it names the model');
  } else {
    if (find(triton, 'model_name') === undefined) {
      missing('infer_config.backend.triton.model_name', 'is missing');
    }
    if (find(triton, 'model_repo') === undefined && find(triton, 'grpc') === undefined) {
      const text = 'needs "model_repo" (in this process) or "grpc" (a server)';
      missing('infer_config.backend.triton', text);
    }
  }
  const detection = messageAt(messageAt(config, 'postprocess'), 'detection');
  if (detection !== undefined && find(detection, 'num_detected_classes') === undefined) {
    missing('infer_config.postprocess.detection.num_detected_classes', 'is missing');
  }
  const size = find(config, 'max_batch_size');
  const most = size?.value.kind === 'word' ? Number(size.value.text) : undefined;
  if (size !== undefined && batch !== undefined && most !== undefined && most < batch) {
    const text = `is ${most}, but the muxer makes batches of ${batch}: each takes several runs`;
    const at = { group: 'InferenceConfig', key: 'infer_config.max_batch_size', line: size.line };
    problems.push(fileWarning(text, at));
  }
  return problems;
}
