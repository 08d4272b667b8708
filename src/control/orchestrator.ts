import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { BackoffOptions } from '../common/retry.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import { EventLog } from './event-log.ts';
import { type WorkerSettings, type WorkerSettingsInput, workerSettings } from './lanes/settings.ts';
import { LivePipeline, type Recipe } from './live-pipeline.ts';
import { PipelineSupervisor, type SupervisorContext } from './pipeline-supervisor.ts';
import { type DesiredStream, Registry } from './registry.ts';
import { sealSpec } from './sealed-spec.ts';
import { StartGate } from './start-gate.ts';
import { hasUrl, type StreamEntry, viewOf } from './stream-entry.ts';
import { type Clock, SYSTEM_CLOCK } from './stream-state.ts';
import { SupervisedStream } from './supervised-stream.ts';
import type {
  CompiledPipeline,
  Compiler,
  ControlEvent,
  CreateOptions,
  EngineStore,
  LatestFrame,
  LatestImage,
  LiveChange,
  LiveCommand,
  Orchestrator,
  RecordConsumer,
  StreamView,
  WorkerView,
} from './types.ts';
import { type WorkerCommand, workerCommand } from './worker-command.ts';
import type { WorkerLimits } from './worker-process.ts';

const REMOVE_DRAIN_MS = 5_000;
const CLOSE_DRAIN_MS = 3_000;

