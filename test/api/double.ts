import { pino } from 'pino';
import { buildApp } from '../../src/api/app.ts';
import type { EnginesView } from '../../src/api/dependencies.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { EventLog } from '../../src/control/event-log.ts';
import type { LatestImage, Orchestrator, StreamView } from '../../src/control/types.ts';
import type { StreamSpec } from '../../src/pipeline/spec.ts';

function view(spec: StreamSpec): StreamView {
  return {
    id: spec.id,
    pipelineId: spec.id,
    source: 'api',
    spec: { id: spec.id },
    createdAt: new Date(0).toISOString(),
    generation: 1,
    status: {
      state: 'connecting',
      since: new Date(0).toISOString(),
      attempt: 1,
      conditions: [],
      flapping: false,
      counters: {
        framesArrived: 3,
        framesDecoded: 3,
        framesInferred: 2,
        framesPublished: 2,
        framesSkipped: 1,
        recordsDropped: 0,
        framesReceived: 2,
        imagesReceived: 1,
        recordsRefused: 0,
        recordsOverlapped: 0,
        reconnects: 0,
        workerRestarts: 0,
      },
      fps: { decoded: 0, inferred: 0, published: 0 },
      objects: {},
      objectsLastSecond: {},
    },
  };
}

/** The API over an orchestrator that only remembers: what is under test is the HTTP side. */
export async function apiUnderTest(
  options: { image?: LatestImage; fail?: unknown; engines?: EnginesView } = {},
) {
  const events = new EventLog({ capacity: 8, firstId: 100 });
  const created: StreamSpec[] = [];
  const find = (id: string): StreamView => {
    const spec = created.find((stream) => stream.id === id);
    if (spec === undefined) throw new SightlineError('SL_NOT_FOUND', `There is no stream "${id}"`);
    return view(spec);
  };
  const orchestrator = {
    events,
    start: async () => undefined,
    createStream: async (spec: StreamSpec) => {
      if (options.fail !== undefined) throw options.fail;
      created.push(spec);
      return view(spec);
    },
    addPipeline: async () => [],
    removeStream: async (id: string) => {
      find(id);
    },
    control: async (id: string) => ({ applied: find(id) !== undefined, streams: [id] }),
    hasUrl: () => false,
    getStream: find,
    listStreams: () => created.map(view),
    getLatestFrame: (id: string) => void find(id),
    getLatestImage: (id: string) => {
      find(id);
      return options.image;
    },
    workers: () => [],
    dot: async () => '',
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as Orchestrator;
  const notReady: string[] = [];
  const app = await buildApp({
    logger: pino({ level: 'silent' }),
    version: '1.2.3',
    orchestrator,
    notReadyBecause: () => notReady,
    sinks: () => [
      {
        id: 'files',
        type: 'file',
        state: 'ok',
        required: true,
        accepted: 10,
        pending: 1,
        delivered: 6,
        deadLettered: 2,
        shed: 1,
        oldestAgeMs: 1500,
      },
    ],
    outbox: () => ({ state: 'ok', bytes: 4096, refused: { full: 7 } }),
    ...(options.engines === undefined ? {} : { engines: () => options.engines! }),
  });
  return { app, events, created, notReady };
}
