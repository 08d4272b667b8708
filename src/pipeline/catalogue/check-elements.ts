import { didYouMean } from '../../common/near.ts';
import { shownValue } from '../print-value.ts';
import { valueProblem } from './check-value.ts';
import type { CheckContext, GraphCheck } from './context.ts';
import type { KnownElement } from './elements.ts';
import type { GraphView, ViewNode } from './graph-view.ts';

/** Every element exists on the platform, and every property on the element, with a value it takes. */
export const checkElements: GraphCheck = (view, context) => {
  for (const node of view.nodes) {
    if (node.element === undefined) {
      reportUnknown(view, node, context);
      continue;
    }
    const lacking = context.elements.whyLacking(node.factory);
    if (lacking !== undefined) {
      const { platform } = context.elements;
      context.report('error', view, node, `there is no such element on ${platform}: ${lacking}`);
      continue;
    }
    for (const name of Object.keys(node.node.properties)) {
      checkProperty(view, node, node.element, name, context);
    }
    checkRequired(view, node, node.element, context);
  }
};

function reportUnknown(view: GraphView, node: ViewNode, context: CheckContext): void {
  const hint = didYouMean(node.factory, new Set(context.elements.factories()));
  const text = `there is no element "${node.factory}" in the catalogue${hint}`;
  context.report('error', view, node, text);
}

function checkProperty(
  view: GraphView,
  node: ViewNode,
  element: KnownElement,
  name: string,
  context: CheckContext,
): void {
  const property = element.property(name);
  if (property === undefined) {
    reportMissing(view, node, element, name, context);
    return;
  }
  const report = (text: string, level: 'error' | 'warning' = 'error') =>
    context.report(level, view, node, `property "${name}" ${text}`, { property: name });
  if (property.access === 'r') {
    report('can only be read');
    return;
  }
  const value = node.node.properties[name]!;
  const problem = valueProblem(property, value);
  if (problem !== undefined) report(`${problem}; it is ${printed(node, name)}`);
  if (property.deprecated === true) report('is deprecated', 'warning');
}

/** The value, unless it is a secret. */
function printed({ node }: ViewNode, name: string): string {
  return JSON.stringify(shownValue(node, name));
}

function reportMissing(
  view: GraphView,
  node: ViewNode,
  element: KnownElement,
  name: string,
  context: CheckContext,
): void {
  // The addon leaves such a property out where the installed element lacks it.
  if (node.node.optional?.includes(name)) return;
  const more = { property: name };
  if (name === 'name' || name === 'parent') {
    const text = `property "${name}" is not for a graph to set: the id of the node is its name`;
    context.report('error', view, node, text, more);
    return;
  }
  const elsewhere = element.elsewhere(name);
  const { platform } = context.elements;
  if (elsewhere !== undefined) {
    const other = elsewhere === 'jetson' ? 'Jetson' : 'dGPU';
    const text = `property "${name}" does not exist on ${platform}, only on ${other} platforms`;
    context.report('error', view, node, text, more);
    return;
  }
  const variant = context.elements
    .otherVariants(node.factory)
    .find(({ entry }) => entry !== element.entry && Object.hasOwn(entry.properties, name));
  const older = element.key !== node.factory && olderHas(context, node.factory, name);
  const hint =
    variant !== undefined
      ? `; the element has it when it is started with ${variant.setting} in the environment`
      : older
        ? '; only the element without the variable that chose this one has it'
        : didYouMean(name, element.names());
  if (element.entry.complete) {
    context.report('error', view, node, `property "${name}" does not exist${hint}`, more);
  } else {
    const text = `property "${name}" is not in the catalogue, which knows only a part of this element${hint}`;
    context.report('warning', view, node, text, more);
  }
}

function olderHas(context: CheckContext, factory: string, name: string): boolean {
  const plain = context.elements.plainEntry(factory);
  return plain !== undefined && Object.hasOwn(plain.properties, name);
}

function checkRequired(
  view: GraphView,
  node: ViewNode,
  { entry }: KnownElement,
  context: CheckContext,
): void {
  for (const name of entry.required ?? []) {
    const value = node.node.properties[name];
    if (value !== undefined && value !== '' && value !== 0) continue;
    const text = `property "${name}" must be set: the element does not start without it`;
    context.report('error', view, node, text, { property: name });
  }
}
