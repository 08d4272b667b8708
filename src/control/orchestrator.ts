import { SightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { BackoffOptions } from '../common/retry.ts';
import type { PipelineSpec, PipelineStream, StreamSpec } from '../pipeline/spec.ts';
import { Admission } from './admission/admission.ts';
import { coresOfBox } from './admission/cores.ts';
import { plannedOf, samplesOf } from './admission/samples.ts';
import { ADMISSION_DEFAULTS, type AdmissionSettings } from './admission/settings.ts';
import { CameraBook } from './cameras/camera-book.ts';
import { Jobs } from './desired/jobs.ts';
import type { ManagedPipeline } from './desired/managed-pipeline.ts';
import { type ChangeOptions, type Edit, Pipelines } from './desired/pipelines.ts';
import {
  patched,
  replaced,
  streamIdsOf,
  withoutStream,
  withPatchedStream,
  withStream,
} from './desired/spec-edits.ts';
import { hasUrl, pipelineView, streamView, workersOf } from './desired/views.ts';
import { EventLog } from './event-log.ts';
import { IncidentStore } from './incidents/incident-store.ts';
import { type WorkerSettings, type WorkerSettingsInput, workerSettings } from './lanes/settings.ts';
import { SpareWorker } from './lanes/spare-worker.ts';
import type { SupervisorContext } from './pipeline-supervisor.ts';
import { Registry } from './registry.ts';
import { StartGate } from './start-gate.ts';
import { type Clock, SYSTEM_CLOCK } from './stream-state.ts';
import type {
  CapacityView,
  Change,
  Compiler,
  ControlEvent,
  CreateOptions,
  EngineStore,
  JobView,
  JsonObject,
  LatestFrame,
  LatestImage,
  LiveChange,
  LiveCommand,
  Orchestrator,
  PipelineView,
  PutOptions,
  RecordConsumer,
  SegmentConsumer,
  StartOptions,
  StreamSource,
  StreamView,
  WorkerView,
} from './types.ts';
import { type WorkerCommand, workerCommand } from './worker-command.ts';
import type { WorkerLimits } from './worker-process.ts';

const REMOVE_DRAIN_MS = 5_000;
const CLOSE_DRAIN_MS = 3_000;
/** Beyond its drain, a stream that is taken out of a running pipeline is gone within this. */
const REMOVE_ANSWER_MS = 30_000;

export interface OrchestratorOptions {
  /** Folder of registry.sqlite; made when absent. */
  readonly dataDir: string;
  readonly compiler: Compiler;
  readonly onRecords: RecordConsumer;
  /** Epoch with which a fleet lets a stream run here, for its events; undefined for one of no fleet. */
  readonly epochOf?: (streamId: string) => number | undefined;
  /** Hears of recorded files as they are opened and closed. */
  readonly onSegment?: SegmentConsumer;
  readonly logger: Logger;
  /** Default: src/worker/main.ts, or dist/worker/main.js when compiled. */
  readonly command?: WorkerCommand;
  readonly limits?: Partial<WorkerLimits>;
  /** How workers are watched and started again; the rest as by default. */
  readonly workers?: WorkerSettingsInput;
  /** `workers.restart.backoff`, in short. */
  readonly backoff?: BackoffOptions;
  /** What streams may cost. */
  readonly admission?: Partial<AdmissionSettings>;
  readonly clock?: Clock;
  /** Where pipelines of the DeepStream backend get their engines. */
  readonly engines?: EngineStore;
}

/** The control process' one facade. Nothing runs before start(). */
export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  return new LocalOrchestrator(options);
}

