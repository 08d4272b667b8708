import type { ResolvedSource } from '../sources/resolve-source.ts';
import type { OnnxRuntimeSpec } from './onnxruntime-spec.ts';
import type {
  AnalyticsSpec,
  AnnotatedSpec,
  DeepStreamSpec,
  ImagesSpec,
  LatencySpec,
  RecordSpec,
  TrackSpec,
} from './spec.ts';

/** What the pipeline needs to know of an installed model. */
export interface ResolvedModel {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the nvinfer-style configuration. */
  readonly configFile: string;
  readonly labels: readonly string[];
  /** Whether one run can take several frames. */
  readonly dynamicBatch: boolean;
  /** What it finds: boxes in frames, or labels of objects. */
  readonly kind: 'detector' | 'classifier';
}

/** The installed models: a map, or a function that may throw `SightlineError` for one that is broken. */
export type ModelLookup =
  | ReadonlyMap<string, ResolvedModel>
  | ((name: string) => ResolvedModel | undefined);

export interface ResolvedInfer {
  readonly model: ResolvedModel;
  readonly interval: number;
  readonly threshold?: number;
  /** Indices in the model's labels, ascending; absent: all. */
  readonly classIds?: readonly number[];
  /** Absent: what suits the backend. */
  readonly batchSize?: number;
}

/** Component id of the primary detector; secondary steps follow from 2 in their order. */
export const PRIMARY_ID = 1;

export interface ResolvedSecondary {
  readonly id: string;
  readonly model: ResolvedModel;
  /** Component id, 2 and up. */
  readonly uniqueId: number;
  /** Component whose objects it looks at. */
  readonly operateOn: number;
  /** Indices in the labels of that component's model, ascending; absent: all. */
  readonly operateOnClassIds?: readonly number[];
  readonly threshold?: number;
  readonly interval: number;
  readonly minWidth: number;
  readonly minHeight: number;
  readonly batchSize: number;
}

/** An `AnalyticsSpec` whose streams exist and whose labels are indices of the primary model; absent: all. */
export interface ResolvedAnalytics {
  readonly zones: readonly Placed<AnalyticsSpec['zones'][number]>[];
  readonly lines: readonly Placed<AnalyticsSpec['lines'][number]>[];
  readonly directions: readonly Placed<AnalyticsSpec['directions'][number]>[];
}
export type Placed<T> = Omit<T, 'classes' | 'streams'> & {
  readonly classIds?: readonly number[];
  readonly streams?: readonly string[];
  /** Into the spec. */
  readonly pointer: string;
};

export type Accelerator = 'prefer-gpu' | 'require-gpu' | 'cpu';

/** The stream's own budget, or the pipeline's. */
export interface ResolvedLatency extends LatencySpec {
  /** Into the spec. */
  readonly pointer: string;
}

/** The stream's own recording, or the pipeline's. */
export interface ResolvedRecord extends RecordSpec {
  /** Into the spec. */
  readonly pointer: string;
}

/** An `ImagesSpec` with what follows from the rest of the pipeline. */
export type ResolvedImages = Pick<ImagesSpec, 'quality' | 'maxWidth' | 'models'> & {
  readonly everyMs: number;
  readonly when: NonNullable<ImagesSpec['when']>;
  readonly motion: NonNullable<ImagesSpec['motion']>;
};

export interface ResolvedStream {
  readonly id: string;
  readonly sensorId: string;
  readonly source: ResolvedSource;
  /** Into the spec. */
  readonly pointer: string;
  readonly latency?: ResolvedLatency;
  readonly record?: ResolvedRecord;
}

/** A pipeline in which every name was looked up. Deeply frozen. */
export interface ResolvedPipeline {
  readonly id: string;
  readonly accelerator: Accelerator;
  /** Absent: no detector looks at the frames, nor anything behind one. */
  readonly infer?: ResolvedInfer;
  /** In an order in which each works on a step before it. */
  readonly secondary: readonly ResolvedSecondary[];
  readonly track: TrackSpec;
  readonly analytics?: ResolvedAnalytics;
  readonly images?: ResolvedImages;
  readonly annotated?: AnnotatedSpec;
  readonly deepstream?: DeepStreamSpec;
  readonly onnxRuntime?: OnnxRuntimeSpec;
  /** Those to be run; none when all are switched off. */
  readonly streams: readonly ResolvedStream[];
}
