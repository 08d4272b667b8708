import { pino } from 'pino';
import { buildApp } from '../../src/api/app.ts';
import type { EnginesView, QueryView } from '../../src/api/dependencies.ts';
import type { RuleEvent } from '../../src/api/schemas.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { LiveRecords } from '../../src/common/live-records.ts';
import { EventLog } from '../../src/control/event-log.ts';
import type { IncidentView, LatestImage, Orchestrator } from '../../src/control/types.ts';
import type { StreamSpec } from '../../src/pipeline/spec.ts';
import { deliveryDouble } from './delivery-double.ts';
import { DesiredDouble } from './desired-double.ts';
import { recordingsDouble } from './recordings-double.ts';

export const INCIDENT: IncidentView = {
  n: 1,
  pipelineId: 'door',
  kind: 'died',
  at: '2026-01-01T00:00:00.000Z',
  message: 'The worker was killed by SIGSEGV',
  code: 'SL_WORKER_DIED',
  pid: 4711,
  signal: 'SIGSEGV',
  streams: ['door'],
  files: [
    { name: 'graph.dot', bytes: 12 },
    { name: 'stderr.txt', bytes: 5 },
  ],
};
const FILES: Readonly<Record<string, string>> = {
  'graph.dot': 'digraph { }\n',
  'stderr.txt': 'oops\n',
};

const MODEL = {
  name: 'centernet-512x384',
  state: 'ready',
  version: '1',
  task: 'detector',
  input: { width: 512, height: 384 },
  labels: ['person'],
} as const;

const CAPACITY = {
  cores: 2,
  limit: 1.8,
  used: 0.5,
  policy: 'reject',
  streams: [{ id: 'door', priority: 0, used: 0.4, demand: 0.5, imposedInterval: 0 }],
} as const;

