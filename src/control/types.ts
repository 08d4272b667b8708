import type { OutboxRecord } from '../common/delivery.ts';
import type { ErrorCode, Problem } from '../common/errors.ts';
import type { FrameJson } from '../metadata/frame-json.ts';
import type { ZoneSpec } from '../pipeline/analytics-spec.ts';
import type { EngineRequest } from '../pipeline/engine-request.ts';
import type { Backend, Graph, LoweringNote } from '../pipeline/graph.ts';
import type { Accelerator } from '../pipeline/resolved.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import type { StreamCounters, StreamPolicy } from '../worker/protocol.ts';
import type { Cameras, CapacityView, Condition, DesiredState, Incidents } from './desired-types.ts';

export * from './desired-types.ts';

/** Anything JSON can hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/**
 * Who asked for a stream: a configuration file (read again at each start), a folder of specs that is watched, or the API
 * (kept in the registry).
 */
export type StreamSource = 'config' | 'folder' | 'api';

/**
 * Where a stream is in its life. `live` is only said after a decoded frame. In `preparing` its TensorRT engines are
 * built, which takes minutes and happens once; the reason says how far that is. `degraded`, `stalled`, `disabled` and
 * `quarantined` are entered by supervision; a reader must know them all.
 */
export const STREAM_STATES = [
  'disabled',
  'pending',
  'preparing',
  'connecting',
  'live',
  'degraded',
  'stalled',
  'backoff',
  'draining',
  'stopped',
  'rejected',
  'quarantined',
] as const;
export type StreamState = (typeof STREAM_STATES)[number];

/** Why something is as it is: `code` for programs, `message` for people (secrets removed). */
export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
  /** Every problem of a refused document. */
  readonly problems?: readonly Problem[];
}

/** Totals since the stream was created; they never fall, also when its worker is replaced. */
export interface StreamTotals extends StreamCounters {
  /**
   * `framesSkipped` by reason: `busy` (the detector was), `budget-oldest`, `budget-newest`, `non-key` (the latency budget),
   * `skip-frames`, `drop-interval` (live commands).
   */
  readonly framesSkippedByReason: Readonly<Record<string, number>>;
  /** Frame messages that arrived from the worker and were handed on. */
  readonly framesReceived: number;
  readonly imagesReceived: number;
  /** Records the consumer failed to take (its promise was rejected). */
  readonly recordsRefused: number;
  /** Records of a worker whose stream another one had taken over already: they show moments that were handed on. */
  readonly recordsOverlapped: number;
  /** Times the stream left `live` or a try failed and it had to connect again. */
  readonly reconnects: number;
  /** Times its worker died and was started again. */
  readonly workerRestarts: number;
}

export interface StreamStatus {
  readonly state: StreamState;
  /** Wall clock of the last change of state, RFC 3339. */
  readonly since: string;
  /** Why, for every state that needs a reason. */
  readonly reason?: Reason;
  /** When the next try comes (wall clock, RFC 3339), in `backoff` and in `rejected` with a slow probe. */
  readonly retryAt?: string;
  /** Tries to connect since the stream was last live; 0 before the first. */
  readonly attempt: number;
  /** What is so and what is not, each with its evidence. */
  readonly conditions: readonly Condition[];
  /** Its pictures came or went more than 6 times in 5 minutes. */
  readonly flapping: boolean;
  /** Session of the frames that come now; absent before the first. */
  readonly session?: string;
  readonly counters: StreamTotals;
  /** Means over the last 5 s, frames a second; 0 when nothing was heard for 3 s. */
  readonly fps: { readonly decoded: number; readonly inferred: number; readonly published: number };
  /** First packet to metadata, over the last 256 looked-at frames (5 a second); absent before the first. */
  readonly latencyMs?: { readonly p50: number; readonly p95: number };
  /** Objects by class in the newest frame; empty unless live. */
  readonly objects: Readonly<Record<string, number>>;
  /** For each class the most objects seen in one frame of the last second (5 frames looked at); empty unless live. */
  readonly objectsLastSecond: Readonly<Record<string, number>>;
  /** Arrival of the newest frame message, RFC 3339. */
  readonly lastFrameAt?: string;
  /** Absent for a stream whose spec no longer compiles. */
  readonly accelerator?: AcceleratorStatus;
  /** Where the backend does otherwise than the spec says, with the pointer into the pipeline's spec. */
  readonly notes?: readonly LoweringNote[];
}

