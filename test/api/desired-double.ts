import { checkValue } from '../../src/common/check.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { mergePatch } from '../../src/common/merge-patch.ts';
import type {
  CameraSpec,
  CameraView,
  Change,
  JobView,
  JsonObject,
  PipelineView,
  PutOptions,
  StreamView,
} from '../../src/control/types.ts';
import { PipelineSpec, StreamSpec } from '../../src/pipeline/spec.ts';

const EPOCH = Date.parse('2026-01-01T00:00:00Z');

interface Kept {
  readonly kind: 'pipeline' | 'stream';
  spec: JsonObject;
  generation: number;
  readonly createdAt: string;
  updatedAt: string;
}

function check(now: { readonly generation: number } | undefined, options: PutOptions = {}): void {
  if (options.create === true && now !== undefined) {
    throw new SightlineError('SL_PRECONDITION_FAILED', 'There is one already');
  }
  if (options.generation !== undefined && options.generation !== now?.generation) {
    throw new SightlineError('SL_PRECONDITION_FAILED', 'It was changed since');
  }
}

function status(id: string): StreamView['status'] {
  const since = new Date(EPOCH).toISOString();
  return {
    state: id.startsWith('live') ? 'live' : 'connecting',
    since,
    attempt: 1,
    conditions: [
      { type: 'Connected', status: 'unknown', reason: 'Waiting', message: 'No answer yet', since },
    ],
    flapping: false,
    counters: {
      framesArrived: 3,
      framesDecoded: 3,
      framesInferred: 2,
      framesPublished: 2,
      framesSkipped: 1,
      framesSkippedByReason: { busy: 1 },
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
  };
}

/**
 * Desired state in memory, with the rules of the real one: generations, preconditions, merge patches that are checked
 * against the schema, one owner of each stream id. Nothing runs; a job runs until `finishJobs`.
 */
export class DesiredDouble {
  readonly pipelines = new Map<string, Kept>();
  readonly jobs: JobView[] = [];
  readonly kept = new Map<string, CameraView>();
  /** Changes from now on answer with a job that runs. */
  slow = false;
  #ticks = 0;

  /** Each time later than the one before. */
  #now(): string {
    this.#ticks += 1;
    return new Date(EPOCH + this.#ticks).toISOString();
  }

  createStream(spec: StreamSpec): StreamView {
    this.#claim([spec.id], spec.id, undefined);
    this.#keep('stream', spec as unknown as JsonObject, undefined);
    return this.getStream(spec.id);
  }

  putPipeline(spec: PipelineSpec, options: PutOptions = {}): Change<PipelineView> {
    const now = this.pipelines.get(spec.id);
    check(now, options);
    this.#claim(
      spec.streams.map(({ id }) => id),
      spec.id,
      spec.id,
    );
    return this.#keep('pipeline', spec as unknown as JsonObject, now);
  }

  patchPipeline(id: string, patch: JsonObject, options: PutOptions = {}): Change<PipelineView> {
    const now = this.#pipeline(id);
    check(now, options);
    const schema = now.kind === 'stream' ? StreamSpec : PipelineSpec;
    const spec = checkValue(mergePatch(now.spec, patch), schema, { subject: 'the patched spec' });
    if (spec.id !== id) throw new SightlineError('SL_SPEC_INVALID', 'The id cannot change');
    return this.#keep(now.kind, spec as unknown as JsonObject, now);
  }

  patchStream(id: string, patch: JsonObject, options: PutOptions = {}): Change<PipelineView> {
    const { pipelineId } = this.getStream(id);
    const now = this.#pipeline(pipelineId);
    if (now.kind === 'stream') return this.patchPipeline(id, patch, options);
    const streams = (now.spec['streams'] as unknown as JsonObject[]).map((stream) =>
      stream['id'] === id ? mergePatch(stream, patch) : stream,
    );
    return this.patchPipeline(pipelineId, { streams }, options);
  }

  addStream(
    id: string,
    stream: PipelineSpec['streams'][number],
    options: PutOptions = {},
  ): Change<PipelineView> {
    const { spec } = this.#pipeline(id);
    this.#claim([stream.id], id, undefined);
    const streams = [...(spec['streams'] as unknown as JsonObject[]), stream];
    return this.patchPipeline(id, { streams } as unknown as JsonObject, options);
  }

  removePipeline(id: string, options: { generation?: number } = {}): void {
    check(this.#pipeline(id), options);
    this.pipelines.delete(id);
  }

  removeStream(id: string): void {
    const { pipelineId } = this.getStream(id);
    if (this.#pipeline(pipelineId).kind === 'stream') return void this.pipelines.delete(id);
    throw new SightlineError('SL_CONFLICT', 'It shares its pipeline with others');
  }

  restartPipeline(id: string): JobView {
    this.#pipeline(id);
    return this.#begin('pipeline.restart', id);
  }

  getPipeline(id: string): PipelineView {
    const { kind, spec, generation, createdAt, updatedAt } = this.#pipeline(id);
    const streams = this.#streamsOf(id).map((stream) => ({
      id: stream.id,
      state: stream.status.state,
    }));
    return {
      ...{ id, source: 'api', kind, spec, generation, createdAt, updatedAt },
      status: {
        observedGeneration: generation,
        states: streams.length === 0 ? {} : { connecting: streams.length },
        streams,
        workers: [{ pipelineId: id, state: 'running', streams: [], restarts: 0 }],
        incidents: 0,
      },
    };
  }

  listPipelines(): readonly PipelineView[] {
    return [...this.pipelines.keys()].map((id) => this.getPipeline(id));
  }

  listStreams(): readonly StreamView[] {
    return [...this.pipelines.keys()].flatMap((id) => this.#streamsOf(id));
  }

  getStream(id: string): StreamView {
    const stream = this.listStreams().find((each) => each.id === id);
    if (stream !== undefined) return stream;
    throw new SightlineError('SL_NOT_FOUND', `There is no stream '${id}'`);
  }

  getJob(id: string): JobView {
    const job = this.jobs.find((each) => each.id === id);
    if (job !== undefined) return job;
    throw new SightlineError('SL_NOT_FOUND', `There is no job '${id}'`);
  }

  finishJobs(state: 'succeeded' | 'failed' = 'succeeded'): void {
    for (const [index, job] of this.jobs.entries()) {
      const ended = { ...job, state, endedAt: this.#now(), progress: 'Done' };
      const error = { code: 'SL_TIMEOUT', message: 'No picture came' } as const;
      this.jobs[index] = state === 'failed' ? { ...ended, error } : ended;
    }
  }

  putCamera(id: string, spec: CameraSpec, options: PutOptions = {}) {
    const now = this.kept.get(id);
    check(now, options);
    const at = this.#now();
    const view: CameraView = {
      id,
      spec,
      generation: (now?.generation ?? 0) + 1,
      createdAt: now?.createdAt ?? at,
      updatedAt: at,
      status: now?.status ?? { streams: [], conditions: [] },
    };
    this.kept.set(id, view);
    return { view, created: now === undefined };
  }

  camera(id: string): CameraView {
    const camera = this.kept.get(id);
    if (camera !== undefined) return camera;
    throw new SightlineError('SL_NOT_FOUND', `There is no camera '${id}'`);
  }

  heartbeat(id: string, report?: JsonObject): CameraView {
    const camera = this.camera(id);
    const lastHeartbeatAt = this.#now();
    const beat = { ...camera.status, lastHeartbeatAt, ...(report && { lastReport: report }) };
    this.kept.set(id, { ...camera, status: beat });
    return this.camera(id);
  }

  #pipeline(id: string): Kept {
    const kept = this.pipelines.get(id);
    if (kept !== undefined) return kept;
    throw new SightlineError('SL_NOT_FOUND', `There is no pipeline '${id}'`);
  }

  #streamsOf(id: string): readonly StreamView[] {
    const { kind, spec, generation, createdAt } = this.#pipeline(id);
    const specs = kind === 'stream' ? [spec] : (spec['streams'] as unknown as JsonObject[]);
    return specs.map((stream) => {
      const streamId = String(stream['id']);
      return {
        ...{ id: streamId, pipelineId: id, source: 'api', spec: stream, createdAt, generation },
        status: status(streamId),
      };
    });
  }

  /** Ids are of one owner; `except` is the pipeline that may hold them already. */
  #claim(streams: readonly string[], pipeline: string, except: string | undefined): void {
    const others = this.listStreams().filter(({ pipelineId }) => pipelineId !== except);
    const taken = streams.find((id) => others.some((other) => other.id === id));
    if (taken === undefined && (except === pipeline || streams[0] !== pipeline)) return;
    if (taken === undefined && !this.pipelines.has(pipeline)) return;
    throw new SightlineError('SL_CONFLICT', `Stream '${taken ?? pipeline}' is there already`);
  }

  #keep(kind: Kept['kind'], spec: JsonObject, now: Kept | undefined): Change<PipelineView> {
    const id = String(spec['id']);
    const at = this.#now();
    const same = JSON.stringify(now?.spec) === JSON.stringify(spec);
    this.pipelines.set(id, {
      kind,
      spec,
      generation: (now?.generation ?? 0) + (same ? 0 : 1),
      createdAt: now?.createdAt ?? at,
      updatedAt: same ? (now?.updatedAt ?? at) : at,
    });
    const change = { view: this.getPipeline(id), created: now === undefined };
    return this.slow ? { ...change, job: this.#begin('pipeline.apply', id) } : change;
  }

  #begin(kind: JobView['kind'], subject: string): JobView {
    const job: JobView = {
      id: `job-${this.jobs.length + 1}`,
      ...{ kind, subject, state: 'running', createdAt: this.#now(), progress: 'Working' },
    };
    this.jobs.unshift(job);
    return job;
  }
}
