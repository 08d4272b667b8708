import { availableParallelism } from 'node:os';
import { resolve as resolvePath } from 'node:path';
import { problemsError } from '../common/check.ts';
import { SightlineError } from '../common/errors.ts';
import { onnxRuntimeLibrary } from '../common/paths.ts';
import type { CompiledPipeline, Compiler } from '../control/types.ts';
import { createThresholdWriter, loadModel } from '../models/catalog.ts';
import { lowerCpu } from '../pipeline/backends/cpu.ts';
import { type ModelLookup, resolve } from '../pipeline/resolve.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import type { ServerConfig } from './config.ts';
import { writeGeneratedFiles } from './generated-files.ts';

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
      refuseRecordings(spec);
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

/** What comes over the API must open no file of this machine and fetch nothing by HTTP; a configuration may. */
function refuseRecordings({ source }: StreamSpec): void {
  if (source.type === 'rtsp') return;
  const what = source.type === 'file' ? 'files' : 'web addresses';
  const message = `must be "rtsp": ${what} can only be analysed by a pipeline of the configuration`;
  throw problemsError([{ pointer: '/source/type', message }], { subject: 'the stream' });
}

async function compile(
  spec: PipelineSpec | StreamSpec,
  { modelsDir, workDir }: CompilerOptions,
): Promise<Omit<CompiledPipeline, 'streams'>> {
  const resolved = resolve(spec, { models: await preload(spec.infer?.model, modelsDir) });
  const { model, threshold } = resolved.infer;
  const { graphs, files } = lowerCpu(resolved, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: availableParallelism(),
    filesDir: resolvePath(workDir),
    ...(threshold === undefined
      ? {}
      : { configFile: await createThresholdWriter(modelsDir, workDir)(model, threshold) }),
  });
  await writeGeneratedFiles(files);
  return { pipelineId: resolved.id, graphs };
}

/** resolve() is pure: the one model a spec names is read before. */
async function preload(name: string | undefined, modelsDir: string): Promise<ModelLookup> {
  if (name === undefined) return new Map();
  try {
    return new Map([[name, await loadModel(modelsDir, name)]]);
  } catch (error) {
    if (!(error instanceof SightlineError)) throw error;
    return () => {
      throw error;
    };
  }
}
