import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLog } from '../../src/control/event-log.ts';
import { LivePipeline, type Recipe } from '../../src/control/live-pipeline.ts';
import type { PipelineSupervisor } from '../../src/control/pipeline-supervisor.ts';
import type { CompiledPipeline } from '../../src/control/types.ts';
import type { Graph } from '../../src/pipeline/graph.ts';
import { changeGraph } from '../../src/pipeline/graph-changes.ts';
import type { StreamSpec } from '../../src/pipeline/spec.ts';
import { graphOf } from './support.ts';

function compile(spec: StreamSpec): CompiledPipeline {
  const interval = spec.infer?.interval ?? 0;
  const infer = {
    id: 'infer',
    factory: 'slinfer',
    role: 'infer',
    properties: { interval },
  } as const;
  const graph: Graph = { ...graphOf(spec.id), nodes: [infer] };
  return { pipelineId: spec.id, graphs: [graph], streams: [{ id: spec.id, spec }] };
}

function recipe(interval: number, sensorId = 'gate'): Recipe {
  const spec = { id: 'cam', sensorId, infer: { model: 'm', interval } } as unknown as StreamSpec;
  return { spec, compile: (given) => compile(given as StreamSpec), compiled: compile(spec) };
}

/** A live pipeline over a supervisor that only holds the graph. */
function bench() {
  let graph = recipe(0).compiled.graphs[0]!;
  const supervisor = {
    pipelineId: 'cam',
    graphOf: () => graph,
    isLive: () => true,
    set: async (_id: string, changes: Parameters<typeof changeGraph>[1]) => {
      graph = changeGraph(graph, changes);
      return changes.map(() => true);
    },
    apply: async (compiled: CompiledPipeline) => {
      graph = compiled.graphs[0]!;
      return [];
    },
  } as unknown as PipelineSupervisor;
  const live = new LivePipeline(supervisor, recipe(0), new EventLog());
  return { live, interval: () => graph.nodes[0]!.properties['interval'] };
}

test('what a command set survives a new spec, unless that changes the same setting', async () => {
  const { live, interval } = bench();
  await live.control('cam', { kind: 'infer-interval', interval: 4 });
  await live.apply(recipe(0, 'other'), {});
  assert.deepEqual([interval(), live.changes('cam')], [4, { inferInterval: 4 }]);
  await live.apply(recipe(2), {});
  assert.deepEqual([interval(), live.changes('cam')], [2, undefined]);
});

test('what admission imposes is a least interval: over commands and new specs, and back to what was asked for', async () => {
  const { live, interval } = bench();
  await live.impose('cam', 3);
  assert.deepEqual([interval(), live.imposed('cam'), live.changes('cam')], [3, 3, undefined]);
  await live.control('cam', { kind: 'infer-interval', interval: 1 });
  assert.equal(interval(), 3);
  await live.control('cam', { kind: 'infer-interval', interval: 7 });
  assert.equal(interval(), 7);
  await live.apply(recipe(1), {});
  assert.deepEqual([interval(), live.interval('cam')], [3, 1]);
  await live.impose('cam', 0);
  assert.deepEqual([interval(), live.imposed('cam')], [1, 0]);
});
