import type { GraphLink, GraphNode, PropertyValue } from '../graph.ts';

/** Records an appsink holds for the reader before the pipeline waits. */
export const METADATA_BUFFERS = 64;
export const IMAGE_BUFFERS = 4;

/** What a node is for: the stream it serves alone, and the part of the spec that asked for it. */
export type NodeFacts = Partial<Pick<GraphNode, 'origin' | 'stream'>>;

export function node(
  id: string,
  factory: string,
  role: GraphNode['role'],
  properties: Readonly<Record<string, PropertyValue>>,
  facts: NodeFacts = {},
): GraphNode {
  return { id, factory, role, properties, ...facts };
}

/** An application output. */
export function output(
  id: string,
  outputKind: 1 | 2,
  maxBuffers: number,
  facts: NodeFacts = {},
): GraphNode {
  // async=false: a branch that has had no picture yet must not hold the pipeline back from playing.
  const properties = {
    sync: false,
    async: false,
    'max-buffers': maxBuffers,
    drop: false,
    'emit-signals': false,
    'enable-last-sample': false,
  };
  return { id, factory: 'appsink', role: 'output', properties, outputKind, ...facts };
}

/** A queue bounded by its number of buffers alone; a leaky one drops the oldest. */
export function queue(
  id: string,
  maxBuffers: number,
  leaky: boolean,
  facts: NodeFacts = {},
): GraphNode {
  const properties = {
    ...(leaky ? { leaky: 'downstream' } : {}),
    'max-size-buffers': maxBuffers,
    'max-size-bytes': 0,
    'max-size-time': 0,
  };
  return node(id, 'queue', 'queue', properties, facts);
}

/** Links each node to the next; `caps`: filters of links, by the node they lead to. */
export function chainLinks(
  nodes: readonly Pick<GraphNode, 'id'>[],
  caps: Readonly<Record<string, string>> = {},
): GraphLink[] {
  return nodes.slice(1).map(({ id: to }, index) => {
    const filter = caps[to];
    return { from: nodes[index]!.id, to, ...(filter === undefined ? {} : { caps: filter }) };
  });
}
