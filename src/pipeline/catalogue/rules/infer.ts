import type { CheckContext } from '../context.ts';
import { type GraphView, upstream, type ViewNode } from '../graph-view.ts';
import { batchOf, INFERENCE, isSet, muxerOf, textOf, unattended } from './common.ts';
import { inferKey, inferNumber, isPrimary } from './infer-view.ts';

/** Models: batches as the muxer makes them, numbers that are told apart, and objects to work on. */
export function checkInference(view: GraphView, context: CheckContext): void {
  const nodes = view.of(...INFERENCE);
  checkUnique(view, nodes, context);
  for (const node of nodes) {
    if (isPrimary(node, context)) checkBatch(view, node, context);
    else checkSecondary(view, node, context);
    checkTensors(view, node, context);
    checkLists(view, node, context);
  }
  for (const node of view.of('nvdspostprocess')) checkPostprocess(view, node, context);
}

/** An engine is built for its batch: with the muxer's it is built once and never starved. */
function checkBatch(view: GraphView, node: ViewNode, context: CheckContext): void {
  if (node.factory !== 'nvinfer') return;
  const muxer = muxerOf(node);
  const batch = muxer === undefined ? undefined : batchOf(muxer);
  const own = inferNumber(node, 'batch-size', context);
  if (batch === undefined || own === undefined || own === batch) return;
  const text = `"batch-size" is ${own}, but "${muxer!.id}" makes batches of ${batch}: a detector must have the same`;
  context.report(unattended(view), view, node, text, { property: 'batch-size' });
}

function checkUnique(view: GraphView, nodes: readonly ViewNode[], context: CheckContext): void {
  const seen = new Map<number, ViewNode>();
  for (const node of nodes) {
    const id = inferNumber(node, 'unique-id', context);
    // 0: nvinferserver takes it from its file.
    if (id === undefined || id === 0) continue;
    const other = seen.get(id);
    if (other !== undefined) {
      const text = `"unique-id" ${id} is that of "${other.id}" too: their objects could not be told apart`;
      context.report('error', view, node, text, { property: 'unique-id' });
    }
    seen.set(id, node);
  }
}

function checkSecondary(view: GraphView, node: ViewNode, context: CheckContext): void {
  const before = upstream(node).filter(({ factory }) => INFERENCE.includes(factory));
  if (before.length === 0) {
    const text = 'works on the objects of another model, but none stands before it';
    context.report('error', view, node, text);
    return;
  }
  const parent = inferNumber(node, 'infer-on-gie-id', context);
  const ids = before.map((other) => inferNumber(other, 'unique-id', context));
  if (parent !== undefined && parent >= 0 && !ids.includes(undefined) && !ids.includes(parent)) {
    const text = `"infer-on-gie-id" is ${parent}, but the models before it have ${ids.join(', ')}: it would never run`;
    context.report('error', view, node, text, { property: 'infer-on-gie-id' });
  }
  const asynchronous = inferKey(node, 'classifier-async-mode', context) === '1';
  if (asynchronous && !upstream(node).some(({ factory }) => factory === 'nvtracker')) {
    const text = 'key "classifier-async-mode" of its file needs the ids of nvtracker before it';
    context.report('error', view, node, text, { property: 'config-file-path' });
  }
}

/** nvdspreprocess makes the tensors, nvinfer must be told to take them. */
function checkTensors(view: GraphView, node: ViewNode, context: CheckContext): void {
  const takes = inferNumber(node, 'input-tensor-meta', context);
  const made = upstream(node).find(({ factory }) => factory === 'nvdspreprocess');
  const property = 'input-tensor-meta';
  if (made === undefined && takes === 1) {
    const text = `"${property}" is true, but no nvdspreprocess stands before it to make tensors`;
    context.report('error', view, node, text, { property });
  }
  const next = node.into.every(({ from }) => from === made || from.into[0]?.from === made);
  if (made !== undefined && next && takes !== 1 && (takes === 0 || !isSet(node, property))) {
    const known = takes === 0;
    const text = `"${property}" must be true behind nvdspreprocess "${made.id}": its tensors are not used otherwise`;
    context.report(known ? 'error' : 'warning', view, node, text, { property });
  }
}

/** Which separator a list takes differs from property to property. */
const LISTS: Readonly<Record<string, { readonly pattern: RegExp; readonly example: string }>> = {
  'infer-on-class-ids': { pattern: /^\d+(:\d+)*:?$/, example: '0:2' },
  'filter-out-class-ids': { pattern: /^\d+(;\d+)*;?$/, example: '0;2' },
};

function checkLists(view: GraphView, node: ViewNode, context: CheckContext): void {
  for (const [property, { pattern, example }] of Object.entries(LISTS)) {
    const value = textOf(node, property);
    if (value === '' || pattern.test(value)) continue;
    const text = `"${property}" is ${JSON.stringify(value)}; it takes numbers such as ${JSON.stringify(example)}`;
    context.report('error', view, node, text, { property });
  }
}

function checkPostprocess(view: GraphView, node: ViewNode, context: CheckContext): void {
  const model = upstream(node).find(({ factory }) => INFERENCE.includes(factory));
  if (model === undefined) {
    context.report('error', view, node, 'parses the tensors of a model, but none stands before it');
    return;
  }
  if (inferNumber(model, 'output-tensor-meta', context) === 0) {
    const text = `"output-tensor-meta" must be true: nvdspostprocess "${node.id}" reads its tensors`;
    context.report('error', view, model, text, { property: 'output-tensor-meta' });
  }
  const type = inferKey(model, 'network-type', context);
  if (type !== undefined && type !== '100') {
    const text = `key "network-type" of its file must be 100, not ${type}: nvdspostprocess "${node.id}" parses in its place`;
    context.report('error', view, model, text, { property: 'config-file-path' });
  }
}
