import type { Graph, GraphNode } from './graph.ts';
import { readableCaps, shownValue } from './print-value.ts';

/** The graphs as a listing to read: every element with its properties, then how they are linked. Secrets are hidden. */
export function graphText(graphs: readonly Graph[]): string {
  return `${graphs.map(oneGraph).join('\n\n')}\n`;
}

function oneGraph(graph: Graph): string {
  const lines = [`graph ${graph.id}`, `  streams: ${graph.streams.join(', ')}`];
  lines.push(`  session set on: ${graph.sessionNodes.join(', ') || 'none'}`, '  elements:');
  for (const node of graph.nodes) lines.push(...nodeLines(node, '    '));
  for (const { from, to, alternatives } of graph.choices) {
    lines.push(`  from ${from} to ${to}, by caps:`);
    for (const { caps, chain, links = [] } of alternatives) {
      lines.push(`    ${readableCaps(caps)}`);
      for (const node of chain) lines.push(...nodeLines(node, '      '));
      for (const link of links) lines.push(`      branch: ${link.from} -> ${link.to}`);
    }
  }
  lines.push('  links:');
  for (const { from, to, caps } of graph.links) {
    lines.push(`    ${from} -> ${to}${caps === undefined ? '' : ` (${readableCaps(caps)})`}`);
  }
  return lines.join('\n');
}

function nodeLines(node: GraphNode, indent: string): string[] {
  const kind = node.outputKind === undefined ? node.role : `${node.role} of ${outputName(node)}`;
  return [
    `${indent}${node.id}: ${node.factory} (${kind})`,
    ...Object.keys(node.properties).map((name) => {
      const value = shownValue(node, name);
      return `${indent}  ${name}: ${typeof value === 'string' ? JSON.stringify(value) : value}`;
    }),
  ];
}

function outputName({ outputKind }: GraphNode): string {
  return outputKind === 1 ? 'frames' : 'images';
}
