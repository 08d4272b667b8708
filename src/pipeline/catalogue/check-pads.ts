import type { CheckContext, GraphCheck } from './context.ts';
import type { Edge, GraphView, ViewNode } from './graph-view.ts';
import { padEnd } from './pads.ts';

/** Both ends of every link are pads that can be linked so, each at most once, and nothing is left open. */
export const checkPads: GraphCheck = (view, context) => {
  const taken = new Map<string, Edge>();
  const used = new Set<string>();
  for (const edge of view.edges) {
    for (const direction of ['src', 'sink'] as const) {
      checkEnd(view, edge, direction, { taken, used }, context);
    }
  }
  for (const node of view.nodes) checkOpenPads(view, node, used, context);
};

interface Taken {
  /** By `node.pad`: the edge that has it. */
  readonly taken: Map<string, Edge>;
  /** Templates and pads that are linked, as `node.pad`. */
  readonly used: Set<string>;
}

function checkEnd(
  view: GraphView,
  edge: Edge,
  direction: 'src' | 'sink',
  { taken, used }: Taken,
  context: CheckContext,
): void {
  const node = direction === 'src' ? edge.from : edge.to;
  const end = padEnd(edge, direction, used);
  if (end === undefined) return;
  if (end.problem !== undefined) {
    context.report('error', view, node, `${linkText(edge)} cannot be: ${end.problem}`);
    return;
  }
  const place = `${node.id}.${end.name}`;
  used.add(`${node.id}.${end.pad.name}`);
  used.add(place);
  // Request pads by template are made anew for every link; those of a choice appear by themselves.
  if (end.pad.presence === 'sometimes') return;
  if (end.pad.presence === 'request' && end.name === end.pad.name && end.name.includes('%')) return;
  const other = taken.get(place);
  if (other === undefined) taken.set(place, edge);
  else if (!exclude(other, edge)) {
    const text = `pad "${end.name}" has two links, ${linkText(other)} and ${linkText(edge)}; one is all a pad can have`;
    context.report('error', view, node, text);
  }
}

/** Alternatives of one choice are never there together. */
function exclude(a: Edge, b: Edge): boolean {
  return a.choice !== undefined && a.choice === b.choice;
}

/** Of an element that must have data on all its pads, those without a link. */
function checkOpenPads(
  view: GraphView,
  node: ViewNode,
  used: ReadonlySet<string>,
  context: CheckContext,
): void {
  const { element } = node;
  if (element === undefined) return;
  for (const direction of ['sink', 'src'] as const) {
    const pads = element.entry.pads.filter((pad) => pad.direction === direction);
    for (const { name } of pads.filter(({ presence }) => presence === 'always')) {
      if (used.has(`${node.id}.${name}`)) continue;
      const what = direction === 'sink' ? 'nothing reaches it' : 'its data has nowhere to go';
      context.report('error', view, node, `pad "${name}" is not linked: ${what}`);
    }
    if (pads.length === 0 || pads.some(({ presence }) => presence === 'always')) continue;
    if (pads.some(({ name }) => used.has(`${node.id}.${name}`))) continue;
    const [first] = pads;
    const what = direction === 'sink' ? 'nothing reaches it' : 'nothing takes what it gives';
    context.report('error', view, node, `no pad "${first!.name}" is linked: ${what}`);
  }
}

/** A link as it is written in the graph. */
export function linkText({ from, to, fromPad, toPad, choice }: Edge): string {
  const end = (id: string, pad: string | undefined) => (pad === undefined ? id : `${id}.${pad}`);
  const kind = choice === undefined ? 'the link' : 'the choice';
  return `${kind} ${end(from.id, fromPad)} -> ${end(to.id, toPad)}`;
}