/** What a stream was to run on, and what it runs on. */
export interface AcceleratorStatus {
  readonly policy: Accelerator;
  readonly backend: Backend;
  /**
   * What runs the model: as the newest frame says ("TensorRT", "CPUExecutionProvider"...), before the first frame as
   * planned.
   */
  readonly executionProvider: string;
  /** True when `policy` prefers a GPU and the model runs without one. */
  readonly degraded: boolean;
  /** Why the CPU, where a GPU was preferred. */
  readonly fallbackReason?: string;
}

/** A stream as the API shows it. */
export interface StreamView {
  readonly id: string;
  readonly pipelineId: string;
  readonly source: StreamSource;
  /** As given, with every secret replaced by `***`. */
  readonly spec: JsonObject;
  /** What whoever made it wrote down with it; kept like the spec. Never a secret. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Settings that were changed while it ran (see `LiveCommand`). They end with the server; the spec stays as it is. */
  readonly changes?: JsonObject;
  readonly createdAt: string;
  /** Of its pipeline: see PipelineView. */
  readonly generation: number;
  readonly status: StreamStatus;
}

/** The newest frame message of a stream. */
export interface LatestFrame {
  readonly frame: FrameJson;
  readonly receivedAt: string;
}

/** The newest stored picture of a stream. */
export interface LatestImage {
  readonly data: Uint8Array;
  /** `image/jpeg`. */
  readonly contentType: string;
  /** Frame the picture shows; decimal. */
  readonly frameSequence: string;
  readonly session: string;
  readonly ref: string;
  readonly width: number;
  readonly height: number;
  readonly receivedAt: string;
  /** The very frame's metadata, so that boxes drawn on the picture fit it; absent when it has not arrived. */
  readonly frame?: FrameJson;
}

export type LaneName = 'main' | 'suspects' | 'solo' | 'next';

/** `crash_loop`: it died too often and is tried only every few minutes. */
export type WorkerState =
  | 'starting'
  | 'running'
  | 'backoff'
  | 'crash_loop'
  | 'draining'
  | 'stopped';

/** How a worker process ended. */
export interface WorkerExit {
  /** `ended`: by itself, all streams were over. `stopped`: we asked. `died`: neither. */
  readonly kind: 'ended' | 'stopped' | 'died';
  /** Why we gave it up, where we did: `SL_WORKER_HUNG`, `SL_WORKER_NOT_READY`... */
  readonly fault?: ErrorCode;
  /** Exit code. */
  readonly code?: number;
  readonly signal?: string;
  /** One sentence: why, and for `stopped` how far we had to go (drained, SIGTERM, SIGKILL). */
  readonly message: string;
  /** Its last lines on stderr, secrets removed. */
  readonly stderrTail: readonly string[];
  readonly at: string;
}

export interface WorkerView {
  readonly pipelineId: string;
  readonly state: WorkerState;
  readonly streams: readonly string[];
  /** Absent while no process runs. */
  readonly pid?: number;
  /** As of its last report. */
  readonly rssBytes?: number;
  readonly threads?: number;
  readonly fds?: number;
  /** Cores in use over the last seconds. */
  readonly cpu?: number;
  /**
   * `main`, or why there is another one of this pipeline: `suspects` (some of its streams, one of which is thought to crash
   * it), `solo` (a suspect alone), `next` (a hand-over is under way).
   */
  readonly lane?: LaneName;
  /** Times it was started again after it died. */
  readonly restarts: number;
  readonly startedAt?: string;
  readonly retryAt?: string;
  readonly lastExit?: WorkerExit;
}

/**
 * Something that happened. Types: `stream.created`, `stream.<state>`, `stream.changed` (a setting, while it runs),
 * `stream.removed`, `stream.shadowed`, `stream.accelerator` (what it is compiled for, and again when its frames say
 * otherwise), `pipeline.note` (where the backend does otherwise than the spec says), `worker.starting`, `worker.running`
 * (the process is ready; it is given its streams next), `worker.exited`, `worker.crash_loop`, `worker.recycling` and
 * `worker.recycled` (a fresh one takes over; `gap`), `worker.bisecting` (its streams are split to find the one at fault),
 * `worker.merged`, `stream.gap` (`gapMs` without pictures, for a successor that could not run beside it), `stream.flapping`, `incident.recorded`, `records.refused`, `records.unreadable`,
 * `records.unread`, `pipeline.changed` (kept), `pipeline.applied` (it runs), `pipeline.failed`, `pipeline.removed`,
 * `stream.throttled` and `stream.unthrottled` (by admission, with the numbers), `camera.created`, `camera.changed`,
 * `camera.removed`, `camera.reachable`, `camera.unreachable`, `config.invalid` (a file of the watched folder). The other
 * keys are facts of the type.
 */
