import type { ErrorCode } from '../common/errors.ts';
import type { PipelineSpec } from '../pipeline/spec.ts';
import type { JsonObject, Reason, StreamSource, StreamState, WorkerView } from './types.ts';

/** What a change of a spec meant for one stream. */
export type StreamEffect =
  | 'unchanged'
  /** It was not there before. */
  | 'added'
  | 'removed'
  /** Switched off by its spec, which still names it. */
  | 'disabled'
  /** Properties of running elements were set; no frame was missed. */
  | 'set'
  /** Its graph was started anew beside the old one, which ended once the new one had pictures. */
  | 'replaced'
  /** The whole pipeline went over to a fresh worker in the same way. */
  | 'handed-over'
  | 'restarted';

export interface StreamChangeReport {
  readonly streamId: string;
  readonly effect: StreamEffect;
}

/** Something that takes longer than an answer may wait. Kept in memory: the newest 1000. */
export interface JobView {
  readonly id: string;
  readonly kind: 'pipeline.apply' | 'pipeline.restart' | 'stream.apply';
  /** Id of the pipeline or stream. */
  readonly subject: string;
  readonly state: 'running' | 'succeeded' | 'failed';
  readonly createdAt: string;
  readonly endedAt?: string;
  /** One sentence: what it does now, or did last. */
  readonly progress: string;
  /** What it meant for each stream, once it is known. */
  readonly streams?: readonly StreamChangeReport[];
  readonly error?: Reason;
}

/** A change of the desired state: it is kept and has begun; `job` when it is not through yet. */
export interface Change<View> {
  readonly view: View;
  readonly created: boolean;
  readonly job?: JobView;
}

export interface PutOptions {
  /** Default `api`. */
  readonly source?: StreamSource;
  readonly labels?: Readonly<Record<string, string>>;
  /** Only when this is the generation now (If-Match): else `SL_PRECONDITION_FAILED`. */
  readonly generation?: number;
  /** Only when there is none yet (If-None-Match: *): else `SL_PRECONDITION_FAILED`. */
  readonly create?: boolean;
}

/** Several streams with one set of settings, as the API shows it. A stream made alone is a pipeline of the same id. */
export interface PipelineView {
  readonly id: string;
  readonly source: StreamSource;
  /** `stream`: made by `POST /v1/streams`; its spec is a StreamSpec. */
  readonly kind: 'pipeline' | 'stream';
  /** As given, with every secret replaced by `***`. */
  readonly spec: JsonObject;
  readonly labels?: Readonly<Record<string, string>>;
  /** Grows by one with each change of spec or labels; the ETag of the pipeline and of its streams. */
  readonly generation: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: {
    /** Generation that runs; behind `generation` while a change is under way. */
    readonly observedGeneration: number;
    /** How many streams are in each state. */
    readonly states: Readonly<Partial<Record<StreamState, number>>>;
    readonly streams: readonly { readonly id: string; readonly state: StreamState }[];
    readonly workers: readonly WorkerView[];
    /** Incidents on record. */
    readonly incidents: number;
    /** Why the spec does not run as it is, when it does not. */
    readonly reason?: Reason;
  };
}

/** Why a worker was put on record. */
export type IncidentKind = 'died' | 'hung' | 'frozen' | 'not-ready' | 'over-budget' | 'crash-loop';

