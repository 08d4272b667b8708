import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { onnxRuntimeLibrary } from '../common/paths.ts';
import type { CompiledPipeline, Compiler } from '../control/types.ts';
import { loadModel, type Model } from '../models/catalog.ts';
import { writeNvinferConfig } from '../models/nvinfer.ts';
import { lowerCpu } from '../pipeline/backends/cpu.ts';
import { type ModelLookup, type ResolvedPipeline, resolve } from '../pipeline/resolve.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import type { ServerConfig } from './config.ts';

export interface CompilerOptions {
  readonly modelsDir: string;
  /** Where configurations with overrides are written. */
  readonly workDir: string;
  readonly defaults?: ServerConfig['defaults'];
}

/** Turns specs into graphs for this machine: models from a folder, the CPU backend, defaults for streams of the API. */
export function createCompiler(options: CompilerOptions): Compiler {
  const { defaults } = options;
  return {
    async stream(given) {
      const spec: StreamSpec = { ...defaults, ...given };
      const compiled = await compile(spec, options);
      return { ...compiled, streams: [{ id: spec.id, spec }] };
    },
    async pipeline(spec) {
      const { id: _id, streams, ...shared } = spec;
      const compiled = await compile(spec, options);
      return {
        ...compiled,
        streams: streams.map((stream) => ({ id: stream.id, spec: { ...shared, ...stream } })),
      };
    },
  };
}

async function compile(
  spec: PipelineSpec | StreamSpec,
  options: CompilerOptions,
): Promise<Omit<CompiledPipeline, 'streams'>> {
  const models = await preload(spec.infer?.model, options.modelsDir);
  const resolved = resolve(spec, { models: models.lookup });
  const graphs = lowerCpu(resolved, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: availableParallelism(),
    configFile: await configFileFor(resolved, models.found, options.workDir),
  });
  return { pipelineId: resolved.id, graphs };
}

/** resolve() is pure: the one model a spec names is read before. */
async function preload(
  name: string | undefined,
  modelsDir: string,
): Promise<{ lookup: ModelLookup; found: Model | undefined }> {
  if (name === undefined) return { lookup: new Map(), found: undefined };
  try {
    const found = await loadModel(modelsDir, name);
    return { lookup: new Map([[name, found]]), found };
  } catch (error) {
    if (!(error instanceof SightlineError)) throw error;
    return {
      found: undefined,
      lookup: () => {
        throw error;
      },
    };
  }
}

/** The model's own configuration, or one with the spec's threshold and classes, which both engines read alike. */
async function configFileFor(
  { infer }: ResolvedPipeline,
  model: Model | undefined,
  workDir: string,
): Promise<string> {
  const { threshold, classIds } = infer;
  if (model === undefined || (threshold === undefined && classIds === undefined)) {
    return infer.model.configFile;
  }
  return writeNvinferConfig(
    model,
    {
      ...(threshold === undefined ? {} : { threshold }),
      ...(classIds === undefined ? {} : { classIds }),
    },
    join(workDir, 'infer'),
  );
}