export interface ControlEvent {
  /** Grows by one; also over restarts of the server the next id is larger. */
  readonly id: number;
  /** Wall clock, RFC 3339. */
  readonly time: string;
  readonly type: string;
  readonly streamId?: string;
  readonly pipelineId?: string;
  readonly [fact: string]: Json;
}

export interface EventSubscription extends AsyncIterable<ControlEvent> {
  /** True when events after `afterId` are already gone: tell the client to read everything anew. */
  readonly reset: boolean;
  /** `slow`: more than `maxQueued` events waited. The iteration ends in every case. */
  readonly ended: 'open' | 'closed' | 'slow';
  /** Ends the iteration. Idempotent. */
  close(): void;
}

export interface Events {
  /** Id of the newest event, or of the one before the first. */
  readonly lastId: number;
  /** Subscribers now, and how many were cut off because they were slow. */
  readonly stats: { readonly subscribers: number; readonly slowDisconnects: number };
  /**
   * Events after `afterId` (default: only new ones), then new ones as they come. A subscriber with more than
   * `maxQueued` (default 1000) events waiting is cut off.
   */
  subscribe(options?: {
    afterId?: number;
    maxQueued?: number;
    signal?: AbortSignal;
  }): EventSubscription;
  /** Adds an event, tells the log, and wakes subscribers. */
  emit(type: string, facts?: Readonly<Record<string, Json>>): ControlEvent;
  /** Newest events, oldest first, at most `limit` (default 100). */
  recent(limit?: number): readonly ControlEvent[];
}

/** What a pipeline is compiled for: all but what its frames will say. */
export type PlannedAccelerator = Omit<AcceleratorStatus, 'degraded'>;

/** What services hands in for a spec: graphs ready to run. */
export interface CompiledPipeline {
  readonly pipelineId: string;
  readonly graphs: readonly Graph[];
  /** The pipeline's streams, with the spec to show for each. One that is in none of the graphs is `disabled`. */
  readonly streams: readonly { readonly id: string; readonly spec: StreamSpec }[];
  /** What must be in the engine cache before the graphs run; absent or empty on the CPU. */
  readonly engines?: readonly EngineRequest[];
  /** Defaults of `StreamPolicy` where absent. */
  readonly policy?: Partial<StreamPolicy>;
  /** What it was lowered to, and why. */
  readonly accelerator?: PlannedAccelerator;
  /** Where the backend does otherwise than the spec says. */
  readonly notes?: readonly LoweringNote[];
  /** Variables the worker is started with (`Lowered.environment`). */
  readonly environment?: Readonly<Record<string, string>>;
}

/** How far an engine is that a pipeline waits for. */
export interface EngineProgress {
  readonly request: EngineRequest;
  /** `queued`: other engines are built first, one at a time on a machine. */
  readonly phase: 'queued' | 'building';
  /** Since the pipeline began to wait, or since the build began. */
  readonly elapsedMs: number;
}

/** The TensorRT engines of this machine. */
export interface EngineStore {
  /**
   * Builds what is missing; resolves when every engine can be used. Callers that want the same engine wait for one
   * build; when the last of them aborts, it ends. `onProgress` is called about once a second while one is missing.
   * Throws `SL_ENGINE_FAILED` with the last words of the build, `SL_UNAVAILABLE` when the cache cannot be written,
   * `SL_CLOSED` when `signal` aborts.
   */
  ensure(
    requests: readonly EngineRequest[],
    options: {
      readonly signal: AbortSignal;
      readonly onProgress: (progress: EngineProgress) => void;
    },
  ): Promise<void>;
  /** Counted since the start of the process, for metrics. */
  readonly stats: EngineStats;
}

export interface EngineStats {
  /** Engines that were there when a pipeline asked. */
  readonly reused: number;
  readonly built: number;
  readonly failed: number;
  /** Being built now: 0 or 1. */
  readonly building: number;
  readonly buildSeconds: number;
}

/** Turns specs into graphs; throws `SL_SPEC_INVALID` (with problems), `SL_MODEL_NOT_FOUND`, `SL_MODEL_INVALID`... */
export interface Compiler {
  /** A stream made by the API: a pipeline of its own with the id of the stream. */
  stream(spec: StreamSpec): CompiledPipeline | Promise<CompiledPipeline>;
  /** What comes over the API (`source` is `api`) may open no files and gets the server's defaults. */
  pipeline(spec: PipelineSpec, source: StreamSource): CompiledPipeline | Promise<CompiledPipeline>;
}

/**
 * Takes the records of all workers, in the order they came from each. While the promise it returned is not settled,
 * nothing more is read from that worker (the back-pressure of a full outbox). A rejection counts the batch as refused.
 */
