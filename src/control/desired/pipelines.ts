import { isDeepStrictEqual } from 'node:util';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { settlesWithin } from '../../common/waits.ts';
import type { SupervisorContext } from '../pipeline-supervisor.ts';
import type { KeptPipeline, Registry } from '../registry.ts';
import type { Change, Compiler, JobView, PutOptions, StreamSource } from '../types.ts';
import type { Job, Jobs } from './jobs.ts';
import { type Desired, ManagedPipeline, recipeOf } from './managed-pipeline.ts';
import { conflict, StreamNames } from './names.ts';
import { checkPreconditions } from './preconditions.ts';
import { KeyedSerial } from './serial.ts';
import { type KindedSpec, streamIdsOf } from './spec-edits.ts';

/** A change is answered at once; one that is through within this long is told as such, not as a job. */
const ANSWER_MS = 300;

export interface PipelinesOptions {
  readonly context: SupervisorContext;
  readonly compiler: Compiler;
  readonly jobs: Jobs;
  /** Throws `SL_ADMISSION_DENIED` for streams that the box cannot take. */
  readonly admit: (recipe: Awaited<ReturnType<typeof recipeOf>>, fresh: readonly string[]) => void;
  /** Throws `SL_CLOSED` before start() and after close(). */
  readonly registry: () => Registry;
}

/** What `change` is given to make what is desired from what was. */
export type Edit = (before: Desired | undefined) => KindedSpec;

export interface ChangeOptions extends PutOptions {
  /** How the job is called. Default `pipeline.apply`. */
  readonly job?: Pick<JobView, 'kind' | 'subject'>;
  /** Longest wait for the change to be through. Default 300. */
  readonly answerMs?: number;
}

/**
 * All pipelines that are desired. A change is checked, kept and begun before it is answered; changes of one pipeline are
 * made one after the other, those of different ones side by side.
 */
export class Pipelines {
  readonly #options: PipelinesOptions;
  readonly #pipelines = new Map<string, ManagedPipeline>();
  readonly #names = new StreamNames();
  readonly #serial = new KeyedSerial();

  constructor(options: PipelinesOptions) {
    this.#options = options;
  }

  /** In the order they were made. */
  all(): readonly ManagedPipeline[] {
    return [...this.#pipelines.values()];
  }

  find(id: string): ManagedPipeline | undefined {
    return this.#pipelines.get(id);
  }

  /** Throws `SL_NOT_FOUND`. */
  get(id: string): ManagedPipeline {
    const pipeline = this.#pipelines.get(id);
    if (pipeline !== undefined) return pipeline;
    throw new SightlineError('SL_NOT_FOUND', `There is no pipeline '${id}'`);
  }

  /** The pipeline of a stream. Throws `SL_NOT_FOUND`. */
  ofStream(streamId: string): ManagedPipeline {
    const pipeline = this.findByStream(streamId);
    if (pipeline !== undefined) return pipeline;
    throw new SightlineError('SL_NOT_FOUND', `There is no stream '${streamId}'`);
  }

  findByStream(streamId: string): ManagedPipeline | undefined {
    const pipeline = this.#pipelines.get(this.#names.ownerOf(streamId) ?? '');
    return pipeline?.stream(streamId) === undefined ? undefined : pipeline;
  }

  /** Makes a pipeline. Throws `SL_CONFLICT` when there is one, what compiling throws, `SL_ADMISSION_DENIED`. */
  create(id: string, made: KindedSpec, options: PutOptions = {}): Promise<ManagedPipeline> {
    return this.#serial.run(id, async () => {
      this.#options.registry();
      if (this.#pipelines.has(id)) throw conflict(`${made.kind} '${id}'`);
      return this.#create(id, made, options);
    });
  }

