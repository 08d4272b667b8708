import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { EventLog } from '../../src/control/event-log.ts';
import { type WorkerSettingsInput, workerSettings } from '../../src/control/lanes/settings.ts';
import {
  PipelineSupervisor,
  type SupervisorContext,
} from '../../src/control/pipeline-supervisor.ts';
import { StartGate } from '../../src/control/start-gate.ts';
import { SYSTEM_CLOCK } from '../../src/control/stream-state.ts';
import type { CompiledPipeline, ControlEvent } from '../../src/control/types.ts';
import type { Graph } from '../../src/pipeline/graph.ts';
import { until } from '../support/wait.ts';
import { fakeWorker, graphOf, memoryLogger, specOf } from './support.ts';

/** A pipeline with a graph for each stream, as on the CPU. */
export function compiledOf(id: string, graphs: readonly (string | Graph)[]): CompiledPipeline {
  const all = graphs.map((graph) => (typeof graph === 'string' ? graphOf(graph) : graph));
  return {
    pipelineId: id,
    graphs: all,
    streams: all.flatMap(({ streams }) => streams.map((one) => ({ id: one, spec: specOf(one) }))),
  };
}

/** Several streams in one graph, as with DeepStream. */
export function sharedGraph(
  id: string,
  streams: readonly string[],
  properties: Graph['nodes'][0]['properties'] = {},
): Graph {
  return { ...graphOf(id, properties), streams };
}

export interface SupervisorBench {
  readonly supervisor: PipelineSupervisor;
  readonly events: EventLog;
  readonly records: OutboxRecord[];
  readonly lines: string[];
  readonly untilStates: (
    states: Readonly<Record<string, string>>,
    withinMs?: number,
  ) => Promise<unknown>;
  /** Waits for an event of this type after the one with id `afterId`. */
  readonly untilTold: (type: string, afterId?: number) => Promise<ControlEvent>;
}

/** A started supervisor; closed when the test ends. */
export function supervise(
  t: TestContext,
  compiled: CompiledPipeline,
  {
    settings,
    ...options
  }: Partial<Omit<SupervisorContext, 'settings'>> & {
    settings?: WorkerSettingsInput;
  } = {},
): SupervisorBench {
  const { logger, lines } = memoryLogger();
  const events = new EventLog();
  const records: OutboxRecord[] = [];
  const supervisor = new PipelineSupervisor(compiled, {
    command: fakeWorker('good'),
    consume: (batch) => {
      records.push(...batch);
    },
    ...{ events, logger, gate: new StartGate(), clock: SYSTEM_CLOCK },
    settings: workerSettings({
      handOverMs: 5_000,
      ...settings,
      restart: { backoff: { baseMs: 100, capMs: 100, random: () => 1 }, ...settings?.restart },
    }),
    ...options,
  });
  t.after(() => supervisor.close({ drainMs: 500 }));
  supervisor.start();
  return {
    ...{ supervisor, events, records, lines },
    untilStates: (states, withinMs = 10_000) =>
      until(`the states ${JSON.stringify(states)}`, withinMs, () =>
        Object.entries(states).every(([id, state]) => supervisor.streams.get(id)?.state === state),
      ),
    untilTold: (type, afterId = 0) =>
      until(`an event ${type}`, 15_000, () =>
        events.recent(1_000).find((event) => event.id > afterId && event.type === type),
      ),
  };
}

/** Looks at `probe` every few ms until the returned function is called, which gives what was seen. */
export function watching<T>(probe: () => T): () => Promise<readonly T[]> {
  const seen: T[] = [];
  let on = true;
  const loop = (async () => {
    while (on) {
      seen.push(probe());
      await delay(5);
    }
  })();
  return async () => {
    on = false;
    await loop;
    return seen;
  };
}
