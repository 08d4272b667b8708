import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import { onnxRuntimeLibrary } from '../common/paths.ts';
import { createThresholdWriter } from '../models/catalog.ts';
import { lowerCpu } from '../pipeline/backends/cpu.ts';
import type { CpuGpu } from '../pipeline/backends/cpu-gpu.ts';
import { lowerDeepStream } from '../pipeline/backends/deepstream.ts';
import type { EngineRequest } from '../pipeline/engine-request.ts';
import type { Lowered } from '../pipeline/graph.ts';
import type { ResolvedPipeline } from '../pipeline/resolved.ts';
import { type AcceleratorProbe, probeAccelerator } from './accelerator.ts';
import { type BackendChoice, chooseBackend } from './backend-choice.ts';
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

/** Frames of one run of a model on a GPU where they come from a queue and nobody says. */
const QUEUED_BATCH = 8;
/** What DeepStream has no element for. */
const NO_FRAMES_SOURCE = 'DeepStream has no source for frames of a queue';

/**
 * Lowers a pipeline to the backend that its policy and this machine give. Where DeepStream cannot do what the pipeline
 * asks, it runs without, on a GPU by ONNX Runtime or, if it may, on the CPU, and the reason is told.
 *
 * @throws SightlineError `SL_GPU_UNAVAILABLE`, and what lowering throws.
 */
export async function lower(
  pipeline: ResolvedPipeline,
  models: LoadedModels,
  options: LowerOptions,
): Promise<LoweredPipeline> {
  const queued = pipeline.streams.some(({ source }) => source.type === 'frames');
  const choice = await choose(pipeline, options, queued ? NO_FRAMES_SOURCE : undefined);
  if (choice.backend === 'cpu') return toCpuAs(choice, pipeline, models, options);
  try {
    return await toDeepStream(pipeline, choice, models, options);
  } catch (cause) {
    const error = toSightlineError(cause);
    if (error.code !== 'SL_BACKEND_UNSUPPORTED') throw cause;
    const other = await choose(pipeline, options, error.message);
    if (other.backend !== 'cpu') throw cause;
    return toCpuAs(other, pipeline, models, options);
  }
}

function choose(
  { accelerator, id }: ResolvedPipeline,
  options: LowerOptions,
  notDeepStream?: string,
): Promise<BackendChoice> {
  return chooseBackend(accelerator, id, options.probe ?? probeAccelerator, notDeepStream);
}

type CpuChoice = Extract<BackendChoice, { backend: 'cpu' }>;

async function toCpuAs(
  { gpu, fallbackReason }: CpuChoice,
  pipeline: ResolvedPipeline,
  models: LoadedModels,
  options: LowerOptions,
): Promise<LoweredPipeline> {
  if (fallbackReason !== undefined) return fallBack(pipeline, fallbackReason, models, options);
  return { lowered: await toCpu(pipeline, models, options, gpu), engines: [] };
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
  options: LowerOptions,
  gpu?: CpuChoice['gpu'],
): Promise<Lowered> {
  const { modelsDir, workDir, recordDir } = options;
  const { model, threshold } = pipeline.infer ?? {};
  return lowerCpu(pipeline, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: availableParallelism(),
    filesDir: workDir,
    classifierFiles: createClassifierFileWriter({ models, filesDir: workDir }),
    ...(gpu === undefined ? {} : { gpu: await gpuOf(pipeline, gpu, options) }),
    ...(recordDir === undefined ? {} : { recordDir }),
    ...(model === undefined || threshold === undefined
      ? {}
      : { configFile: await createThresholdWriter(modelsDir, workDir)(model, threshold) }),
  });
}

/** The folder of engines is made here: ONNX Runtime wants it to be there. */
async function gpuOf(
  { streams, onnxRuntime }: ResolvedPipeline,
  { required, reason }: NonNullable<CpuChoice['gpu']>,
  { workDir, enginesDir = join(workDir, 'engines') }: LowerOptions,
): Promise<CpuGpu> {
  const { provider = 'cuda', gpuId = 0 } = onnxRuntime ?? {};
  const engineCacheDir = join(enginesDir, 'onnxruntime');
  if (provider === 'tensorrt') await mkdir(engineCacheDir, { recursive: true });
  // Frames of a queue come from any number of cameras, each with a graph of its own.
  const queued = streams.some(({ source }) => source.type === 'frames');
  return {
    ...{ provider, gpuId, required, reason, engineCacheDir },
    ...(queued ? { batchSize: QUEUED_BATCH } : {}),
  };
}
