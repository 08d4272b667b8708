import type { LoweringNote, PropertyValue } from '../graph.ts';
import type { ResolvedModel } from '../resolved.ts';

/** ONNX Runtime is to run the models on a GPU; everything else stays on the CPU. */
export interface CpuGpu {
  readonly provider: 'cuda' | 'tensorrt';
  readonly gpuId: number;
  /** A model that would run on the CPU fails in place of that. */
  readonly required: boolean;
  /** Absolute folder of the engines that ONNX Runtime's TensorRT builds. */
  readonly engineCacheDir: string;
  /** Frames of one run where nobody says; default: one of each stream. */
  readonly batchSize?: number;
  /** Why not DeepStream. */
  readonly reason: string;
}

/** A run takes this many frames at most where nobody says: more of them gain little and delay each. */
const MOST_FRAMES = 16;

/** Of slinfer and slclassify; none for the CPU. */
export function gpuProperties(gpu: CpuGpu | undefined): Readonly<Record<string, PropertyValue>> {
  if (gpu === undefined) return {};
  const { provider, gpuId, required, engineCacheDir } = gpu;
  return {
    'execution-provider': provider,
    'gpu-id': gpuId,
    'gpu-required': required,
    ...(provider === 'tensorrt' ? { 'engine-cache-dir': engineCacheDir } : {}),
  };
}

/** Frames of one run of a detector whose spec does not say. */
export function gpuBatch(gpu: CpuGpu | undefined, model: ResolvedModel, streams: number): number {
  if (gpu === undefined || !model.dynamicBatch) return 1;
  return gpu.batchSize ?? Math.max(1, Math.min(streams, MOST_FRAMES));
}

export function gpuNotes(gpu: CpuGpu | undefined): LoweringNote[] {
  if (gpu === undefined) return [];
  const message = `ONNX Runtime runs the models on the GPU, and the rest runs on the CPU: ${gpu.reason}`;
  return [{ pointer: '/accelerator', message }];
}
