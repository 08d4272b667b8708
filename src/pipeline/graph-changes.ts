import { SightlineError } from '../common/errors.ts';
import type { Graph, GraphNode, PropertyValue } from './graph.ts';

/** A property of one node that is to have another value, while the graph runs and in every later run of it. */
export interface PropertyChange {
  readonly node: string;
  readonly property: string;
  readonly value: PropertyValue;
}

/** The graph with the changes in it. Throws `SL_NOT_FOUND` for a node it does not have. */
export function changeGraph(graph: Graph, changes: readonly PropertyChange[]): Graph {
  const open = new Set(changes);
  const change = (node: GraphNode): GraphNode => {
    const mine = changes.filter(({ node: id }) => id === node.id);
    if (mine.length === 0) return node;
    for (const item of mine) open.delete(item);
    const values = mine.map(({ property, value }) => [property, value] as const);
    return { ...node, properties: { ...node.properties, ...Object.fromEntries(values) } };
  };
  const changed: Graph = {
    ...graph,
    nodes: graph.nodes.map(change),
    choices: graph.choices.map((choice) => ({
      ...choice,
      alternatives: choice.alternatives.map((alternative) => ({
        ...alternative,
        chain: alternative.chain.map(change),
      })),
    })),
  };
  const [unknown] = open;
  if (unknown === undefined) return changed;
  throw new SightlineError(
    'SL_NOT_FOUND',
    `Cannot set "${unknown.property}" of node "${unknown.node}": graph "${graph.id}" has no such node`,
  );
}
