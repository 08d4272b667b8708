import type { GeneratedFile } from '../graph.ts';
import type { ResolvedModel } from '../resolved.ts';
import type { DeepStreamSpec } from '../spec.ts';

/** What one inference element of a DeepStream graph is to do: everything its configuration file depends on. */
export interface InferFileRequest {
  readonly model: ResolvedModel;
  /** Which element reads the file, and so its format: INI, or the protobuf text of Triton. */
  readonly engine: DeepStreamSpec['engine'];
  /** Component id (`gie-unique-id`): 1 the primary, 2 and up the secondary ones. */
  readonly uniqueId: number;
  /** 1: whole frames; 2: objects that another component found. */
  readonly processMode: 1 | 2;
  /** Largest batch; engines are built for exactly this one. */
  readonly batchSize: number;
  readonly precision: DeepStreamSpec['precision'];
  /** CUDA device. */
  readonly gpuId: number;
  /** Least score, for all classes; absent: the model's own. */
  readonly threshold?: number;
  /** Indices of labels that are found and then dropped, ascending; empty: none. */
  readonly dropClassIds: readonly number[];
  /** For process mode 2: whose objects, and which of them; no `classIds`: all. */
  readonly operateOn?: { readonly gieId: number; readonly classIds?: readonly number[] };
  /**
   * Process mode 1: batches to skip after each one. Process mode 2: frames after which a tracked object is looked at
   * again, 0 for each frame (nvinfer's `secondary-reinfer-interval`).
   */
  readonly interval: number;
  /** Least size of an object to look at, in pixels of the batch; 0: any. Process mode 2 only. */
  readonly minWidth: number;
  readonly minHeight: number;
  /** Absolute path of libsightline_parsers.so, for `custom-lib-path`. */
  readonly parserLibrary: string;
  /** Folder of Triton models, for nvinferserver. */
  readonly modelRepository?: string;
  /** JSON pointer into the spec, for problems. */
  readonly origin: string;
}

/** A configuration to write before the graph is built. */
export interface InferFile {
  /** Absolute, with a hash of the text in its name. */
  readonly path: string;
  readonly text: string;
  /** TensorRT engine the text names, absolute: when it is not there, the element builds it, which takes minutes. */
  readonly engineFile?: string;
  /** Further files that the text names. */
  readonly others?: readonly GeneratedFile[];
}

/**
 * Gives the configuration of one inference element. Pure: equal requests give equal files, and nothing is written.
 *
 * @throws SightlineError where the model cannot do what is asked, without naming the place in the spec.
 */
export type InferFileWriter = (request: InferFileRequest) => InferFile;
