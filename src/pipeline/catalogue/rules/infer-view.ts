import type { CheckContext } from '../context.ts';
import { numberOf, type ViewNode } from '../graph-view.ts';
import { valueIn } from '../key-file.ts';
import { isSet } from './common.ts';

/** Settings of nvinfer that stand in a property or, by another name, in its file. */
const KEYS: Readonly<Record<string, string>> = {
  'unique-id': 'gie-unique-id',
  'process-mode': 'process-mode',
  'batch-size': 'batch-size',
  'infer-on-gie-id': 'operate-on-gie-id',
  'input-tensor-meta': 'input-tensor-from-meta',
  'output-tensor-meta': 'output-tensor-meta',
};

/**
 * A number of an inference element as it will be: its property, else the key of its file, else the default. Undefined
 * where the file is not ours and may say anything.
 */
export function inferNumber(
  node: ViewNode,
  property: string,
  context: CheckContext,
): number | undefined {
  if (isSet(node, property)) {
    const value = node.node.properties[property];
    return typeof value === 'boolean' ? Number(value) : numberOf(node, property);
  }
  const file = context.keyFileOf(node, 'config-file-path');
  if (node.factory !== 'nvinfer' || file === undefined) return undefined;
  const text = valueIn(file, 'property', KEYS[property] ?? property);
  if (text !== undefined) return Number(text);
  const fallback = node.element?.property(property)?.default;
  return typeof fallback === 'boolean' ? Number(fallback) : numberOf(node, property);
}

/** A key of nvinfer's file that no property overrides; undefined where the file is not ours or lacks it. */
export function inferKey(node: ViewNode, key: string, context: CheckContext): string | undefined {
  const file = context.keyFileOf(node, 'config-file-path');
  return file === undefined ? undefined : valueIn(file, 'property', key);
}

/** Whether it looks at whole frames. By its settings, or else by its role in the graph. */
export function isPrimary(node: ViewNode, context: CheckContext): boolean {
  const mode = inferNumber(node, 'process-mode', context);
  return mode === undefined || mode === 0 ? node.node.role !== 'classify' : mode === 1;
}
