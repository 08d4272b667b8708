import type { EngineRequest } from '../pipeline/engine-request.ts';
import type { Graph, LoweringNote } from '../pipeline/graph.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import type { StreamPolicy } from '../worker/protocol.ts';
import type { AcceleratorStatus } from './stream-types.ts';
import type { StreamSource } from './words.ts';

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
  /** What it was lowered to, and why; absent for one without a model. */
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
  /** What comes over the API (`source` is `api` or `fleet`) may open no files and gets the server's defaults. */
  pipeline(spec: PipelineSpec, source: StreamSource): CompiledPipeline | Promise<CompiledPipeline>;
}