export interface OrchestratorOptions {
  /** Folder of registry.sqlite; made when absent. */
  readonly dataDir: string;
  readonly compiler: Compiler;
  readonly onRecords: RecordConsumer;
  readonly logger: Logger;
  /** Default: src/worker/main.ts, or dist/worker/main.js when compiled. */
  readonly command?: WorkerCommand;
  readonly limits?: Partial<WorkerLimits>;
  /** How workers are watched and started again; the rest as by default. */
  readonly workers?: WorkerSettingsInput;
  /** `workers.restart.backoff`, in short. */
  readonly backoff?: BackoffOptions;
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
  readonly #options: OrchestratorOptions;
  readonly #context: SupervisorContext;
  readonly #clock: Clock;
  readonly #entries = new Map<string, StreamEntry>();
  readonly #supervisors = new Map<string, PipelineSupervisor>();
  /** What is in use or being made: `stream 'x'`, `pipeline 'y'`. */
  readonly #names = new Set<string>();
  #registry: Registry | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: OrchestratorOptions) {
    const { logger, onRecords, limits } = options;
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.events = new EventLog({ tell: (event) => tell(logger, event) });
    this.#context = {
      command: options.command ?? workerCommand(),
      consume: onRecords,
      events: this.events,
      logger,
      gate: new StartGate(),
      clock: this.#clock,
      settings: settingsOf(options),
      ...(limits === undefined ? {} : { limits }),
      ...(options.engines === undefined ? {} : { engines: options.engines }),
    };
  }

  async start(): Promise<void> {
    this.#registry = new Registry(this.#options.dataDir);
    for (const desired of this.#registry.streams()) await this.#restore(desired);
  }

  async createStream(
    spec: StreamSpec,
    { source = 'api', labels = {} }: CreateOptions = {},
  ): Promise<StreamView> {
    const registry = this.#openRegistry();
    const { compiler } = this.#options;
    return this.#claim(namesOf([spec.id], spec.id), async () => {
      const compiled = await compiler.stream(spec);
      this.#openRegistry();
      const createdAt = this.#clock.now();
      if (source === 'api') registry.add(spec.id, spec, createdAt, labels);
      this.#run(compiled, recipeOf(spec, compiler), { source, createdAt, labels });
      return this.getStream(spec.id);
    });
  }

  async addPipeline(spec: PipelineSpec): Promise<readonly StreamView[]> {
    this.#openRegistry();
    const ids = spec.streams.map(({ id }) => id);
    const compile = (given: PipelineSpec) => this.#options.compiler.pipeline(given, 'config');
    return this.#claim(namesOf(ids, spec.id), async () => {
      const compiled = await compile(spec);
      this.#openRegistry();
      const createdAt = this.#clock.now();
      this.#run(compiled, { spec, compile } as Recipe, { source: 'config', createdAt, labels: {} });
      return ids.map((id) => this.getStream(id));
    });
  }

  async removeStream(
    id: string,
    { drainMs = REMOVE_DRAIN_MS }: { drainMs?: number } = {},
  ): Promise<void> {
    const entry = this.#entry(id);
    if (entry.supervisor !== undefined && entry.supervisor.streams.size > 1) {
      throw new SightlineError(
        'SL_CONFLICT',
        `Cannot remove stream '${id}' alone: it shares pipeline '${entry.supervisor.pipelineId}' with other streams. Take it out of the pipeline's spec.`,
      );
    }
    entry.removal ??= this.#remove(entry, drainMs).catch((error: unknown) => {
      // The registry could not be written: the next call may try again.
      entry.removal = undefined;
      throw error;
    });
    return entry.removal;
  }

  async control(streamId: string, command: LiveCommand): Promise<LiveChange> {
    const { live } = this.#entry(streamId);
    if (live !== undefined) return live.control(streamId, command);
    throw new SightlineError(
      'SL_UNAVAILABLE',
      `Cannot change stream '${streamId}': its spec was refused, see the reason in its status.`,
    );
  }

  hasUrl(streamId: string, url: string): boolean {
    const entry = this.#entries.get(streamId);
    return entry !== undefined && hasUrl(entry, url);
  }

  getStream(id: string): StreamView {
    return viewOf(this.#entry(id));
  }

  listStreams(): readonly StreamView[] {
    return [...this.#entries.values()]
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
      .map(viewOf);
  }

  getLatestFrame(id: string): LatestFrame | undefined {
    return this.#entry(id).stream.latestFrame();
  }

  getLatestImage(id: string): LatestImage | undefined {
    return this.#entry(id).stream.latestImage();
  }

  get cameras(): never {
    return notYet();
  }

  get incidents(): never {
    return notYet();
  }

  capacity(): never {
    return notYet();
  }

  putPipeline(): never {
    return notYet();
  }

  patchPipeline(): never {
    return notYet();
  }

  patchStream(): never {
    return notYet();
  }

  addStream(): never {
    return notYet();
  }

  removePipeline(): never {
    return notYet();
  }

  restartPipeline(): never {
    return notYet();
  }

  getPipeline(): never {
    return notYet();
  }

  listPipelines(): never {
    return notYet();
  }

  getJob(): never {
    return notYet();
  }

  listJobs(): never {
    return notYet();
  }

  workers(): readonly WorkerView[] {
    return [...this.#supervisors.values()].flatMap((supervisor) => supervisor.views());
  }

  async dot(streamId: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const { supervisor } = this.#entry(streamId);
    if (supervisor === undefined) {
      throw new SightlineError(
        'SL_UNAVAILABLE',
        `Cannot draw the graph of stream '${streamId}': its spec was refused, see the reason in its status.`,
      );
    }
    return supervisor.dot(streamId, options);
  }

  close({ drainMs = CLOSE_DRAIN_MS }: { drainMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    const supervisors = [...this.#supervisors.values()];
    await Promise.all(supervisors.map((supervisor) => supervisor.close({ drainMs })));
    this.#registry?.close();
    this.events.close();
  }

  async #remove(entry: StreamEntry, drainMs: number): Promise<void> {
    const { id, source, supervisor } = entry;
    // First of all: a crash from here on must not bring the stream back.
    if (source === 'api') this.#openRegistry().remove(id);
    await supervisor?.close({ drainMs });
    this.#entries.delete(id);
    const { pipelineId } = entry.stream;
    this.#supervisors.delete(pipelineId);
    this.#release(namesOf([id], pipelineId));
    this.events.emit('stream.removed', { streamId: id, pipelineId });
  }

  async #restore(desired: DesiredStream): Promise<void> {
    const { id, createdAt, labels, sealed } = desired;
    const { compiler } = this.#options;
    const spec = desired.spec as unknown as StreamSpec;
    try {
      await this.#claim(namesOf([id], id), async () => {
        // The schema may have changed since it was kept: the compiler checks it like any other.
        const compiled = await compiler.stream(spec);
        this.#run(compiled, recipeOf(spec, compiler), { source: 'api', createdAt, labels });
      });
    } catch (error) {
      const { code, message, problems } = toSightlineError(error);
      if (code === 'SL_CONFLICT') {
        this.events.emit('stream.shadowed', { streamId: id, code, message });
        return;
      }
      const stream = new SupervisedStream(id, id, this.events, this.#clock);
      for (const name of namesOf([id], id)) this.#names.add(name);
      this.#entries.set(id, { id, source: 'api', sealed, labels, createdAt, stream });
      stream.enter('rejected', { reason: { code, message, problems } });
    }
  }

  #run(
    compiled: CompiledPipeline,
    recipe: Recipe,
    facts: Pick<StreamEntry, 'source' | 'createdAt' | 'labels'>,
  ): void {
    const { pipelineId } = compiled;
    const supervisor = new PipelineSupervisor(compiled, this.#context);
    const live = new LivePipeline(supervisor, recipe, this.events);
    this.#supervisors.set(pipelineId, supervisor);
    for (const { id, spec } of compiled.streams) {
      const stream = supervisor.streams.get(id)!;
      this.#entries.set(id, { ...facts, id, sealed: sealSpec(spec), stream, supervisor, live });
      this.events.emit('stream.created', { streamId: id, pipelineId, source: facts.source });
      stream.tellAccelerator();
    }
    for (const note of compiled.notes ?? []) {
      this.events.emit('pipeline.note', { pipelineId, ...note });
    }
    supervisor.start();
  }

  /** Takes the names for good, or only until `work` fails: of two calls for one id the second is refused. */
  async #claim<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const taken = names.find(
      (name, index) => this.#names.has(name) || names.includes(name, index + 1),
    );
    if (taken !== undefined) {
      throw new SightlineError(
        'SL_CONFLICT',
        `Cannot create ${taken}: there is one with this id already. Remove it first, or choose another id.`,
      );
    }
    for (const name of names) this.#names.add(name);
    try {
      return await work();
    } catch (error) {
      this.#release(names);
      throw error;
    }
  }

  #release(names: readonly string[]): void {
    for (const name of names) this.#names.delete(name);
  }

  #entry(id: string): StreamEntry {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new SightlineError('SL_NOT_FOUND', `There is no stream '${id}'`);
  }

  #openRegistry(): Registry {
    if (this.#registry !== undefined && this.#closed === undefined) return this.#registry;
    throw new SightlineError(
      'SL_CLOSED',
      'Cannot change streams: the server is not started yet or is closing',
    );
  }
}

function settingsOf({ workers, backoff }: OrchestratorOptions): WorkerSettings {
  const restart = { ...workers?.restart, ...(backoff === undefined ? {} : { backoff }) };
  return workerSettings({ ...workers, restart });
}

function notYet(): never {
  throw new SightlineError('SL_INTERNAL', 'Not built yet');
}

function namesOf(streamIds: readonly string[], pipelineId: string): readonly string[] {
  return [...streamIds.map((id) => `stream '${id}'`), `pipeline '${pipelineId}'`];
}

function recipeOf(spec: StreamSpec, compiler: Compiler): Recipe {
  const compile = (given: StreamSpec) => compiler.stream(given);
  return { spec, compile } as Recipe;
}

/** Every event is a log line too: a warning when it carries an error code. */
function tell(logger: Logger, { type, id, time: _, ...facts }: ControlEvent): void {
  logger[facts['code'] === undefined ? 'info' : 'warn']({ ...facts, eventId: id }, type);
}