/** One entry of the flight recorder. Every text in it has lost its secrets. */
export interface IncidentView {
  /** 1, 2, ... in the pipeline; never used again. */
  readonly n: number;
  readonly pipelineId: string;
  readonly kind: IncidentKind;
  readonly at: string;
  /** One sentence. */
  readonly message: string;
  readonly code: ErrorCode;
  readonly pid: number;
  readonly exitCode?: number;
  readonly signal?: string;
  /** How to get a core dump of this one or the next, by this machine's settings. */
  readonly coreHint?: string;
  readonly streams: readonly string[];
  /** Names and sizes of what was kept: graph.dot, spec.json, gst.log, bus.log, stderr.txt, counters.json... */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** A device as its owner declares it. Streams belong to it by their sensorId. */
export interface CameraSpec {
  readonly name?: string;
  /** It is expected to report at least this often; absent: it need not report. */
  readonly heartbeatIntervalMs?: number;
}

export interface CameraView {
  readonly id: string;
  readonly spec: CameraSpec;
  readonly labels?: Readonly<Record<string, string>>;
  readonly generation: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly status: {
    readonly lastHeartbeatAt?: string;
    /** What the camera said with its last beat. */
    readonly lastReport?: JsonObject;
    readonly streams: readonly { readonly id: string; readonly state: StreamState }[];
    readonly conditions: readonly Condition[];
  };
}

export const CONDITION_TYPES = [
  'Connected',
  'Decoding',
  'Inferring',
  'Recording',
  'Publishing',
  'ClockSynced',
  /** Of cameras: they report in time. */
  'Reachable',
] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** One thing that is so or not, apart from the others, with the evidence. */
export interface Condition {
  readonly type: ConditionType;
  readonly status: 'true' | 'false' | 'unknown';
  /** A word for programs: an error code, or `Ok`, `NotAsked`, `Waiting`. */
  readonly reason: string;
  readonly message: string;
  /** When `status` became what it is, RFC 3339. */
  readonly since: string;
  /** What was measured, units in the names. */
  readonly observed?: Readonly<Record<string, string | number | boolean>>;
  /** RFC 3339. */
  readonly nextTryAt?: string;
}

/** What streams cost this box, and how much is left. All in cores: 1.0 is one core in full use. */
export interface CapacityView {
  readonly cores: number;
  /** Admission refuses or degrades beyond it. */
  readonly limit: number;
  /** Measured over the last 10 s: the workers and this process. */
  readonly used: number;
  /** `reject`, `degrade`, `off`. */
  readonly policy: string;
  readonly streams: readonly {
    readonly id: string;
    readonly priority: number;
    /** Measured share of its worker. */
    readonly used: number;
    /** What it would take if no frame were skipped. */
    readonly demand: number;
    /** Inference interval that admission imposes; 0: none. */
    readonly imposedInterval: number;
  }[];
}

/** Pipelines as desired, and what becomes of them. */
export interface DesiredState {
  /**
   * Makes the world so: creates the pipeline or changes it with as little disturbance as the engine can. Texts `***`
   * where a secret is kept stand for that secret. Throws as createStream(), `SL_PRECONDITION_FAILED`, `SL_CONFLICT` for
   * a stream id that is taken elsewhere, `SL_ADMISSION_DENIED` with the numbers.
   */
  putPipeline(spec: PipelineSpec, options?: PutOptions): Promise<Change<PipelineView>>;
  /** JSON Merge Patch (RFC 7396) on the spec, secrets kept. Throws as putPipeline(), `SL_NOT_FOUND`. */
  patchPipeline(id: string, patch: JsonObject, options?: PutOptions): Promise<Change<PipelineView>>;
  /** The same for one stream: of its own, or a member's id, source, sensorId and the like in its pipeline. */
  patchStream(id: string, patch: JsonObject, options?: PutOptions): Promise<Change<PipelineView>>;
  /** Adds one stream to a pipeline that runs. */
  addStream(
    pipelineId: string,
    stream: PipelineSpec['streams'][number],
    options?: PutOptions,
  ): Promise<Change<PipelineView>>;
  /** Throws `SL_NOT_FOUND`, `SL_PRECONDITION_FAILED`; `SL_CONFLICT` for one of the folder, unless that is the `source`. */
  removePipeline(
    id: string,
    options?: { drainMs?: number; generation?: number; source?: StreamSource },
  ): Promise<void>;
  /** Over to a fresh worker, without a gap. Throws `SL_NOT_FOUND`. */
  restartPipeline(id: string): JobView;
  getPipeline(id: string): PipelineView;
  listPipelines(): readonly PipelineView[];
  /** Throws `SL_NOT_FOUND`. */
  getJob(id: string): JobView;
  listJobs(): readonly JobView[];
}

/** Cameras as declared. */
export interface Cameras {
  put(
    id: string,
    spec: CameraSpec,
    options?: PutOptions,
  ): { readonly view: CameraView; readonly created: boolean };
  remove(id: string, options?: { generation?: number }): void;
  get(id: string): CameraView;
  list(): readonly CameraView[];
  /** The camera says that it works. Throws `SL_NOT_FOUND`. */
  heartbeat(id: string, report?: JsonObject): CameraView;
}

/** The flight recorder's entries. */
export interface Incidents {
  /** Newest first. Throws `SL_NOT_FOUND` for an unknown pipeline without a record. */
  list(pipelineId: string): readonly IncidentView[];
  get(pipelineId: string, n: number): IncidentView;
  /** One file of it, as text. */
  read(pipelineId: string, n: number, name: string): Promise<string>;
}
