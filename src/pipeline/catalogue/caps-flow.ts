import { type Caps, parseCaps } from './caps.ts';
import { intersectCaps, isEmptyCaps, keepFields, unionCaps } from './caps-intersect.ts';
import type { PadEntry } from './catalogue.ts';
import type { Edge, GraphView, ViewNode } from './graph-view.ts';
import { padEnd } from './pads.ts';

const ANYTHING: Caps = { any: true, structures: [] };

/** A link over which nothing can pass, with what each side would have. */
export interface CapsClash {
  readonly edge: Edge;
  /** What arrives at the link, given all elements before it. */
  readonly offered: Caps;
  /** The link's own filter, where there is one. */
  readonly filter?: Caps;
  readonly wanted: Caps;
  /** Who refuses: the filter between, or the element behind. */
  readonly refusedBy: 'filter' | 'element';
}

/** What can pass over each link of a graph, worked out from the sources down. */
export interface CapsFlow {
  readonly passing: ReadonlyMap<Edge, Caps>;
  readonly clashes: readonly CapsClash[];
  /** Links whose filter is no caps. */
  readonly unreadable: readonly Edge[];
  /** Nodes on a circle of links. */
  readonly circular: readonly ViewNode[];
}

export function flowCaps(view: GraphView): CapsFlow {
  const passing = new Map<Edge, Caps>();
  const clashes: CapsClash[] = [];
  const unreadable: Edge[] = [];
  const { order, circular } = inOrder(view);
  for (const node of order) {
    const entered = unionCaps(node.into.map((edge) => passing.get(edge) ?? ANYTHING));
    for (const edge of node.out) {
      const offered = given(
        node,
        templateCaps(edge, 'src'),
        node.into.length > 0 ? entered : ANYTHING,
      );
      const wanted = accepted(edge);
      const filter = edge.caps === undefined ? ANYTHING : parseCaps(edge.caps);
      if (filter === undefined) {
        unreadable.push(edge);
        passing.set(edge, wanted);
        continue;
      }
      const filtered = intersectCaps(offered, filter);
      const passed = intersectCaps(filtered, wanted);
      if (isEmptyCaps(passed)) {
        const refusedBy = isEmptyCaps(filtered) ? 'filter' : 'element';
        const own = edge.caps === undefined ? {} : { filter };
        clashes.push({ edge, offered, ...own, wanted, refusedBy });
      }
      // Behind a clash the element's own word is taken, so that one fault is reported once.
      passing.set(edge, isEmptyCaps(passed) ? wanted : passed);
    }
  }
  return { passing, clashes, unreadable, circular };
}

/** What leaves a node: its template, narrowed by what entered where the element changes nothing. */
function given(node: ViewNode, template: Caps, entered: Caps): Caps {
  const flow = node.element?.entry.flow;
  if (flow === undefined) return template;
  const kept = flow === 'same' ? entered : keepFields(entered, ['format']);
  const narrowed = intersectCaps(template, intersectCaps(kept, ownFilter(node)));
  return isEmptyCaps(narrowed) ? template : narrowed;
}

/** What a link's target takes: its template and, of a capsfilter or an appsink, its property. */
function accepted(edge: Edge): Caps {
  return intersectCaps(templateCaps(edge, 'sink'), ownFilter(edge.to));
}

function ownFilter({ node, element }: ViewNode): Caps {
  const text = node.properties['caps'];
  const filters = element?.property('caps')?.type === 'caps' && typeof text === 'string';
  return (filters ? parseCaps(text) : undefined) ?? ANYTHING;
}

function templateCaps(edge: Edge, direction: 'src' | 'sink'): Caps {
  const node = direction === 'src' ? edge.from : edge.to;
  const end = padEnd(edge, direction, new Set());
  if (end?.problem !== undefined || node.element === undefined) return ANYTHING;
  const { element } = node;
  const read = (pad: PadEntry) => parseCaps(element.capsOf(pad)) ?? ANYTHING;
  const name = direction === 'src' ? edge.fromPad : edge.toPad;
  if (end === undefined) return ANYTHING;
  if (name !== undefined) return read(end.pad);
  // Without a name, any pad of the kind will do.
  const { presence } = end.pad;
  const pads = element.entry.pads.filter(
    (pad) => pad.direction === direction && pad.presence === presence,
  );
  return unionCaps(pads.map(read));
}

/** Nodes so that each stands behind all that feed it; those on a circle are left over. */
function inOrder(view: GraphView): { order: ViewNode[]; circular: ViewNode[] } {
  const nodes = [...view.nodes];
  const waiting = new Map(nodes.map((node) => [node, node.into.length]));
  const order = nodes.filter(({ into }) => into.length === 0);
  for (const node of order) {
    for (const { to } of node.out) {
      const left = waiting.get(to)! - 1;
      waiting.set(to, left);
      if (left === 0) order.push(to);
    }
  }
  const done = new Set(order);
  return { order, circular: nodes.filter((node) => !done.has(node)) };
}