  /** Makes or changes a pipeline; `edit` gives the new spec. Throws as create(), `SL_PRECONDITION_FAILED`. */
  change(id: string, edit: Edit, options: ChangeOptions = {}): Promise<Change<ManagedPipeline>> {
    return this.#serial.run(id, async () => {
      this.#options.registry();
      const pipeline = this.#pipelines.get(id);
      checkPreconditions(`pipeline '${id}'`, pipeline?.desired.generation, options);
      if (pipeline !== undefined) return this.#change(pipeline, edit, options);
      return { view: await this.#create(id, edit(undefined), options), created: true };
    });
  }

  /** Forgets the pipeline, drains its streams and ends its workers. Throws as DesiredState.removePipeline(). */
  remove(
    id: string,
    drainMs: number,
    options: { generation?: number; source?: StreamSource } = {},
  ): Promise<void> {
    return this.#serial.run(id, async () => {
      const pipeline = this.get(id);
      checkPreconditions(`pipeline '${id}'`, pipeline.desired.generation, options);
      // What a file of the watched folder asks for would be missed until the file changes; the fleet's is its assigner's.
      if (['folder', 'fleet'].includes(pipeline.desired.source))
        refuseForeign(pipeline.desired, options);
      // First of all: a crash from here on must not bring it back.
      const registry = this.#options.registry();
      if (pipeline.desired.source === 'api') registry.removePipeline(id);
      const streamIds = pipeline.streamIds();
      await pipeline.close(drainMs);
      this.#pipelines.delete(id);
      this.#names.release(streamIds);
      for (const streamId of streamIds) pipeline.tellRemoved(streamId);
      if (pipeline.desired.kind === 'pipeline') {
        this.#options.context.events.emit('pipeline.removed', { pipelineId: id });
      }
    });
  }

  /** Over to a fresh worker. Throws `SL_NOT_FOUND`. */
  restart(id: string): JobView {
    const pipeline = this.get(id);
    const { jobs } = this.#options;
    const facts = { kind: 'pipeline.restart', subject: id, progress: 'A fresh worker takes over' };
    const job = jobs.start(
      facts as Pick<JobView, 'kind' | 'subject' | 'progress'>,
      async (tell) => {
        await pipeline.recycle(tell);
        return { progress: 'A fresh worker runs the pipeline' };
      },
    );
    return jobs.get(job.id);
  }

  /**
   * Brings up a pipeline that is known to be wanted, shown from the first moment on. Throws `SL_CONFLICT` for one whose
   * names are taken, which is not shown; what compiling throws for one that does not compile, which stays as `rejected`.
   */
  bringUp(desired: Desired): Promise<void> {
    const { context, compiler } = this.#options;
    return this.#serial.run(desired.id, async () => {
      if (this.#pipelines.has(desired.id)) throw conflict(`${desired.kind} '${desired.id}'`);
      this.#names.claim(desired.id, streamIdsOf(desired));
      const pipeline = new ManagedPipeline(desired, context);
      this.#pipelines.set(desired.id, pipeline);
      try {
        // The schema may have changed since it was kept: the compiler checks it like any other.
        const recipe = await recipeOf(desired, compiler);
        this.#options.registry();
        pipeline.start(recipe);
      } catch (error) {
        const { code, message, problems } = toSightlineError(error);
        pipeline.reject({ code, message, problems });
        throw error;
      }
    });
  }

  /** Brings a pipeline of the registry back. Whatever is wrong with it is shown or told. */
  async restore(kept: KeptPipeline): Promise<void> {
    try {
      await this.bringUp({ ...kept, source: 'api' });
    } catch (error) {
      const { code, message } = toSightlineError(error);
      if (this.#pipelines.get(kept.id)?.desired.source === 'api') return;
      const ids = kept.kind === 'stream' ? { streamId: kept.id } : { pipelineId: kept.id };
      this.#options.context.events.emit('stream.shadowed', { ...ids, code, message });
    }
  }

  async close(drainMs: number): Promise<void> {
    await Promise.all(this.all().map((pipeline) => pipeline.close(drainMs)));
  }

  async #create(id: string, made: KindedSpec, options: PutOptions): Promise<ManagedPipeline> {
    const { source = 'api', labels = {} } = options;
    const { compiler, context, registry } = this.#options;
    const streamIds = streamIdsOf(made);
    const claimed = this.#names.claim(id, streamIds);
    try {
      const now = context.clock.now();
      const times = { createdAt: now, updatedAt: now };
      const desired: Desired = { ...made, id, source, labels, generation: 1, ...times };
      const recipe = await recipeOf(desired, compiler);
      this.#options.admit(recipe, streamIds);
      if (source === 'api') registry().putPipeline(desired);
      else registry();
      const pipeline = new ManagedPipeline(desired, context);
      this.#pipelines.set(id, pipeline);
      pipeline.start(recipe);
      return pipeline;
    } catch (error) {
      this.#names.release(claimed);
      throw error;
    }
  }

  async #change(
    pipeline: ManagedPipeline,
    edit: Edit,
    options: ChangeOptions,
  ): Promise<Change<ManagedPipeline>> {
    const before = pipeline.desired;
    refuseForeign(before, options);
    const after = edit(before);
    const { labels = before.labels } = options;
    const same = isDeepStrictEqual(after, { kind: before.kind, spec: before.spec });
    const runs = pipeline.observedGeneration === before.generation;
    if (same && runs && isDeepStrictEqual(labels, before.labels)) {
      return { view: pipeline, created: false };
    }
    const generation = before.generation + 1;
    const updatedAt = this.#options.context.clock.now();
    const desired: Desired = { ...before, ...after, labels, generation, updatedAt };
    const fresh = this.#names.claim(pipeline.id, streamIdsOf(desired));
    try {
      const recipe = await recipeOf(desired, this.#options.compiler);
      this.#options.admit(recipe, fresh);
      const registry = this.#options.registry();
      if (desired.source === 'api') registry.putPipeline(desired);
      pipeline.want(desired);
      const { id: pipelineId } = pipeline;
      this.#options.context.events.emit('pipeline.changed', { pipelineId, generation });
      return await this.#begin(pipeline, recipe, options);
    } catch (error) {
      if (pipeline.desired === before) this.#names.release(fresh);
      throw error;
    }
  }

  /** Applies in the background, and waits a little for it. */
  async #begin(
    pipeline: ManagedPipeline,
    recipe: Awaited<ReturnType<typeof recipeOf>>,
    { job: named, answerMs = ANSWER_MS }: ChangeOptions,
  ): Promise<Change<ManagedPipeline>> {
    const { jobs } = this.#options;
    const { generation } = pipeline.desired;
    const facts = named ?? { kind: 'pipeline.apply' as const, subject: pipeline.id };
    const progress = `Goes over to generation ${generation}`;
    const job: Job = jobs.start({ ...facts, progress }, async (tell) => {
      const streams = await pipeline.apply(recipe, generation, tell);
      return { progress: `Runs generation ${generation}`, streams };
    });
    if (await settlesWithin(job.ended, answerMs)) this.#forget(pipeline);
    else void job.ended.then(() => this.#serial.run(pipeline.id, () => this.#forget(pipeline)));
    const view = jobs.get(job.id);
    if (view.state === 'succeeded') return { view: pipeline, created: false };
    return { view: pipeline, created: false, job: view };
  }

  /** Streams that neither are desired nor run any more free their names. */
  #forget(pipeline: ManagedPipeline): void {
    if (this.#pipelines.get(pipeline.id) !== pipeline) return;
    this.#names.releaseUnless(pipeline.id, new Set(pipeline.streamIds()));
  }
}

const PLACES = {
  folder: 'a file of the configuration folder',
  config: 'the configuration',
  fleet: 'the fleet (PUT /v1/fleet/streams)',
  api: 'the API',
} as const;

/** What stands in a file is changed in the file: the next start would undo anything else. */
function refuseForeign({ id, source }: Desired, options: Pick<PutOptions, 'source'>): void {
  if (source === (options.source ?? 'api')) return;
  const where = PLACES[source];
  throw new SightlineError(
    'SL_CONFLICT',
    source === 'api'
      ? `Cannot take over '${id}': it was made by the API. Remove it there first.`
      : `Cannot change '${id}': it comes from ${where}. Change it there.`,
  );
}
