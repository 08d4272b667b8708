import { availableParallelism } from 'node:os';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import { onnxRuntimeLibrary } from '../common/paths.ts';
import { createThresholdWriter } from '../models/catalog.ts';
import { lowerCpu } from '../pipeline/backends/cpu.ts';
import { lowerDeepStream } from '../pipeline/backends/deepstream.ts';
import type { EngineRequest } from '../pipeline/engine-request.ts';
import type { Lowered } from '../pipeline/graph.ts';
import type { ResolvedPipeline } from '../pipeline/resolved.ts';
import { type AcceleratorProbe, probeAccelerator } from './accelerator.ts';
import { type BackendChoice, chooseBackend, gpuUnavailable } from './backend-choice.ts';
import { deepStreamTarget } from './deepstream-target.ts';
import { createClassifierFileWriter } from './infer-files.ts';
import type { LoadedModels } from './preload.ts';

export interface LowerOptions {
  readonly modelsDir: string;
  /** Absolute. */
  readonly workDir: string;
  /** Absolute folder of TensorRT engines. Default: `engines` in `workDir`. */
  readonly enginesDir?: string;
  /** Absolute folder of recordings. Without it nothing can be recorded. */
  readonly recordDir?: string;
  /** Default: a look at this machine. */
  readonly probe?: () => Promise<AcceleratorProbe>;
}

export interface LoweredPipeline {
  readonly lowered: Lowered;
  /** To be there before the pipeline starts; none on the CPU. */
  readonly engines: readonly EngineRequest[];
  /** Why the CPU, where a GPU was preferred. */
  readonly fallbackReason?: string;
}

/**
 * Lowers a pipeline to the backend that its policy and this machine give. Where DeepStream cannot do what the pipeline
 * asks and the CPU may, it runs there, and the reason is told.
 *
 * @throws SightlineError `SL_GPU_UNAVAILABLE`, and what lowering throws.
 */
export async function lower(
  pipeline: ResolvedPipeline,
  models: LoadedModels,
  options: LowerOptions,
): Promise<LoweredPipeline> {
  const { id, accelerator } = pipeline;
  const choice = await chooseBackend(accelerator, id, options.probe ?? probeAccelerator);
  if (choice.backend === 'cpu') {
    const { fallbackReason } = choice;
    if (fallbackReason === undefined) {
      return { lowered: await toCpu(pipeline, models, options), engines: [] };
    }
    return fallBack(pipeline, fallbackReason, models, options);
  }
  try {
    return await toDeepStream(pipeline, choice, models, options);
  } catch (cause) {
    const error = toSightlineError(cause);
    if (error.code !== 'SL_BACKEND_UNSUPPORTED') throw cause;
    if (accelerator === 'require-gpu') throw gpuUnavailable(id, [error.message]);
    return fallBack(pipeline, error.message, models, options);
  }
}

/** To the CPU for want of a GPU: where the CPU cannot do it, what would help is told too. */
async function fallBack(
  pipeline: ResolvedPipeline,
  reason: string,
  models: LoadedModels,
  options: LowerOptions,
): Promise<LoweredPipeline> {
  try {
    return { lowered: await toCpu(pipeline, models, options), engines: [], fallbackReason: reason };
  } catch (cause) {
    const { code, message, problems } = toSightlineError(cause);
    if (code !== 'SL_BACKEND_UNSUPPORTED') throw cause;
    const why = `${message}. The GPU cannot be used: ${reason}`;
    throw new SightlineError(code, why, { cause, problems });
  }
}

async function toDeepStream(
  pipeline: ResolvedPipeline,
  { platform, deepstream, machine }: Extract<BackendChoice, { backend: 'deepstream' }>,
  models: LoadedModels,
  { workDir, enginesDir }: LowerOptions,
): Promise<LoweredPipeline> {
  const engines = new Map<string, EngineRequest>();
  const target = await deepStreamTarget({
    ...{ platform, deepstream, filesDir: workDir, models, machine },
    ...(enginesDir === undefined ? {} : { enginesDir }),
    onEngine: (engine) => engines.set(engine.key, engine),
  });
  const lowered = lowerDeepStream(pipeline, target);
  return { lowered, engines: [...engines.values()] };
}

async function toCpu(
  pipeline: ResolvedPipeline,
  models: LoadedModels,
  { modelsDir, workDir, recordDir }: LowerOptions,
): Promise<Lowered> {
  const { model, threshold } = pipeline.infer ?? {};
  return lowerCpu(pipeline, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: availableParallelism(),
    filesDir: workDir,
    classifierFiles: createClassifierFileWriter({ models, filesDir: workDir }),
    ...(recordDir === undefined ? {} : { recordDir }),
    ...(model === undefined || threshold === undefined
      ? {}
      : { configFile: await createThresholdWriter(modelsDir, workDir)(model, threshold) }),
  });
}
