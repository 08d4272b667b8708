import { SightlineError } from '../common/errors.ts';
import type { EngineFacts } from './engine-key.ts';
import type { LoadedManifest } from './manifest.ts';

/** What one inference step of a pipeline does with a model: all that its configuration depends on beside the model. */
export interface InferUse {
  /** Component id of the step. */
  readonly uniqueId: number;
  /** 1: whole frames; 2: objects that another step found. */
  readonly processMode: 1 | 2;
  readonly batchSize: number;
  /** Least score, for all classes; absent: the manifest's. */
  readonly threshold?: number;
  /** Indices of labels that are found and then dropped. */
  readonly dropClassIds: readonly number[];
  /** For process mode 2: whose objects, and which; absent or no `classIds`: all. */
  readonly operateOn?: { readonly gieId: number; readonly classIds?: readonly number[] };
  /** Mode 1: batches to skip after each. Mode 2: frames after which a tracked object is looked at again. */
  readonly interval: number;
  /** Least size of an object, in pixels; mode 2. */
  readonly minWidth: number;
  readonly minHeight: number;
}

/** What TensorRT must know. */
export interface GpuUse {
  readonly precision: EngineFacts['precision'];
  readonly gpuId: number;
  /** Absolute path of libsightline_parsers.so. */
  readonly parserLibrary: string;
  /** nvinfer: where the engine is read and written; absolute. */
  readonly engineFile?: string;
}

/** A use that wants nothing special. */
export function plainUse({ manifest }: LoadedManifest): InferUse {
  const common = { batchSize: 1, dropClassIds: [], interval: 0, minWidth: 0, minHeight: 0 };
  return manifest.task === 'detector'
    ? { uniqueId: 1, processMode: 1, ...common }
    : { uniqueId: 2, processMode: 2, ...common };
}

/**
 * Refuses uses that nvinfer would take and then fail with, or quietly do otherwise.
 * @throws SightlineError `SL_MODEL_INVALID`.
 */
export function checkUse(model: LoadedManifest, use: InferUse, gpu?: GpuUse): void {
  const { name, task, batch } = model.manifest;
  const refuse = (why: string): never => {
    throw new SightlineError('SL_MODEL_INVALID', `Cannot use the model "${name}" so: ${why}`);
  };
  if (task === 'classifier' && use.processMode === 1) {
    refuse('it is a classifier, which looks at objects that a detector found');
  }
  if (batch === 'fixed' && use.batchSize > 1) {
    refuse(`its ONNX file takes one picture at a time, not ${use.batchSize}`);
  }
  if (gpu?.precision === 'int8' && model.calibrationFile === undefined) {
    refuse('precision int8 needs a calibration table, `calibration` in its manifest');
  }
}
