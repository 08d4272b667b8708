import { SightlineError } from '../common/errors.ts';
import {
  DEEPSTREAM_VERSIONS,
  type DeepStreamVersion,
  type PlatformName,
} from '../pipeline/backends/deepstream/platform.ts';
import type { Accelerator } from '../pipeline/resolved.ts';
import type { AcceleratorProbe } from './accelerator.ts';

/** What a pipeline is to be lowered to. */
export type BackendChoice =
  | {
      readonly backend: 'deepstream';
      readonly platform: PlatformName;
      readonly deepstream: DeepStreamVersion;
      /** What TensorRT engines depend on, as far as the machine tells it. */
      readonly machine: { readonly gpuName?: string; readonly tensorRt?: string };
    }
  | {
      readonly backend: 'cpu';
      /** ONNX Runtime is to run the models on a GPU. */
      readonly gpu?: {
        /** Rather fail than run a model on the CPU. */
        readonly required: boolean;
        /** Why not DeepStream. */
        readonly reason: string;
      };
      /** Why not the GPU, where it was preferred. */
      readonly fallbackReason?: string;
    };

/**
 * Follows a pipeline's policy on this machine: DeepStream, else ONNX Runtime on a GPU, else the CPU. The probe is not
 * asked where only the CPU is wanted. `notDeepStream`: why it is out of the question for this pipeline.
 *
 * @throws SightlineError `SL_GPU_UNAVAILABLE` for `require-gpu` without a GPU that can be used, with every reason.
 */
export async function chooseBackend(
  policy: Accelerator,
  pipelineId: string,
  probe: () => Promise<AcceleratorProbe>,
  notDeepStream?: string,
): Promise<BackendChoice> {
  if (policy === 'cpu') return { backend: 'cpu' };
  const found = await probe();
  const problems = notDeepStream === undefined ? problemsOf(found) : [notDeepStream];
  if (found.kind === 'deepstream' && problems.length === 0) {
    const { platform, deepstream, gpuName, tensorRt } = found;
    const machine = {
      ...(gpuName === undefined ? {} : { gpuName }),
      ...(tensorRt === undefined ? {} : { tensorRt }),
    };
    return {
      backend: 'deepstream',
      platform,
      deepstream: deepstream as DeepStreamVersion,
      machine,
    };
  }
  const { onnxRuntimeProblems } = found;
  if (onnxRuntimeProblems?.length === 0) {
    const required = policy === 'require-gpu';
    return { backend: 'cpu', gpu: { required, reason: problems.join('; ') } };
  }
  const all = [...new Set([...problems, ...(onnxRuntimeProblems ?? [])])];
  if (policy === 'prefer-gpu') return { backend: 'cpu', fallbackReason: all.join('; ') };
  throw gpuUnavailable(pipelineId, all);
}

/** `require-gpu`, and there is none to use. */
function gpuUnavailable(pipelineId: string, problems: readonly string[]): SightlineError {
  return new SightlineError(
    'SL_GPU_UNAVAILABLE',
    `Cannot run pipeline "${pipelineId}" on a GPU, which its "accelerator" requires: ${problems.join('; ')}`,
    { problems: problems.map((message) => ({ pointer: '/accelerator', message })) },
  );
}

function problemsOf(probe: AcceleratorProbe): readonly string[] {
  const { kind, deepstream, problems } = probe;
  if (kind === 'none') return problems.length > 0 ? problems : ['no usable NVIDIA GPU was found'];
  if (DEEPSTREAM_VERSIONS.some((version) => version === deepstream)) return problems;
  const known = DEEPSTREAM_VERSIONS.join(' and ');
  return [`DeepStream ${deepstream} is installed, and Sightline knows ${known}`, ...problems];
}