class LocalOrchestrator implements Orchestrator {
  readonly events: EventLog;
  readonly cameras: CameraBook;
  readonly incidents: IncidentStore;
  readonly #options: OrchestratorOptions;
  readonly #pipelines: Pipelines;
  readonly #jobs: Jobs;
  readonly #context: SupervisorContext;
  readonly #admission: Admission;
  #registry: Registry | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: OrchestratorOptions) {
    this.#options = options;
    const { compiler, logger, clock = SYSTEM_CLOCK } = options;
    this.events = new EventLog({
      tell: (event) => tell(logger, event),
      epochOf: options.epochOf,
    });
    this.incidents = new IncidentStore({
      ...{ dataDir: options.dataDir, events: this.events, logger },
      knows: (pipelineId) => this.#pipelines.all().some(({ id }) => id === pipelineId),
    });
    this.#context = contextOf(options, this.events, clock, this.incidents);
    const registry = () => this.#openRegistry();
    this.#jobs = new Jobs(clock.now);
    this.#pipelines = new Pipelines({
      ...{ compiler, registry, jobs: this.#jobs },
      context: this.#context,
      admit: ({ compiled }, fresh) => this.#admission.admit(plannedOf(compiled, fresh)),
    });
    this.#admission = new Admission({
      settings: { ...ADMISSION_DEFAULTS, ...options.admission },
      cores: coresOfBox(),
      ...{ events: this.events, logger, monotonicMs: clock.monotonicMs },
      workers: () => this.#pipelines.all().flatMap(samplesOf),
      impose: async (streamId, interval) => {
        const live = this.#pipelines.findByStream(streamId)?.live;
        return (await live?.impose(streamId, interval)) ?? false;
      },
    });
    const streamsOf = (cameraId: string) => this.#streamsOf(cameraId);
    this.cameras = new CameraBook({ events: this.events, clock, registry, streamsOf });
  }

  async start({ pipelines = [] }: StartOptions = {}): Promise<void> {
    this.#registry = new Registry(this.#options.dataDir);
    this.incidents.open();
    this.cameras.start();
    this.#admission.start();
    // A configuration takes its names first; then all of them compile and start side by side.
    const configured = pipelines.map((spec) => this.#configure(spec));
    const restored = this.#registry.pipelines().map((kept) => this.#pipelines.restore(kept));
    await Promise.all([...configured, ...restored]);
  }

  async createStream(spec: StreamSpec, options: CreateOptions = {}): Promise<StreamView> {
    const made = { kind: 'stream', spec: spec as unknown as JsonObject } as const;
    await this.#pipelines.create(spec.id, made, options);
    return this.getStream(spec.id);
  }

  async addPipeline(spec: PipelineSpec): Promise<readonly StreamView[]> {
    const made = { kind: 'pipeline', spec: spec as unknown as JsonObject } as const;
    await this.#pipelines.create(spec.id, made, { source: 'config' });
    return spec.streams.map(({ id }) => this.getStream(id));
  }

  async removeStream(
    id: string,
    options: { drainMs?: number; generation?: number } = {},
  ): Promise<void> {
    const { drainMs = REMOVE_DRAIN_MS, ...precondition } = options;
    const pipeline = this.#pipelines.ofStream(id);
    // A pipeline has at least one stream: it goes with its last one.
    if (streamIdsOf(pipeline.desired).every((streamId) => streamId === id)) {
      return this.#pipelines.remove(pipeline.id, drainMs, precondition);
    }
    await this.#change(pipeline.id, (before) => withoutStream(before!, id), {
      ...precondition,
      job: { kind: 'stream.apply', subject: id },
      answerMs: drainMs + REMOVE_ANSWER_MS,
    });
  }

  putPipeline(spec: PipelineSpec, options?: PutOptions): Promise<Change<PipelineView>> {
    const next = spec as unknown as JsonObject;
    return this.#change(spec.id, (before) => replaced(next, before), options);
  }

  patchPipeline(
    id: string,
    patch: JsonObject,
    options?: PutOptions,
  ): Promise<Change<PipelineView>> {
    this.#pipelines.get(id);
    return this.#change(id, (before) => patched(existing(before, id), patch), options);
  }

  patchStream(id: string, patch: JsonObject, options?: PutOptions): Promise<Change<PipelineView>> {
    const pipeline = this.#pipelines.ofStream(id);
    const edit: Edit = (before) => withPatchedStream(existing(before, pipeline.id), id, patch);
    return this.#change(pipeline.id, edit, {
      ...options,
      job: { kind: 'stream.apply', subject: id },
    });
  }

  addStream(
    pipelineId: string,
    stream: PipelineStream,
    options?: PutOptions,
  ): Promise<Change<PipelineView>> {
    this.#pipelines.get(pipelineId);
    const added = stream as unknown as JsonObject;
    const edit: Edit = (before) => withStream(existing(before, pipelineId), added);
    return this.#change(pipelineId, edit, {
      ...options,
      job: { kind: 'stream.apply', subject: stream.id },
    });
  }

  removePipeline(
    id: string,
    options: { drainMs?: number; generation?: number; source?: StreamSource } = {},
  ): Promise<void> {
    return this.#pipelines.remove(id, options.drainMs ?? REMOVE_DRAIN_MS, options);
  }

  restartPipeline(id: string): JobView {
    return this.#pipelines.restart(id);
  }

  getPipeline(id: string): PipelineView {
    return this.#view(this.#pipelines.get(id));
  }

  listPipelines(): readonly PipelineView[] {
    return inOrder(this.#pipelines.all()).map((pipeline) => this.#view(pipeline));
  }

  getJob(id: string): JobView {
    return this.#jobs.get(id);
  }

  listJobs(): readonly JobView[] {
    return this.#jobs.list();
  }

  async control(streamId: string, command: LiveCommand): Promise<LiveChange> {
    const { live } = this.#pipelines.ofStream(streamId);
    if (live !== undefined) return live.control(streamId, command);
    throw notRunning(`Cannot change stream '${streamId}'`);
  }

  hasUrl(streamId: string, url: string): boolean {
    const pipeline = this.#pipelines.findByStream(streamId);
    return pipeline !== undefined && hasUrl(pipeline, streamId, url);
  }

  getStream(id: string): StreamView {
    return streamView(this.#pipelines.ofStream(id), id)!;
  }

  listStreams(): readonly StreamView[] {
    return inOrder(this.#pipelines.all()).flatMap((pipeline) =>
      pipeline.streamIds().flatMap((id) => streamView(pipeline, id) ?? []),
    );
  }

  getLatestFrame(id: string): LatestFrame | undefined {
    return this.#pipelines.ofStream(id).stream(id)?.latestFrame();
  }

  getLatestImage(id: string): LatestImage | undefined {
    return this.#pipelines.ofStream(id).stream(id)?.latestImage();
  }

  capacity(): CapacityView {
    return this.#admission.view();
  }

  workers(): readonly WorkerView[] {
    return this.#pipelines.all().flatMap(workersOf);
  }

  async dot(streamId: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const { supervisor } = this.#pipelines.ofStream(streamId);
    if (supervisor !== undefined) return supervisor.dot(streamId, options);
    throw notRunning(`Cannot draw the graph of stream '${streamId}'`);
  }

  close({ drainMs = CLOSE_DRAIN_MS }: { drainMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    this.cameras.close();
    await this.#admission.close();
    await Promise.all([this.#pipelines.close(drainMs), this.#context.spare?.close()]);
    await this.incidents.close();
    this.#registry?.close();
    this.events.close();
  }

  #configure(spec: PipelineSpec): Promise<void> {
    const made = { kind: 'pipeline', spec: spec as unknown as JsonObject } as const;
    const now = (this.#options.clock ?? SYSTEM_CLOCK).now();
    const times = { createdAt: now, updatedAt: now };
    const facts = { id: spec.id, source: 'config', labels: {}, generation: 1 } as const;
    return this.#pipelines.bringUp({ ...made, ...facts, ...times });
  }

  async #change(id: string, edit: Edit, options?: ChangeOptions): Promise<Change<PipelineView>> {
    const { view, ...change } = await this.#pipelines.change(id, edit, options);
    return { ...change, view: this.#view(view) };
  }

  #view(pipeline: ManagedPipeline): PipelineView {
    const kept = this.incidents.count(pipeline.id);
    return pipelineView(pipeline, kept);
  }

  #streamsOf(cameraId: string) {
    return this.#pipelines.all().flatMap((pipeline) =>
      pipeline.streamIds().flatMap((id) => {
        const state = pipeline.stream(id)?.state;
        const sensorId = pipeline.sealedSpec(id).open['sensorId'] ?? id;
        return state === undefined || sensorId !== cameraId ? [] : [{ id, state }];
      }),
    );
  }

  #openRegistry(): Registry {
    if (this.#registry !== undefined && this.#closed === undefined) return this.#registry;
    throw new SightlineError(
      'SL_CLOSED',
      'Cannot change streams: the server is not started yet or is closing',
    );
  }
}

function contextOf(
  options: OrchestratorOptions,
  events: EventLog,
  clock: Clock,
  incidents: IncidentStore,
): SupervisorContext {
  const { logger, onRecords, onSegment, limits, engines } = options;
  const command = options.command ?? workerCommand();
  const gate = new StartGate();
  const settings = settingsOf(options);
  const starts = { command, gate, logger, incidents, ...(limits === undefined ? {} : { limits }) };
  return {
    ...starts,
    consume: onRecords,
    ...(onSegment === undefined ? {} : { onSegment }),
    ...{ events, clock, settings },
    ...(settings.spare ? { spare: new SpareWorker(starts) } : {}),
    ...(engines === undefined ? {} : { engines }),
  };
}

function settingsOf({ workers, backoff }: OrchestratorOptions): WorkerSettings {
  const restart = { ...workers?.restart, ...(backoff === undefined ? {} : { backoff }) };
  return workerSettings({ ...workers, restart });
}

/** By creation, then id. */
function inOrder(pipelines: readonly ManagedPipeline[]): readonly ManagedPipeline[] {
  return [...pipelines].sort(
    ({ desired: a }, { desired: b }) =>
      a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1),
  );
}

/** It was there when the call came, and may be gone when its turn comes. */
function existing<T>(before: T | undefined, id: string): T {
  if (before !== undefined) return before;
  throw new SightlineError('SL_NOT_FOUND', `There is no pipeline '${id}'`);
}

function notRunning(what: string): SightlineError {
  return new SightlineError(
    'SL_UNAVAILABLE',
    `${what}: its spec was refused or is not compiled yet, see the reason in its status.`,
  );
}

/** Every event is a log line too: a warning when it carries an error code. */
function tell(logger: Logger, { type, id, time: _, ...facts }: ControlEvent): void {
  logger[facts['code'] === undefined ? 'info' : 'warn']({ ...facts, eventId: id }, type);
}
