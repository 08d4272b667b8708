import { toSightlineError } from '../../common/errors.ts';
import type { PipelineSpec, StreamSpec } from '../../pipeline/spec.ts';
import type { EventLog } from '../event-log.ts';
import { LivePipeline, type Recipe } from '../live-pipeline.ts';
import { PipelineSupervisor, type SupervisorContext } from '../pipeline-supervisor.ts';
import { type SealedSpec, sealSpec } from '../sealed-spec.ts';
import { SupervisedStream } from '../supervised-stream.ts';
import type {
  CompiledPipeline,
  Compiler,
  Reason,
  StreamChangeReport,
  StreamSource,
} from '../types.ts';
import { Serial } from './serial.ts';
import { type KindedSpec, streamIdsOf, streamSpecOf } from './spec-edits.ts';

/** A pipeline as somebody wants it. */
export interface Desired extends KindedSpec {
  readonly id: string;
  readonly source: StreamSource;
  readonly labels: Readonly<Record<string, string>>;
  readonly generation: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Compiles what is desired, by the method for its kind. */
export async function recipeOf(desired: Desired, compiler: Compiler): Promise<Recipe> {
  const { kind, source } = desired;
  const compile = (spec: StreamSpec | PipelineSpec) =>
    kind === 'stream'
      ? compiler.stream(spec as StreamSpec)
      : compiler.pipeline(spec as PipelineSpec, source);
  const spec = desired.spec as unknown as StreamSpec | PipelineSpec;
  return { spec, compile, compiled: await compile(spec) };
}

/** One pipeline: as it is desired, and what runs of it. */
export class ManagedPipeline {
  desired: Desired;
  /** Generation that runs; 0 while nothing does. */
  observedGeneration = 0;
  /** Why the spec does not run as it is. */
  reason: Reason | undefined;
  readonly #context: SupervisorContext;
  readonly #events: EventLog;
  readonly #applies = new Serial();
  /** Streams that no supervisor has, or has yet. */
  readonly #waiting = new Map<string, SupervisedStream>();
  #sealed = new Map<string, SealedSpec>();
  #supervisor: PipelineSupervisor | undefined;
  #live: LivePipeline | undefined;

  constructor(desired: Desired, context: SupervisorContext) {
    this.desired = desired;
    this.#context = context;
    this.#events = context.events;
    this.#expect();
  }

  get id(): string {
    return this.desired.id;
  }

  get supervisor(): PipelineSupervisor | undefined {
    return this.#supervisor;
  }

  get live(): LivePipeline | undefined {
    return this.#live;
  }

  /** Those that are desired, in the order of the spec, and those that are still on their way out. */
  streamIds(): readonly string[] {
    const desired = streamIdsOf(this.desired);
    const running = [...(this.#supervisor?.streams.keys() ?? [])];
    return [...new Set([...desired, ...running])];
  }

  stream(id: string): SupervisedStream | undefined {
    return this.#supervisor?.streams.get(id) ?? this.#waiting.get(id);
  }

  /** The spec of a stream as it was compiled, or as desired when it was not. */
  sealedSpec(streamId: string): SealedSpec {
    return this.#sealed.get(streamId) ?? sealSpec(streamSpecOf(this.desired, streamId));
  }

  /** Takes over what is desired from now on; start() or apply() makes it so. */
  want(desired: Desired): void {
    this.desired = desired;
    this.#expect();
  }

  /** Runs the pipeline for the first time. */
  start(recipe: Recipe): void {
    const { compiled } = recipe;
    this.#supervisor = new PipelineSupervisor(compiled, this.#context);
    this.#live = new LivePipeline(this.#supervisor, recipe, this.#events);
    this.#observe(compiled, this.desired.generation);
    for (const { id } of compiled.streams) {
      this.#tellCreated(id);
      this.#supervisor.streams.get(id)?.tellAccelerator();
    }
    this.#tellNotes(compiled);
    this.#supervisor.start();
  }

  /** Goes over to what is desired in `generation`. Throws as PipelineSupervisor.apply(); the former spec runs on then. */
  apply(
    recipe: Recipe,
    generation: number,
    onProgress: (text: string) => void,
  ): Promise<readonly StreamChangeReport[]> {
    return this.#applies.run(async () => {
      if (this.#supervisor === undefined || this.#live === undefined) {
        this.start(recipe);
        return streamIdsOf(this.desired).map((streamId) => ({ streamId, effect: 'added' }));
      }
      const { streams: running } = this.#supervisor;
      const fresh = recipe.compiled.streams.filter(({ id }) => !running.has(id));
      for (const { id } of fresh) this.#tellCreated(id);
      const reports = await this.#live.apply(recipe, { onProgress }).catch((error: unknown) => {
        const { code, message } = toSightlineError(error);
        this.reason = { code, message };
        this.#events.emit('pipeline.failed', { pipelineId: this.id, generation, code, message });
        throw error;
      });
      this.#observe(recipe.compiled, generation);
      for (const { id } of fresh) running.get(id)?.tellAccelerator();
      for (const { streamId, effect } of reports) {
        if (effect === 'removed') this.tellRemoved(streamId);
      }
      this.#tellNotes(recipe.compiled);
      const streams = Object.fromEntries(reports.map(({ streamId, effect }) => [streamId, effect]));
      this.#events.emit('pipeline.applied', { pipelineId: this.id, generation, streams });
      return reports;
    });
  }

  /** Over to a fresh worker, without a gap. */
  recycle(onProgress: (text: string) => void): Promise<void> {
    const reason = { code: 'SL_CLOSED', message: 'A restart was asked for' } as const;
    return this.#applies.run(() => this.#supervisor?.recycle(reason, { revive: true, onProgress }));
  }

  /** The spec does not compile: its streams are `rejected` until it is changed. */
  reject(reason: Reason): void {
    this.reason = reason;
    for (const stream of this.#waiting.values()) stream.enter('rejected', { reason });
  }

  async close(drainMs: number): Promise<void> {
    await this.#supervisor?.close({ drainMs });
  }

  tellRemoved(streamId: string): void {
    this.#events.emit('stream.removed', { streamId, pipelineId: this.id });
  }

  #observe(compiled: CompiledPipeline, generation: number): void {
    this.observedGeneration = generation;
    this.reason = undefined;
    this.#sealed = new Map(compiled.streams.map(({ id, spec }) => [id, sealSpec(spec)]));
    this.#expect();
  }

  /** Whoever is desired and does not run yet is shown as `pending`. */
  #expect(): void {
    const missing = streamIdsOf(this.desired).filter((id) => !this.#supervisor?.streams.has(id));
    for (const id of this.#waiting.keys()) if (!missing.includes(id)) this.#waiting.delete(id);
    for (const id of missing) {
      if (this.#waiting.has(id)) continue;
      this.#waiting.set(id, new SupervisedStream(id, this.id, this.#events, this.#context.clock));
    }
  }

  #tellCreated(streamId: string): void {
    const { id: pipelineId, source } = this.desired;
    this.#events.emit('stream.created', { streamId, pipelineId, source });
  }

  #tellNotes({ notes = [] }: CompiledPipeline): void {
    for (const note of notes) {
      this.#events.emit('pipeline.note', { pipelineId: this.id, ...note });
    }
  }
}
