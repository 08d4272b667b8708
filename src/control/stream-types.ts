import type { FrameJson } from '../metadata/frame-json.ts';
import type { Backend, LoweringNote } from '../pipeline/graph.ts';
import type { Accelerator } from '../pipeline/resolved.ts';
import type { StreamCounters } from '../worker/protocol.ts';
import type { Condition } from './desired-types.ts';
import type { JsonObject, Reason, StreamSource, StreamState } from './words.ts';

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
  /** Absent for a stream that runs no model, or whose spec no longer compiles. */
  readonly accelerator?: AcceleratorStatus;
  /** Where the backend does otherwise than the spec says, with the pointer into the pipeline's spec. */
  readonly notes?: readonly LoweringNote[];
}

/** What a stream was to run on, and what it runs on. */
export interface AcceleratorStatus {
  readonly policy: Accelerator;
  readonly backend: Backend;
  /**
   * What runs the model: as the newest frame says ("TensorRT", "CUDAExecutionProvider"...), before the first frame as
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
