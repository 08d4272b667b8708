import { isDeepStrictEqual } from 'node:util';
import type { Graph, GraphNode } from '../../pipeline/graph.ts';
import type { PropertyChange } from '../../pipeline/graph-changes.ts';
import { allNodes } from '../../pipeline/graph-check.ts';
import { liveProperty } from '../../pipeline/live-properties.ts';
import type { CompiledPipeline, StreamEffect } from '../types.ts';

/** What turns one graph that runs into another. */
export type GraphStep =
  | { readonly kind: 'unchanged'; readonly graph: Graph }
  | { readonly kind: 'set'; readonly graph: Graph; readonly changes: readonly PropertyChange[] }
  | { readonly kind: 'add'; readonly graph: Graph }
  | { readonly kind: 'remove'; readonly graph: Graph }
  | { readonly kind: 'replace'; readonly graph: Graph; readonly was: Graph };

export interface GraphPlan {
  /** In the worker that runs, or by a fresh one that takes over. */
  readonly how: 'in-place' | 'hand-over';
  readonly steps: readonly GraphStep[];
}

/** How a pipeline that runs `graphs`, made from `was`, becomes `next` with the least disturbance. */
export function planGraphs(
  graphs: readonly Graph[],
  was: CompiledPipeline,
  next: CompiledPipeline,
): GraphPlan {
  const old = new Map(graphs.map((graph) => [graph.id, graph]));
  const kept = new Set(next.graphs.map(({ id }) => id));
  const steps = [
    ...graphs
      .filter(({ id }) => !kept.has(id))
      .map((graph): GraphStep => ({ kind: 'remove', graph })),
    ...next.graphs.map((graph) => stepTo(graph, old.get(graph.id))),
  ];
  const how = needsFreshWorker(steps, was, next) ? 'hand-over' : 'in-place';
  return { how, steps };
}

/** What the plan means for each stream. */
export function effectsOf({ how, steps }: GraphPlan): ReadonlyMap<string, StreamEffect> {
  const before = new Set(steps.flatMap((step) => (step.kind === 'add' ? [] : streamsBefore(step))));
  const after = new Set(
    steps.flatMap(({ kind, graph }) => (kind === 'remove' ? [] : graph.streams)),
  );
  const effects = new Map<string, StreamEffect>();
  for (const step of steps) {
    for (const id of new Set([...streamsBefore(step), ...step.graph.streams])) {
      if (!after.has(id)) effects.set(id, 'removed');
      else if (!before.has(id)) effects.set(id, 'added');
      else if (how === 'hand-over') effects.set(id, 'handed-over');
      else effects.set(id, EFFECT_OF[step.kind]);
    }
  }
  return effects;
}

const EFFECT_OF: Readonly<Record<GraphStep['kind'], StreamEffect>> = {
  unchanged: 'unchanged',
  set: 'set',
  add: 'added',
  remove: 'removed',
  replace: 'replaced',
};

function streamsBefore(step: GraphStep): readonly string[] {
  if (step.kind === 'add') return [];
  return step.kind === 'replace' ? step.was.streams : step.graph.streams;
}

function needsFreshWorker(
  steps: readonly GraphStep[],
  was: CompiledPipeline,
  next: CompiledPipeline,
): boolean {
  const { environment, policy } = was;
  if (!isDeepStrictEqual(environment ?? {}, next.environment ?? {})) return true;
  if (!isDeepStrictEqual(policy ?? {}, next.policy ?? {})) return true;
  if (!isDeepStrictEqual(enginesOf(was), enginesOf(next))) return true;
  // A stream that moves between graphs, or shares one with others, cannot be changed alone.
  const graphOf = new Map(
    steps.flatMap((step) => streamsBefore(step).map((id) => [id, step.graph.id] as const)),
  );
  return steps.some(
    (step) =>
      (step.kind !== 'unchanged' &&
        step.kind !== 'set' &&
        (step.graph.streams.length > 1 || streamsBefore(step).length > 1)) ||
      (step.kind !== 'remove' &&
        step.graph.streams.some((id) => (graphOf.get(id) ?? step.graph.id) !== step.graph.id)),
  );
}

function enginesOf({ engines = [] }: CompiledPipeline): readonly string[] {
  return engines.map(({ engineFile }) => engineFile).sort();
}

function stepTo(graph: Graph, was: Graph | undefined): GraphStep {
  if (was === undefined) return { kind: 'add', graph };
  const changes = propertyChanges(was, graph);
  if (changes === undefined) return { kind: 'replace', graph, was };
  return changes.length === 0 ? { kind: 'unchanged', graph } : { kind: 'set', graph, changes };
}

/** The properties to set when that is all the difference; undefined when it is not. */
function propertyChanges(was: Graph, graph: Graph): readonly PropertyChange[] | undefined {
  if (!isDeepStrictEqual(withoutLive(was), withoutLive(graph))) return undefined;
  const old = new Map(allNodes(was).map((node) => [node.id, node]));
  const changes: PropertyChange[] = [];
  for (const { id, factory, properties } of allNodes(graph)) {
    const before = old.get(id)!.properties;
    const names = new Set([...Object.keys(before), ...Object.keys(properties)]);
    for (const property of names) {
      const live = liveProperty(factory, property);
      if (live === undefined || before[property] === properties[property]) continue;
      const value = properties[property] ?? live.otherwise;
      // Back to the element's own default, which only a new element has.
      if (value === undefined) return undefined;
      changes.push({ node: id, property, value });
    }
  }
  return changes;
}

function withoutLive(graph: Graph): Graph {
  const strip = (node: GraphNode): GraphNode => ({
    ...node,
    properties: Object.fromEntries(
      Object.entries(node.properties).filter(
        ([name]) => liveProperty(node.factory, name) === undefined,
      ),
    ),
  });
  return {
    ...graph,
    nodes: graph.nodes.map(strip),
    choices: graph.choices.map((choice) => ({
      ...choice,
      alternatives: choice.alternatives.map((one) => ({ ...one, chain: one.chain.map(strip) })),
    })),
  };
}
