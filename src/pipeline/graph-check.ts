import { SightlineError } from '../common/errors.ts';
import type { Graph, GraphNode } from './graph.ts';

const NODE_ID = /^[A-Za-z0-9_-]+$/;

/** All nodes of a graph, those of the choices too. */
export function allNodes(graph: Graph): readonly GraphNode[] {
  const chains = graph.choices.flatMap((choice) => choice.alternatives.map(({ chain }) => chain));
  return [...graph.nodes, ...chains.flat()];
}

/** Node id of one end of a link (`id` or `id.pad`). */
export function nodeOf(end: string): string {
  const dot = end.indexOf('.');
  return dot < 0 ? end : end.slice(0, dot);
}

/** Pad name of one end of a link, or undefined. */
export function padOf(end: string): string | undefined {
  const dot = end.indexOf('.');
  return dot < 0 ? undefined : end.slice(dot + 1);
}

/** What is wrong with the structure of a graph, as sentences; empty when it is sound. */
export function graphProblems(graph: Graph): string[] {
  return [...idProblems(graph), ...endProblems(graph), ...outputProblems(graph)].map(
    (problem) => `graph "${graph.id}": ${problem}`,
  );
}

/**
 * Throws where a backend built something no pipeline can be made of.
 *
 * @throws SightlineError `SL_INTERNAL`.
 */
export function assertSound(graphs: readonly Graph[]): void {
  const problems = graphs.flatMap(graphProblems);
  const ids = graphs.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) problems.push('two graphs have the same id');
  if (problems.length === 0) return;
  throw new SightlineError(
    'SL_INTERNAL',
    `Cannot use the lowered pipeline: ${problems.join('; ')}`,
  );
}

function idProblems(graph: Graph): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { id, properties, optional = [], secret = [] } of allNodes(graph)) {
    if (!NODE_ID.test(id)) problems.push(`the node id ${JSON.stringify(id)} is not well formed`);
    if (seen.has(id)) problems.push(`two nodes have the id "${id}"`);
    seen.add(id);
    for (const name of [...optional, ...secret]) {
      if (!Object.hasOwn(properties, name)) problems.push(`node "${id}" has no property "${name}"`);
    }
  }
  return problems;
}

function endProblems(graph: Graph): string[] {
  const fixed = new Set(graph.nodes.map(({ id }) => id));
  const ends = [...graph.links, ...graph.choices].flatMap(({ from, to }) => [from, to]);
  const problems = ends
    .filter((end) => !fixed.has(nodeOf(end)))
    .map((end) => `a link names "${end}", which is no node`);
  for (const { chain, links = [] } of graph.choices.flatMap((choice) => choice.alternatives)) {
    const own = new Set(chain.map(({ id }) => id));
    for (const { from, to } of links) {
      if (!own.has(nodeOf(from))) problems.push(`a branch begins at "${from}", not in its chain`);
      if (!fixed.has(nodeOf(to))) problems.push(`a branch ends at "${to}", which is no node`);
      ends.push(to);
    }
  }
  for (const id of graph.sessionNodes) {
    if (!fixed.has(id)) problems.push(`the session node "${id}" is no node`);
  }
  for (const { from, alternatives } of graph.choices) {
    if (alternatives.length === 0) problems.push(`the choice behind "${from}" has no alternative`);
  }
  const linked = new Set(ends.map(nodeOf));
  const loose = graph.nodes.filter(({ id }) => !linked.has(id) && graph.nodes.length > 1);
  return [...problems, ...loose.map(({ id }) => `node "${id}" is linked to nothing`)];
}

function outputProblems(graph: Graph): string[] {
  const count = (kind: 1 | 2) => graph.nodes.filter(({ outputKind }) => outputKind === kind).length;
  const problems: string[] = [];
  const recorders = graph.nodes.filter(({ role }) => role === 'record').length;
  if (count(1) > 1) problems.push(`${count(1)} metadata outputs, at most one is allowed`);
  if (count(2) > 1) problems.push(`${count(2)} image outputs, at most one is allowed`);
  if (count(1) + count(2) + recorders === 0) problems.push('nothing comes out of it');
  const outputs = graph.nodes.filter(({ role }) => role === 'output');
  for (const { id, outputKind } of outputs) {
    if (outputKind === undefined) problems.push(`the output "${id}" does not say what it carries`);
  }
  return problems;
}
