import type { Graph, GraphNode } from '../pipeline/graph.ts';

const REDACTED = '[redacted]';
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/'"<>]+@/gi;

/** Every node of a graph, those of dynamic chains included. */
export function allNodes(graph: Graph): readonly GraphNode[] {
  const chains = graph.choices.flatMap(({ alternatives }) =>
    alternatives.map(({ chain }) => chain),
  );
  return [...graph.nodes, ...chains.flat()];
}

/**
 * A function that takes the graph's secrets out of text that GStreamer wrote: the values of its secret properties, as
 * given and percent-encoded, and the credentials of any URL.
 */
export function createRedactor(graph: Graph): (text: string) => string {
  const secrets = allNodes(graph)
    .flatMap((node) => (node.secret ?? []).map((name) => String(node.properties[name] ?? '')))
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let result = text;
    for (const secret of secrets) result = result.replaceAll(secret, REDACTED);
    return result.replace(URL_CREDENTIALS, `$1${REDACTED}@`);
  };
}
