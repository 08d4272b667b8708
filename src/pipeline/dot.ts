import type { Graph, GraphNode } from './graph.ts';
import { nodeOf } from './graph-check.ts';
import { readableCaps, shownValue } from './print-value.ts';

/** The graphs in GraphViz' language: one cluster a graph, choices dashed. Secrets are hidden. */
export function graphDot(graphs: readonly Graph[]): string {
  const lines = [
    'digraph sightline {',
    '  rankdir=LR;',
    '  node [shape=box, fontname="sans-serif", fontsize=10];',
  ];
  for (const [index, graph] of graphs.entries()) lines.push(...cluster(graph, index));
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

function cluster(graph: Graph, index: number): string[] {
  const name = (id: string) => quoted(`${index}/${nodeOf(id)}`);
  const edge = (from: string, to: string, attributes: string) =>
    `    ${name(from)} -> ${name(to)}${attributes};`;
  const lines = [`  subgraph cluster_${index} {`, `    label=${quoted(graph.id)};`];
  for (const node of graph.nodes) lines.push(`    ${name(node.id)} [label=${label(node)}];`);
  for (const { from, to, caps } of graph.links) {
    lines.push(edge(from, to, caps === undefined ? '' : ` [label=${quoted(readableCaps(caps))}]`));
  }
  for (const { from, to, alternatives } of graph.choices) {
    for (const { caps, chain, links = [] } of alternatives) {
      let previous = from;
      for (const node of chain) {
        lines.push(`    ${name(node.id)} [label=${label(node)}, style=dashed];`);
        const text = previous === from ? `label=${quoted(readableCaps(caps))}, ` : '';
        lines.push(edge(previous, node.id, ` [${text}style=dashed]`));
        previous = node.id;
      }
      lines.push(edge(previous, to, ' [style=dashed]'));
      for (const link of links) lines.push(edge(link.from, link.to, ' [style=dashed]'));
    }
  }
  lines.push('  }');
  return lines;
}

function label(node: GraphNode): string {
  const properties = Object.keys(node.properties).map(
    (name) => `${name}=${shownValue(node, name)}`,
  );
  return quoted([`${node.id}: ${node.factory}`, ...properties].join('\n'));
}

/** A GraphViz string; `\l` ends a left-aligned line. */
function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return escaped.includes('\n') ? `"${escaped.replaceAll('\n', '\\l')}\\l"` : `"${escaped}"`;
}
