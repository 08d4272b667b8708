import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import type { Logger } from '../../src/common/logger.ts';
import { ROOT } from '../../src/common/paths.ts';
import { createOrchestrator, type OrchestratorOptions } from '../../src/control/orchestrator.ts';
import type { Compiler, ControlEvent, Orchestrator } from '../../src/control/types.ts';
import { commandOf, type WorkerCommand } from '../../src/control/worker-command.ts';
import type { Graph } from '../../src/pipeline/graph.ts';
import type { PipelineSpec, StreamSpec } from '../../src/pipeline/spec.ts';
import { until } from '../support/wait.ts';

const FAKE_WORKER = join(ROOT, 'test/control/fixtures/fake-worker.mjs');

/** The stand-in worker in one of its modes. */
export function fakeWorker(mode: string, argument = ''): WorkerCommand {
  return commandOf([process.execPath, FAKE_WORKER, mode, argument]);
}

/** True while a process with this id runs (a zombie does not). */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-control-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A logger that keeps its lines. */
export function memoryLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { logger: pino({ level: 'debug' }, stream), lines };
}

export function graphOf(streamId: string, properties: Graph['nodes'][0]['properties'] = {}): Graph {
  return {
    id: streamId,
    streams: [streamId],
    nodes: [{ id: 'source', factory: 'fakesrc', role: 'source', properties, secret: ['location'] }],
    links: [],
    choices: [],
    sessionNodes: [],
  };
}

/** A spec that only the graph-making stand-in below can read. */
export function specOf(id: string, more: Record<string, unknown> = {}): StreamSpec {
  return { id, ...more } as unknown as StreamSpec;
}

export function pipelineOf(id: string, streamIds: readonly string[]): PipelineSpec {
  return {
    id,
    streams: streamIds.map((streamId) => ({ id: streamId })),
  } as unknown as PipelineSpec;
}

export const PLAIN_COMPILER: Compiler = {
  stream: (spec) => ({
    pipelineId: spec.id,
    graphs: [graphOf(spec.id)],
    streams: [{ id: spec.id, spec }],
  }),
  pipeline: (spec) => ({
    pipelineId: spec.id,
    graphs: spec.streams.map(({ id }) => graphOf(id)),
    streams: spec.streams.map(({ id }) => ({ id, spec: specOf(id) })),
  }),
};

export interface Bench {
  readonly orchestrator: Orchestrator;
  readonly records: OutboxRecord[];
  readonly lines: string[];
  readonly dataDir: string;
}

/** A started orchestrator with a stand-in worker; closed when the test ends. */
export async function startOrchestrator(
  t: TestContext,
  options: Partial<OrchestratorOptions> = {},
): Promise<Bench> {
  const { logger, lines } = memoryLogger();
  const records: OutboxRecord[] = [];
  const dataDir = options.dataDir ?? temporaryFolder(t);
  const orchestrator = createOrchestrator({
    dataDir,
    compiler: PLAIN_COMPILER,
    onRecords: (batch) => {
      records.push(...batch);
    },
    logger,
    command: fakeWorker('good'),
    backoff: { baseMs: 500, capMs: 500, random: () => 1 },
    ...options,
  });
  t.after(() => orchestrator.close({ drainMs: 500 }));
  await orchestrator.start();
  return { orchestrator, records, lines, dataDir };
}

/** Waits until the stream is in `state`. */
export function untilState(
  orchestrator: Orchestrator,
  id: string,
  state: string,
  within = 5_000,
): Promise<boolean> {
  return until(`stream ${id} is ${state}`, within, () => {
    return orchestrator.getStream(id).status.state === state;
  });
}

/** Waits for an event of this type after the one with id `afterId`: a short state cannot be missed. */
export function untilTold(
  orchestrator: Orchestrator,
  type: string,
  afterId: number,
): Promise<ControlEvent> {
  return until(`an event ${type}`, 15_000, () => {
    return orchestrator.events.recent(1_000).find((e) => e.id > afterId && e.type === type);
  });
}
