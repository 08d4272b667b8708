import type { OutboxRecord } from '../common/delivery.ts';
import type { SegmentEvent } from '../common/segments.ts';
import type { ZoneSpec } from '../pipeline/analytics-spec.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import type { Cameras, CapacityView, DesiredState, Incidents } from './desired-types.ts';
import type { Events } from './event-types.ts';
import type { LatestFrame, LatestImage, StreamView } from './stream-types.ts';
import type { StreamSource } from './words.ts';
import type { WorkerView } from './worker-types.ts';

export * from './compiled-types.ts';
export * from './desired-types.ts';
export * from './event-types.ts';
export * from './stream-types.ts';
export * from './words.ts';
export * from './worker-types.ts';

/**
 * Takes the records of all workers, in the order they came from each. While the promise it returned is not settled,
 * nothing more is read from that worker (the back-pressure of a full outbox). A rejection counts the batch as refused.
 */
export type RecordConsumer = (records: readonly OutboxRecord[]) => void | Promise<void>;

/**
 * Takes what workers say of recorded files, in the order of each stream. Called from the line to the worker: it returns at
 * once. What a worker that died had under way is never told: look into the folder for it.
 */
export type SegmentConsumer = (event: SegmentEvent) => void;

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
