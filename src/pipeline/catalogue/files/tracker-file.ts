import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { nearMatches } from '../../../common/near.ts';
import type { Family } from '../catalogue.ts';
import { own } from '../elements.ts';
import type { FileTable, KeyEntry } from '../keys.ts';
import { type FileProblem, fileError, fileWarning } from './problem.ts';
import { keysOf } from './table.ts';

/** The library is closed and its list of keys incomplete: only what is nearly a known name counts as a slip. */
const SLIPS = 2;

interface Entry {
  readonly key: string;
  readonly value: unknown;
  readonly line: number;
}

/** Sections, keys and values of a low-level tracker file. */
export function checkTrackerFile(
  text: string,
  table: FileTable,
  platform: { readonly name: string; readonly family: Family },
): FileProblem[] {
  const { sections, problems } = readSections(text);
  for (const required of table.requiredGroups) {
    if (problems.length === 0 && !sections.has(required)) {
      problems.push(fileError(`section ${required} is missing`, { group: required }));
    }
  }
  for (const [name, { line, entries }] of sections) {
    const keys = keysOf(table, name);
    const place = { group: name, line };
    if (keys === undefined) {
      problems.push(unknown('section', name, Object.keys(table.groups), place));
      continue;
    }
    for (const entry of entries) {
      const at = { group: name, key: entry.key, line: entry.line };
      const known = own(keys, entry.key);
      if (known === undefined) problems.push(unknown('key', entry.key, Object.keys(keys), at));
      const problem = known === undefined ? undefined : valueProblem(known, entry.value);
      if (problem !== undefined) {
        problems.push(fileError(`${problem}; it is ${JSON.stringify(entry.value)}`, at));
      }
    }
  }
  return [...problems, ...checkNeeds(sections, platform)];
}

type Sections = Map<string, { line: number; entries: Entry[] }>;

/** NVIDIA's files have OpenCV's `%YAML:1.0`, which is no directive of YAML, before the sections. */
function readSections(text: string): { sections: Sections; problems: FileProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^%YAML:/m, '#YAML:'), {
    lineCounter: lines,
    version: '1.1',
  });
  const lineAt = (offset: number | undefined) => lines.linePos(offset ?? 0).line;
  const problems: FileProblem[] = document.errors.map(({ message, pos }) =>
    fileError(`is not YAML: ${message.split('\n')[0]}`, { line: lineAt(pos[0]) }),
  );
  const sections: Sections = new Map();
  if (problems.length > 0 || !isMap(document.contents)) {
    if (problems.length === 0) problems.push(fileError('has no sections', { line: 1 }));
    return { sections, problems };
  }
  for (const { key, value } of document.contents.items) {
    if (!isScalar(key)) continue;
    const line = lineAt(key.range?.[0]);
    const name = String(key.value);
    // An empty section is fine: its values are the defaults.
    const items = isMap(value) ? value.items : [];
    if (!isMap(value) && !(isScalar(value) && value.value === null) && value !== null) {
      problems.push(fileError('is a section, not a value', { group: name, line }));
    }
    const entries = items.flatMap((item): Entry[] => {
      if (!isScalar(item.key)) return [];
      const plain: unknown = isScalar(item.value) ? item.value.value : toPlain(item.value);
      return [{ key: String(item.key.value), value: plain, line: lineAt(item.key.range?.[0]) }];
    });
    sections.set(name, { line, entries });
  }
  return { sections, problems };
}

function toPlain(node: unknown): unknown {
  const { toJSON } = (node ?? {}) as { toJSON?: () => unknown };
  return toJSON === undefined ? node : toJSON.call(node);
}

function unknown(
  what: string,
  name: string,
  known: readonly string[],
  place: { group: string; key?: string; line: number },
): FileProblem {
  const near = nearMatches(name, known, SLIPS);
  const text = `there is no ${what} "${name}"`;
  if (near.length === 0)
    return fileWarning(`${text} in the tables, which may be incomplete`, place);
  return fileError(`${text}; did you mean ${near.map((n) => `"${n}"`).join(' or ')}?`, place);
}

function valueProblem(entry: KeyEntry, value: unknown): string | undefined {
  const { type } = entry;
  if (type === 'bool') {
    return typeof value === 'boolean' || value === 0 || value === 1 ? undefined : 'takes 0 or 1';
  }
  if (type.endsWith(' list')) return listProblem(entry, value);
  if (type === 'string' || type === 'path') {
    return typeof value === 'string' || typeof value === 'number' ? undefined : 'takes text';
  }
  return type === 'int' || type === 'float' ? numberProblem(entry, value) : undefined;
}

function listProblem(entry: KeyEntry, value: unknown): string | undefined {
  const { type, count } = entry;
  if (!Array.isArray(value)) return type === 'string list' ? undefined : 'takes a list [a, b]';
  const numbers = type !== 'string list';
  if (numbers && value.some((item) => numberProblem(entry, item) !== undefined)) {
    return type === 'int list' ? 'takes a list of whole numbers' : 'takes a list of numbers';
  }
  const [least = 0, most = null] = count ?? [];
  if (value.length >= least && (most === null || value.length <= most)) return undefined;
  return `takes ${least} numbers, and has ${value.length}`;
}

function numberProblem({ type, min, max, oneOf }: KeyEntry, value: unknown): string | undefined {
  const whole = type.startsWith('int');
  if (typeof value !== 'number' || (whole && !Number.isInteger(value))) {
    return whole ? 'takes a whole number' : 'takes a number';
  }
  if (oneOf !== undefined && !oneOf.includes(value)) return `takes one of ${oneOf.join(', ')}`;
  if (min !== undefined && value < min) return `takes at least ${min}`;
  return max !== undefined && value > max ? `takes at most ${max}` : undefined;
}

/** What a section needs of the others and of the platform. */
function checkNeeds(
  sections: Sections,
  { name, family }: { readonly name: string; readonly family: Family },
): FileProblem[] {
  const problems: FileProblem[] = [];
  const find = (section: string, key: string) =>
    sections.get(section)?.entries.find((entry) => entry.key === key);
  const model = ['onnxFile', 'tltEncodedModel', 'modelEngineFile'];
  const reid = find('ReID', 'reidType');
  if (Number(reid?.value ?? 0) > 0 && model.every((key) => find('ReID', key) === undefined)) {
    const text = `needs a model: one of ${model.join(', ')}`;
    problems.push(fileError(text, { group: 'ReID', key: 'reidType', line: reid!.line }));
  }
  const backend = find('VisualTracker', 'vpiBackend4DcfTracker');
  if (backend?.value === 2 && family !== 'jetson') {
    const at = { group: 'VisualTracker', key: backend.key, line: backend.line };
    problems.push(fileError(`2 (PVA) is a unit of Jetson: ${name} has 1 (CUDA)`, at));
  }
  const estimator = find('StateEstimator', 'stateEstimatorType');
  if (
    estimator?.value === 3 &&
    find('ObjectModelProjection', 'cameraModelFilepath') === undefined
  ) {
    const at = { group: 'StateEstimator', key: estimator.key, line: estimator.line };
    problems.push(fileError('3 needs ObjectModelProjection with "cameraModelFilepath"', at));
  }
  return problems;
}
