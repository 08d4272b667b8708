import type { SegmentEvent } from '../common/segments.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';

/**
 * The line between the control process and a worker.
 *
 * fd 3 (a socket pair): JSON, one message a line, both ways. Requests carry a deadline on the asking side.
 * fd 4 (worker to control): records, each `u32le length | u32le kind | payload`, `length` counting the payload only.
 * fd 5 (a file, optional): the worker's black box, see common/black-box.ts. The parent opens it and reads it after a death.
 * The worker's stdout and stderr hold its log lines. A worker whose fd 3 closes stops its pipelines and exits.
 */
export const CONTROL_FD = 3;
export const DATA_FD = 4;

/** Kinds of records on fd 4; equal to `GraphNode.outputKind`. */
export const DATA_KIND_FRAME = 1;
export const DATA_KIND_IMAGE = 2;
/** Larger records are refused by the reader: the worker is broken. 32 MiB. */
export const MAX_DATA_RECORD_BYTES = 32 * 1024 * 1024;

export interface WorkerMethods {
  /** Starts every graph. Resolves when all have begun to start (not when they are live). */
  start: { params: StartParams; result: Record<string, never> };
  /** Sends EOS, waits up to drainMs, stops everything. The worker exits with 0 afterwards. */
  stop: { params: { drainMs: number }; result: { drained: boolean } };
  /** GraphViz text of one graph, secrets removed. */
  dot: { params: { graphId: string }; result: { dot: string } };
  /**
   * Changes properties of a graph's nodes: in the pipeline that runs now, and in every later session of the graph. All of
   * them or, when one is refused, none. `applied` says for each change whether a running element took it.
   */
  set: {
    params: { graphId: string; changes: readonly PropertyChange[] };
    result: { applied: readonly boolean[] };
  };
  /** Starts more graphs beside those that run. Resolves when they have begun to start. `SL_CONFLICT` for a known id. */
  add: { params: { graphs: readonly Graph[] }; result: Record<string, never> };
  /** Drains one graph and forgets it. The worker goes on, also without any graph. `SL_NOT_FOUND`. */
  remove: { params: { graphId: string; drainMs: number }; result: { drained: boolean } };
  /**
   * Runs another graph for the same streams: it is started beside the one with the same id, which is drained and ends
   * when the new one has a picture. Throws, with the old one running on, when that does not come within `timeoutMs`.
   */
  replace: {
    params: { graph: Graph; drainMs: number; timeoutMs: number };
    result: Record<string, never>;
  };
}

export interface StartParams {
  readonly pipelineId: string;
  readonly graphs: readonly Graph[];
  readonly stream: StreamPolicy;
  /** Streams of graphs with others that are over already (a file that an earlier worker read to its end). */
  readonly over?: readonly string[];
  /** Streams with a graph of their own that an earlier worker was refused: they begin with a wait. */
  readonly waits?: Readonly<Record<string, StreamWait>>;
}

/** Why a stream is not tried at once, as the `backoff` that says so will have it. */
export interface StreamWait {
  readonly code: string;
  readonly message: string;
  readonly retryInMs: number;
}

/** How the worker brings a stream back. All waits in ms, monotonic clock. */
export interface StreamPolicy {
  /** Start to first decoded frame. Default 15000. */
  readonly firstFrameTimeoutMs: number;
  /** Gap after which a live stream counts as stalled and is reconnected. Default 10000. */
  readonly stallTimeoutMs: number;
  /** First back-off bound, doubled up to the cap, full jitter. Defaults 1000 and 30000. */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** No picture for this long, and for two frame intervals: `stalled`. Default 2000. */
  readonly stalledAfterMs?: number;
  /** Less than half of the usual frame rate for this long: `degraded`. Default 10000; back after 30 s clean. */
  readonly degradedAfterMs?: number;
  /** Probe interval after 401/403, so that a camera does not lock the account, and after a refused redirect. Default 300000. */
  readonly authProbeMs: number;
  /**
   * Within this GStreamer takes a start, or it hangs; the wait for the first picture begins afterwards. For graphs that
   * load TensorRT engines. Absent: 10000, and no more than `firstFrameTimeoutMs`, which counts from the beginning.
   */
  readonly startTimeoutMs?: number;
  /** For graphs that several streams share; absent keys: DEFAULT_SHARED_POLICY. */
  readonly shared?: Partial<SharedPolicy>;
}

/**
 * When a graph of several streams is started anew, which costs all of them some seconds. A source that reconnects by
 * itself (nvurisrcbin) never needs it.
 */
export interface SharedPolicy {
  /** No stream of the graph has had a picture for this long. Default 60000, and at least 6 s a stream. */
  readonly allSilentMs: number;
  /** For one stream whose source has failed and cannot come back inside: first wait, doubled up to the cap. */
  readonly rescueBaseMs: number;
  readonly rescueCapMs: number;
}

export const DEFAULT_SHARED_POLICY: SharedPolicy = {
  allSilentMs: 60_000,
  rescueBaseMs: 60_000,
  rescueCapMs: 3_600_000,
};