export type RecordConsumer = (records: readonly OutboxRecord[]) => void | Promise<void>;

/** What can be changed of a stream while it runs. */
export type LiveCommand =
  /** Frames to pass without inference after each inferred one. */
  | { readonly kind: 'infer-interval'; readonly interval: number }
  /** What is decoded: 0 all pictures, 1 not those that no other one needs, 2 key frames only. */
  | { readonly kind: 'skip-frames'; readonly mode: 0 | 1 | 2 }
  /** One decoded frame in `interval` goes on; 0: all. */
  | { readonly kind: 'drop-frame-interval'; readonly interval: number }
  /** The stream's zones, all of them. Counters of its zones and lines start over. */
  | { readonly kind: 'zones'; readonly zones: readonly ZoneSpec[] }
  /** The analytics' configuration is read again: its counters start over. */
  | { readonly kind: 'analytics-reload' };

export interface LiveChange {
  /** True: it is in force now. False: no pipeline of the stream runs; it is from its next start on. */
  readonly applied: boolean;
  /** The streams it holds for: more than the one where streams share a detector. */
  readonly streams: readonly string[];
}

export interface CreateOptions {
  /** Default `api`. */
  readonly source?: StreamSource;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface StartOptions {
  /** Pipelines of a configuration file. Their ids win over those of the registry, which are told as `stream.shadowed`. */
  readonly pipelines?: readonly PipelineSpec[];
}

/** The facade over registry, supervisors and events: what `api` and `services` use. */
export interface Orchestrator extends DesiredState, AsyncDisposable {
  readonly events: Events;
  readonly cameras: Cameras;
  readonly incidents: Incidents;
  /** What the box has left. */
  capacity(): CapacityView;
  /**
   * Brings back the pipelines of the registry beside those of the configuration, all at once: they are shown from the
   * first moment. One of the registry whose spec no longer compiles is shown as `rejected`. Once. Resolves when all have
   * begun; throws as addPipeline() for one of the configuration.
   */
  start(options?: StartOptions): Promise<void>;
  /**
   * Checks the spec, keeps it (source `api`), and starts its pipeline. Resolves when the start has begun, not when it
   * is live. Throws `SL_CONFLICT` when the id is taken, `SL_SPEC_INVALID` and the model codes before anything starts,
   * `SL_CLOSED` after close().
   */
  createStream(spec: StreamSpec, options?: CreateOptions): Promise<StreamView>;
  /** Starts a pipeline of a configuration file; its streams are not kept. Throws as createStream(). */
  addPipeline(spec: PipelineSpec): Promise<readonly StreamView[]>;
  /**
   * Forgets the stream and drains it within `drainMs` (default 5000). Resolves when nothing of it is left. The last stream
   * of a pipeline takes the pipeline with it. Throws `SL_NOT_FOUND`, `SL_PRECONDITION_FAILED`; `SL_CONFLICT` for one of
   * several in a pipeline of the configuration.
   */
  removeStream(id: string, options?: { drainMs?: number; generation?: number }): Promise<void>;
  /**
   * Changes a stream while it runs; the change outlives reconnects and its worker, not the server. Throws `SL_NOT_FOUND`,
   * `SL_UNAVAILABLE` for a stream that is over, `SL_BACKEND_UNSUPPORTED` when nothing in its pipeline can do it,
   * `SL_SPEC_INVALID` for a value that is refused (nothing is changed then), `SL_TIMEOUT`.
   */
  control(streamId: string, command: LiveCommand): Promise<LiveChange>;
  /**
   * Whether the stream was made with this very source URL, credentials included; compared in constant time. False for a
   * stream that does not exist or has no URL.
   */
  hasUrl(streamId: string, url: string): boolean;
  /** Throws `SL_NOT_FOUND`. */
  getStream(id: string): StreamView;
  /** All streams, ordered by creation, then id. */
  listStreams(): readonly StreamView[];
  /** Undefined before the first frame. Throws `SL_NOT_FOUND`. */
  getLatestFrame(id: string): LatestFrame | undefined;
  /** Undefined before the first picture. Throws `SL_NOT_FOUND`. */
  getLatestImage(id: string): LatestImage | undefined;
  workers(): readonly WorkerView[];
  /** GraphViz text of a stream's running graph, secrets removed. Throws `SL_NOT_FOUND`, `SL_UNAVAILABLE`, `SL_TIMEOUT`. */
  dot(streamId: string, options?: { signal?: AbortSignal }): Promise<string>;
  /** Drains all pipelines at once within `drainMs` (default 3000), then ends what is left. Idempotent. */
  close(options?: { drainMs?: number }): Promise<void>;
}
