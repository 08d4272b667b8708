import type { GeneratedFile } from '../../graph.ts';
import type { CheckContext } from '../context.ts';
import type { GraphView, ViewNode } from '../graph-view.ts';
import { numberOf } from '../graph-view.ts';
import { valueIn } from '../key-file.ts';
import { batchOf, MUXERS, muxerOf, padIndexes } from '../rules/common.ts';
import { isPrimary } from '../rules/infer-view.ts';
import { checkAnalyticsFile } from './analytics-file.ts';
import { checkInferServerFile } from './inferserver-file.ts';
import { checkMuxerFile } from './muxer-file.ts';
import { checkNvinferFile } from './nvinfer-file.ts';
import { type FileProblem, fileError } from './problem.ts';
import { checkKeyTable } from './table.ts';
import { checkTrackerFile } from './tracker-file.ts';

/** A node that reads a generated file. */
interface Reader {
  readonly view: GraphView;
  readonly node: ViewNode;
  readonly property: string;
}

/** Properties that take each kind of file. */
const READERS: Readonly<Record<GeneratedFile['kind'], readonly string[]>> = {
  nvinfer: ['nvinfer.config-file-path', 'slinfer.config-file-path'],
  nvinferserver: ['nvinferserver.config-file-path'],
  tracker: ['nvtracker.ll-config-file'],
  analytics: ['nvdsanalytics.config-file', 'slanalytics.config-file'],
  muxer: ['nvstreammux.config-file-path', 'nvmultiurisrcbin.config-file-path'],
  labels: [],
};

/** Every generated file: read by an element that understands it, with keys and values that element knows. */
export function checkFiles(views: readonly GraphView[], context: CheckContext): void {
  for (const file of context.lowered.files) {
    const readers = views.flatMap((view) => readersOf(view, file));
    const [first] = readers;
    if (first === undefined) {
      if (!mentioned(file, context)) reportUnread(file, context);
      continue;
    }
    const wrong = readers.find(
      ({ node, property }) => !READERS[file.kind].includes(`${node.factory}.${property}`),
    );
    if (wrong !== undefined) {
      const text = `"${wrong.property}" names a file for something else (${file.kind})`;
      const more = { property: wrong.property, file: { path: file.path, kind: file.kind } };
      context.report('error', wrong.view, wrong.node, text, more);
      continue;
    }
    const own = checkText(file, first, context);
    const seen = new Set<string>();
    for (const reader of readers) {
      for (const problem of [...own, ...checkPlace(file, reader, context)]) {
        // Several elements read one file: what is wrong with it is told once.
        const key = JSON.stringify(problem);
        if (!seen.has(key)) reportProblem(file, reader, problem, context);
        seen.add(key);
      }
    }
  }
}

function readersOf(view: GraphView, { path }: GeneratedFile): Reader[] {
  return [...view.nodes].flatMap((node) =>
    Object.entries(node.node.properties)
      .filter(([, value]) => value === path)
      .map(([property]) => ({ view, node, property })),
  );
}

/** Labels and models are named in other files. */
function mentioned(file: GeneratedFile, { lowered }: CheckContext): boolean {
  return lowered.files.some((other) => other !== file && other.text.includes(file.path));
}

function reportUnread(file: GeneratedFile, context: CheckContext): void {
  const { path, kind, origin } = file;
  context.findings.push({
    level: 'warning',
    pointer: origin,
    graph: '',
    node: '',
    factory: '',
    file: { path, kind },
    message: `${kind} file ${path}: no element reads it`,
  });
}

/** What is wrong with the text, whoever reads it. */
function checkText(file: GeneratedFile, { node }: Reader, context: CheckContext): FileProblem[] {
  const { keys, elements } = context;
  const platform = { name: elements.platform, family: elements.family };
  const table = keys.files[file.kind];
  const groups = context.keyFile(file);
  if (groups !== undefined && table !== undefined) {
    const shape = /\.ya?ml$/.test(file.path)
      ? [fileError('would be read as YAML by its name, and is written as INI: name it .txt')]
      : checkKeyTable(groups, table);
    if (file.kind !== 'nvinfer' || node.factory === 'slinfer') return shape;
    return [...shape, ...checkNvinferFile(groups, platform), ...checkLabels(file, context)];
  }
  return file.kind === 'tracker' && table !== undefined
    ? checkTrackerFile(file.text, table, platform)
    : [];
}

/** A detector has a label for each class. */
function checkLabels(file: GeneratedFile, context: CheckContext): FileProblem[] {
  const groups = context.keyFile(file)!;
  const path = valueIn(groups, 'property', 'labelfile-path');
  const labels = context.lowered.files.find((other) => other.path === path);
  if (labels === undefined || (valueIn(groups, 'property', 'network-type') ?? '0') !== '0') {
    return [];
  }
  const count = Number(valueIn(groups, 'property', 'num-detected-classes') ?? 0);
  const lines = labels.text.split('\n').filter((line) => line.trim() !== '').length;
  if (lines === count) return [];
  const text = `names a file of ${lines} labels, but "num-detected-classes" is ${count}`;
  return [fileError(text, { group: 'property', key: 'labelfile-path' })];
}

/** What is wrong with it where this node stands. */
function checkPlace(file: GeneratedFile, { node }: Reader, context: CheckContext): FileProblem[] {
  const muxer = MUXERS.includes(node.factory) ? node : muxerOf(node);
  const groups = context.keyFile(file);
  if (file.kind === 'analytics' && groups !== undefined) {
    return checkAnalyticsFile(groups, streamsOf(node, muxer));
  }
  if (file.kind === 'muxer' && groups !== undefined) {
    const batch = batchOf(node);
    const own = batch === undefined ? {} : { batch };
    const linked = node.into.length;
    return checkMuxerFile(groups, { pads: padIndexes(node), linked, ...own });
  }
  if (file.kind === 'nvinferserver') {
    const set = (numberOf(node, 'batch-size') ?? 0) > 0;
    const batch =
      muxer === undefined || set || !isPrimary(node, context) ? undefined : batchOf(muxer);
    return checkInferServerFile(file.text, context.keys.textProto, batch);
  }
  return [];
}

/** Numbers of the streams that reach the node; undefined where they come and go, or have no number. */
function streamsOf(node: ViewNode, muxer: ViewNode | undefined): readonly number[] | undefined {
  if (node.factory === 'slanalytics' || muxer?.factory !== 'nvstreammux') return undefined;
  const pads = padIndexes(muxer);
  return pads.length === muxer.into.length ? pads : undefined;
}

function reportProblem(
  { path, kind, origin }: GeneratedFile,
  { view, node, property }: Reader,
  { level, group, key, line, message }: FileProblem,
  context: CheckContext,
): void {
  const where = [
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(group === undefined ? [] : [`[${group}]`]),
    ...(key === undefined ? [] : [`"${key}"`]),
  ].join(' ');
  const text = `its ${kind} file${where === '' ? '' : `, ${where}`}: ${message}`;
  const place = {
    path,
    kind,
    ...(group === undefined ? {} : { group }),
    ...(key === undefined ? {} : { key }),
    ...(line === undefined ? {} : { line }),
  };
  context.report(level, view, node, text, { property, file: place, pointer: origin });
}
