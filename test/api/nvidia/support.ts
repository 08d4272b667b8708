import type { TestContext } from 'node:test';
import { type NvidiaRestOptions, startNvidiaRest } from '../../../src/api/nvidia/server.ts';
import type { OrchestratorOptions } from '../../../src/control/orchestrator.ts';
import type { Compiler, Orchestrator } from '../../../src/control/types.ts';
import type { Graph, GraphNode } from '../../../src/pipeline/graph.ts';
import { memoryLogger, startOrchestrator } from '../../control/support.ts';
import { exchange, request } from './raw.ts';

/** A graph with every node that a control reaches, for a worker that only acknowledges. */
function controlled(id: string): Graph {
  const node = (
    name: string,
    factory: string,
    role: GraphNode['role'],
    properties: GraphNode['properties'] = {},
  ): GraphNode => ({ id: name, factory, role, properties });
  return {
    id,
    streams: [id],
    nodes: [
      node('source', 'fakesrc', 'source'),
      node('skip', 'slskip', 'parse'),
      node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
      node('infer', 'slinfer', 'infer', { interval: 0 }),
    ],
    links: [],
    choices: [],
    sessionNodes: [],
  };
}

/** Compiles any stream to such a graph; a pipeline's too. */
export const CONTROLLED: Compiler = {
  stream: (spec) => ({
    pipelineId: spec.id,
    graphs: [controlled(spec.id)],
    streams: [{ id: spec.id, spec }],
  }),
  pipeline: (spec) => ({
    pipelineId: spec.id,
    graphs: spec.streams.map(({ id }) => controlled(id)),
    streams: spec.streams.map((stream) => ({ id: stream.id, spec: { ...stream } })),
  }),
};

export interface Facade {
  readonly orchestrator: Orchestrator;
  readonly port: number;
  readonly lines: string[];
  readonly dataDir: string;
  readonly quits: () => number;
  /** Body of the answer. */
  post(path: string, body: unknown, headers?: readonly string[]): Promise<string>;
  get(path: string, headers?: readonly string[]): Promise<string>;
}

/** The facade over a real orchestrator with a stand-in worker. */
export async function startFacade(
  t: TestContext,
  options: Partial<NvidiaRestOptions> = {},
  control: Partial<OrchestratorOptions> = {},
): Promise<Facade> {
  const { logger, lines } = memoryLogger();
  const { orchestrator, dataDir } = await startOrchestrator(t, {
    compiler: CONTROLLED,
    ...control,
  });
  let quits = 0;
  const server = await startNvidiaRest({
    host: '127.0.0.1',
    port: 0,
    compat: 'honest',
    maxStreams: 4,
    addTimeoutMs: 10_000,
    notReadyBecause: () => [],
    onQuit: () => {
      quits += 1;
    },
    orchestrator,
    logger,
    ...options,
  });
  t.after(() => server.close());
  const port = Number(new URL(server.url).port);
  const bodyOf = async (text: Promise<string>) => (await text).split('\r\n\r\n').slice(1).join('');
  return {
    ...{ orchestrator, port, lines, dataDir, quits: () => quits },
    post: (path, body, headers) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return bodyOf(exchange(port, request('POST', path, text, headers)));
    },
    get: (path, headers) => bodyOf(exchange(port, request('GET', path, undefined, headers))),
  };
}

/** A request of a stream distributor. */
export function sensor(
  change: string,
  cameraId: unknown,
  url: unknown,
  more: object = {},
  wrapper: 'value' | 'event' = 'value',
): object {
  return {
    key: 'sensor',
    [wrapper]: {
      camera_id: cameraId,
      camera_name: 'front_door',
      camera_url: url,
      change,
      metadata: { resolution: '1920x1080', codec: 'h264', framerate: 30 },
      ...more,
    },
    headers: { source: 'vst', created_at: '2021-06-01T14:34:13.417Z' },
  };
}
