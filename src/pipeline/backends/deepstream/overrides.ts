import { childPointer } from '../../../common/check.ts';
import { didYouMean } from '../../../common/near.ts';
import type { Graph, GraphNode } from '../../graph.ts';
import { allNodes } from '../../graph-check.ts';
import type { LoweringContext } from './context.ts';

/** What carries our data out: with other settings records would get lost. */
const OURS = /^(?:sl|appsink$)/;

/** Sets the properties that the spec gives by element factory, last, on every node of that factory. */
export function applyOverrides(context: LoweringContext, graphs: readonly Graph[]): Graph[] {
  const { elements } = context.spec;
  const factories = new Set(graphs.flatMap(allNodes).map(({ factory }) => factory));
  const known = [...factories].filter((name) => !OURS.test(name));
  for (const factory of Object.keys(elements)) {
    const pointer = childPointer('/deepstream/elements', factory);
    if (OURS.test(factory)) context.problem(pointer, `"${factory}" cannot be set from here`);
    else if (!factories.has(factory)) {
      const hint = didYouMean(factory, known);
      context.problem(pointer, `this pipeline has no element "${factory}"${hint}`);
    }
  }
  const apply = (node: GraphNode): GraphNode => {
    const own = elements[node.factory];
    if (own === undefined || OURS.test(node.factory)) return node;
    return { ...node, properties: { ...node.properties, ...own } };
  };
  return graphs.map((graph) => ({
    ...graph,
    nodes: graph.nodes.map(apply),
    choices: graph.choices.map((choice) => ({
      ...choice,
      alternatives: choice.alternatives.map((one) => ({
        ...one,
        chain: one.chain.map(apply),
      })),
    })),
  }));
}
