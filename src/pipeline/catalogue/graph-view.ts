import type { Graph, GraphNode, PropertyValue } from '../graph.ts';
import { nodeOf, padOf } from '../graph-check.ts';
import type { PropertyEntry } from './catalogue.ts';
import type { Elements, KnownElement } from './elements.ts';

/** A link, or a step of a choice's chain. */
export interface Edge {
  readonly from: ViewNode;
  readonly to: ViewNode;
  readonly fromPad?: string;
  readonly toPad?: string;
  readonly caps?: string;
  /** Index of the choice it belongs to. Alternatives of one choice exclude each other. */
  readonly choice?: number;
  /** The first step of an alternative: it takes a pad that appears while the element runs. */
  readonly dynamic: boolean;
}

export interface ViewNode {
  readonly id: string;
  readonly factory: string;
  readonly node: GraphNode;
  /** Absent where the catalogue does not know the factory. */
  readonly element?: KnownElement;
  readonly into: Edge[];
  readonly out: Edge[];
}

/** A graph with its elements looked up and its links on both sides; choices are laid out as links. */
export class GraphView {
  readonly graph: Graph;
  readonly edges: Edge[] = [];
  readonly #nodes = new Map<string, ViewNode>();

  constructor(graph: Graph, elements: Elements) {
    this.graph = graph;
    const add = (node: GraphNode) => {
      const element = elements.find(node.factory);
      const { id, factory } = node;
      const known = element === undefined ? {} : { element };
      this.#nodes.set(id, { id, factory, node, ...known, into: [], out: [] });
    };
    graph.nodes.forEach(add);
    for (const { alternatives } of graph.choices) {
      for (const { chain } of alternatives) chain.forEach(add);
    }
    for (const { from, to, caps } of graph.links) {
      this.#connect(from, to, { dynamic: false, ...(caps === undefined ? {} : { caps }) });
    }
    graph.choices.forEach((choice, index) => {
      for (const { caps, chain, links = [] } of choice.alternatives) {
        const stops = [choice.from, ...chain.map(({ id }) => id), choice.to];
        stops.slice(1).forEach((stop, step) => {
          const first = step === 0;
          const filter = first ? { caps } : {};
          this.#connect(stops[step]!, stop, { choice: index, dynamic: first, ...filter });
        });
        for (const { from, to } of links) {
          this.#connect(from, to, { choice: index, dynamic: false });
        }
      }
    });
  }

  get nodes(): Iterable<ViewNode> {
    return this.#nodes.values();
  }

  node(id: string): ViewNode | undefined {
    return this.#nodes.get(id);
  }

  of(...factories: readonly string[]): ViewNode[] {
    return [...this.#nodes.values()].filter(({ factory }) => factories.includes(factory));
  }

  #connect(from: string, to: string, rest: Omit<Edge, 'from' | 'to' | 'fromPad' | 'toPad'>): void {
    const source = this.#nodes.get(nodeOf(from));
    const target = this.#nodes.get(nodeOf(to));
    // That a link names no node is said by graph-check.
    if (source === undefined || target === undefined) return;
    const fromPad = padOf(from);
    const toPad = padOf(to);
    const edge: Edge = {
      from: source,
      to: target,
      ...(fromPad === undefined ? {} : { fromPad }),
      ...(toPad === undefined ? {} : { toPad }),
      ...rest,
    };
    source.out.push(edge);
    target.into.push(edge);
    this.edges.push(edge);
  }
}

/** What a property will be: as given, else the element's default. */
export function effective({ node, element }: ViewNode, name: string): PropertyValue | undefined {
  if (Object.hasOwn(node.properties, name)) return node.properties[name];
  return element?.property(name)?.default ?? undefined;
}

/** A property as a number; nicks of an enum are looked up. */
export function numberOf(view: ViewNode, name: string): number | undefined {
  const value = effective(view, name);
  if (typeof value === 'number') return value;
  const property = view.element?.property(name);
  return typeof value === 'string' ? nickNumber(property, value) : undefined;
}

/** True only where the property is `true`, by hand or by default. */
export function isTrue(view: ViewNode, name: string): boolean {
  return effective(view, name) === true;
}

export function nickNumber(property: PropertyEntry | undefined, nick: string): number | undefined {
  const { values } = property ?? {};
  return values !== undefined && Object.hasOwn(values, nick) ? values[nick] : undefined;
}

/** Every node data passed through before it reached this one, nearest first. */
export function upstream(start: ViewNode): ViewNode[] {
  return walk(start, ({ into }) => into.map(({ from }) => from));
}

/** Every node data reaches from this one, nearest first. */
export function downstream(start: ViewNode): ViewNode[] {
  return walk(start, ({ out }) => out.map(({ to }) => to));
}

function walk(start: ViewNode, next: (view: ViewNode) => ViewNode[]): ViewNode[] {
  const seen = new Set<ViewNode>();
  const waiting = [...next(start)];
  for (const view of waiting) {
    if (seen.has(view)) continue;
    seen.add(view);
    waiting.push(...next(view));
  }
  return [...seen];
}
