import { dirname, join } from 'node:path';
import { onnxRuntimeLibrary } from '../../common/paths.ts';
import type { Host } from './host.ts';

/** Lies beside the library in builds that can use a GPU. */
const CUDA_PROVIDER = 'libonnxruntime_providers_cuda.so';

/** Why the ONNX Runtime of a machine has no part for GPUs; undefined where it does. Whether that part works, its first use shows. */
export async function onnxRuntimeProblem(host: Host): Promise<string | undefined> {
  let file: string;
  try {
    file = onnxRuntimeLibrary(host.env);
  } catch {
    return 'ONNX Runtime is not installed: npm ci --ignore-scripts';
  }
  if (await host.exists(join(dirname(file), CUDA_PROVIDER))) return undefined;
  return `ONNX Runtime in ${file} is built for the CPU alone: set SIGHTLINE_ONNXRUNTIME to that of onnxruntime-gpu (docs/infer.md)`;
}