const EVENT: RuleEvent = {
  id: '0123456789abcdef0123456789',
  type: 'rule.started',
  time: '2026-01-01T00:00:02.000Z',
  rule: 'crowd',
  kind: 'crowd',
  severity: 'info',
  streamId: 'door',
  sensorId: 'door',
  since: '2026-01-01T00:00:00.000Z',
  durationMs: 2000,
  count: 1,
  objects: [
    {
      ...{ id: '7', class: 'person', confidence: 0.5 },
      bbox: { leftX: 0, topY: 0, rightX: 1, bottomY: 1 },
    },
  ],
  evidence: { clip: { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:10.000Z' } },
};

export interface DoubleOptions {
  readonly image?: LatestImage;
  /** Thrown by each createStream. */
  readonly fail?: unknown;
  readonly engines?: EnginesView;
  readonly query?: QueryView;
  /** Awaited by each createStream before it works. */
  readonly hold?: Promise<void>;
}

/** The API over an orchestrator that only remembers: what is under test is the HTTP side. */
export async function apiUnderTest(options: DoubleOptions = {}) {
  const events = new EventLog({ capacity: 8, firstId: 100 });
  const desired = new DesiredDouble();
  const created: StreamSpec[] = [];
  const orchestrator: Orchestrator = {
    events,
    cameras: {
      put: (id, spec, put) => desired.putCamera(id, spec, put),
      remove: (id) => void (desired.camera(id) && desired.kept.delete(id)),
      get: (id) => desired.camera(id),
      list: () => [...desired.kept.values()],
      heartbeat: (id, report) => desired.heartbeat(id, report),
    },
    incidents: {
      list: (id) => {
        if (id === INCIDENT.pipelineId) return [INCIDENT];
        return desired.getPipeline(id) && [];
      },
      get: (id, n) => {
        if (id === INCIDENT.pipelineId && n === INCIDENT.n) return INCIDENT;
        throw new SightlineError('SL_NOT_FOUND', 'There is no such incident');
      },
      read: async (_id, _n, name) => FILES[name]!,
    },
    capacity: () => CAPACITY,
    start: async () => undefined,
    createStream: async (spec) => {
      await options.hold;
      if (options.fail !== undefined) throw options.fail;
      const view = desired.createStream(spec);
      created.push(spec);
      return view;
    },
    addPipeline: async () => [],
    removeStream: async (id) => desired.removeStream(id),
    putPipeline: async (spec, put) => desired.putPipeline(spec, put),
    patchPipeline: async (id, patch, put) => desired.patchPipeline(id, patch, put),
    patchStream: async (id, patch, put) => desired.patchStream(id, patch, put),
    addStream: async (id, stream, put) => desired.addStream(id, stream, put),
    removePipeline: async (id, put) => desired.removePipeline(id, put),
    restartPipeline: (id) => desired.restartPipeline(id),
    getPipeline: (id) => desired.getPipeline(id),
    listPipelines: () => desired.listPipelines(),
    getJob: (id) => desired.getJob(id),
    listJobs: () => desired.jobs,
    control: async (id) => ({ applied: desired.getStream(id) !== undefined, streams: [id] }),
    hasUrl: () => false,
    getStream: (id) => desired.getStream(id),
    listStreams: () => desired.listStreams(),
    getLatestFrame: (id) => void desired.getStream(id),
    getLatestImage: (id) => (desired.getStream(id) ? options.image : undefined),
    workers: () =>
      [...desired.pipelines.keys()].map((pipelineId) => ({
        ...{ pipelineId, state: 'running', streams: [pipelineId], restarts: 0 },
        ...{ pid: 4711, rssBytes: 1e8, threads: 20, fds: 40, cpu: 0.25, lane: 'main' },
      })),
    dot: async () => '',
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const notReady: string[] = [];
  const live = new LiveRecords();
  const app = await buildApp({
    logger: pino({ level: 'silent' }),
    version: '1.2.3',
    orchestrator,
    notReadyBecause: () => notReady,
    delivery: deliveryDouble(),
    live,
    models: {
      list: async () => [MODEL],
      get: async (name) => {
        if (name === MODEL.name) return MODEL;
        throw new SightlineError('SL_NOT_FOUND', `There is no model "${name}"`);
      },
    },
    recordings: recordingsDouble(),
    rules: {
      list: () => [
        { id: 'crowd', kind: 'crowd', spec: { count: 2 }, fired: 1, suppressed: 0, errors: 0 },
      ],
      counts: () => ({
        ...{ frames: 9, late: 1, unusable: 0, stale: 0, unreadable: 0, waiting: 0, lagMs: 12.5 },
      }),
      events: async () => [EVENT],
      event: async (id) => (id === EVENT.id ? EVENT : undefined),
    },
    query: options.query,
    fleet: {
      view: async () => ({
        ...{ node: 'a', store: 'SQLite file x', held: true, leads: true, leader: 'a' },
        ...{ leasesLost: 0, recordsRefused: 2 },
        nodes: [
          { id: 'a', state: 'held', token: 1, capacity: 4, used: 1.5, detector: true, streams: 1 },
        ],
        assignments: [{ streamId: 'door', node: 'a', epoch: 3, state: 'assigned' }],
      }),
      streams: async () => [{ id: 'door', generation: 1, spec: { id: 'door' } }],
      stream: async (id) => (id === 'door' ? { id, generation: 1, spec: { id } } : undefined),
      putStream: async (id, spec) => ({
        created: id !== 'door',
        view: { id, generation: 1, spec },
      }),
      removeStream: async () => true,
      figures: () => ({
        ...{ node: 'a', streams: 1, held: true, lost: 0, refused: 2, moves: { lost: 4 } },
        renewals: { bounds: [1], counts: [2, 0], sum: 0.5, count: 2 },
      }),
    },
    ...(options.engines === undefined ? {} : { engines: () => options.engines! }),
  });
  return { app, events, live, created, notReady, desired };
}