/** `stalled` and `degraded` come after `live`, which follows them when it is well again. */
export type StreamPhase =
  | 'connecting'
  | 'live'
  | 'degraded'
  | 'stalled'
  | 'backoff'
  | 'ended'
  | 'failed'
  | 'stopped';

/**
 * Where frames stopped: nothing arrives, the decoder gives nothing, the detector does not end, nothing leaves, or nothing is
 * written of what is to be recorded.
 */
export type StalledLayer = 'network' | 'decode' | 'infer' | 'publish' | 'record';

/** A stream changed phase. `live` is only said after a decoded frame. */
export interface StreamEvent {
  readonly event: 'stream';
  readonly streamId: string;
  readonly phase: StreamPhase;
  readonly session?: string;
  /** Why, for every phase but connecting, live and stopped. */
  readonly code?: string;
  readonly message?: string;
  readonly retryInMs?: number;
  readonly attempt?: number;
  /** With `stalled`, and with a `backoff` that follows from it. */
  readonly layer?: StalledLayer;
  /** What was measured, units in the names. */
  readonly observed?: Readonly<Record<string, number | string>>;
}

export interface StreamCounters {
  /** Access units that came in from the source, before the decoder. */
  readonly framesArrived: number;
  /** Pictures the decoder gave. */
  readonly framesDecoded: number;
  /** Of them those that the decoder marked as corrupt or patched up; absent: none was. */
  readonly framesCorrupt?: number;
  /** Frames the detector ran on. */
  readonly framesInferred: number;
  /** Frames that left as metadata. */
  readonly framesPublished: number;
  /** Frames left out before inference: it was busy, or it was asked for (skip-frames, drop-frame-interval). */
  readonly framesSkipped: number;
  /** Records dropped between the pipeline and fd 4 because the reader was slow. */
  readonly recordsDropped: number;
  /** Access units that were recorded, and that are in no file. Absent for a stream that is not recorded. */
  readonly framesRecorded?: number;
  readonly framesUnrecorded?: number;
  /** Media that was written, bytes. */
  readonly recordedBytes?: number;
}

/** Once a second. Counters grow over the worker's life, also across sessions. */
export interface StatsEvent {
  readonly event: 'stats';
  readonly monotonicMs: number;
  readonly rssBytes: number;
  /** User and system time of the process since its start. */
  readonly cpuMs: number;
  readonly threads: number;
  readonly fds: number;
  readonly streams: Readonly<Record<string, StreamCounters>>;
  /** What is known of each stream's frames now. */
  readonly facts: Readonly<Record<string, StreamFacts>>;
}

export interface StreamFacts {
  /** Since the last decoded picture; absent before the first of the session. */
  readonly lastFrameAgeMs?: number;
  /** Means over the last second; absent without a frame in it. */
  readonly decodeMs?: number;
  readonly inferMs?: number;
  /** How the capture time is known: `rtcp-sender-report`, `arrival` or `media`; absent before the first frame. */
  readonly clockQuality?: string;
  /** Frames left out before inference, by reason, since the worker's start. */
  readonly skipped?: Readonly<Record<string, number>>;
  /** What its graph does not do, because nobody asked for it. */
  readonly unasked?: readonly ('decode' | 'infer' | 'publish')[];
  /** Absent for a stream that is not recorded. */
  readonly recording?: RecordingFacts;
}

export interface RecordingFacts {
  /** Since a byte was written last; absent before the first file. */
  readonly writeAgeMs?: number;
  /** Why nothing is written now. */
  readonly failure?: string;
}

export interface ReadyEvent {
  readonly event: 'ready';
  readonly pid: number;
  readonly gstreamer: string;
}

export interface LogEvent {
  readonly event: 'log';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * A call into GStreamer does not come back: the streams of this graph are over here, and all others go on. Whoever hears it
 * takes the others elsewhere, since the process ends within FROZEN_STAY_MS. Not sent when the graph is the last: then it
 * ends at once, with EXIT_CODES.frozen.
 */
export interface FrozenEvent {
  readonly event: 'frozen';
  readonly graphId: string;
  readonly streams: readonly string[];
}

/** A model does not run on the GPU it was to, nor fails for it. */
export interface FallbackEvent {
  readonly event: 'fallback';
  readonly streamId: string;
  readonly message: string;
}

/** So long a worker with a graph that hangs goes on for the sake of the others. */
export const FROZEN_STAY_MS = 60_000;

export type WorkerEvent =
  | StreamEvent
  | StatsEvent
  | ReadyEvent
  | LogEvent
  | FrozenEvent
  | FallbackEvent
  | SegmentEvent;

export interface WorkerRequest<M extends keyof WorkerMethods = keyof WorkerMethods> {
  readonly id: number;
  readonly method: M;
  readonly params: WorkerMethods[M]['params'];
}

export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { code: string; message: string } };

/** Exit codes both sides know; docs/operations.md says what follows from each. */
export const EXIT_CODES = {
  ended: 0,
  badGraph: 40,
  pipelineFailed: 41,
  frozen: 42,
  parentGone: 43,
} as const;
