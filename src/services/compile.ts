import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { onnxRuntimeLibrary, PATHS } from '../common/paths.ts';
import { createThresholdWriter } from '../models/catalog.ts';
import { compileFile } from '../pipeline/commands.ts';
import { deepStreamCheck, deepStreamTarget } from './deepstream-target.ts';
import { writeGeneratedFiles } from './generated-files.ts';
import { createClassifierFileWriter } from './infer-files.ts';
import { preload } from './preload.ts';

/** The options of `sightline compile`; src/cli.ts says what each does. */
export interface CompileFlags {
  readonly backend: 'cpu' | 'deepstream';
  readonly platform: 'dgpu' | 'jetson' | 'orin-nano' | 'sbsa';
  readonly deepstream: '9.1' | '9.0';
  readonly format: 'text' | 'dot' | 'launch' | 'json' | 'files';
  readonly out?: string;
  readonly codec?: string;
  readonly secrets?: boolean;
  readonly models?: string;
}

/** Runs `sightline compile`; gives the exit code. Set-up puts this module and all it imports into one file. */
export async function compile(
  file: string,
  flags: CompileFlags,
  io: { readonly print: (line: string) => void; readonly printError: (line: string) => void },
): Promise<number> {
  const { models = PATHS.models, backend, format, out, codec, secrets } = flags;
  const { platform, deepstream } = flags;
  // Only the models of the file are read, once it is known which.
  let found: Awaited<ReturnType<typeof preload>> = () => undefined;
  const installed: typeof found = (name) => found(name);
  const folder = out === undefined ? undefined : resolve(out);
  const cpuFiles = folder ?? join(PATHS.cache, 'infer');
  const filesDir = folder ?? join(PATHS.cache, 'deepstream');
  const check = backend === 'cpu' ? undefined : await deepStreamCheck(platform, deepstream);
  if (backend !== 'cpu' && check === undefined) {
    io.printError(`Not checked: there is no catalogue of the elements of DeepStream ${deepstream}`);
  }
  return compileFile(
    file,
    {
      backend,
      format,
      cpu: {
        onnxRuntimeLibrary: onnxRuntimeLibrary(),
        cores: availableParallelism(),
        filesDir: cpuFiles,
        recordDir: join(PATHS.cache, 'recordings'),
        classifierFiles: createClassifierFileWriter({ models: installed, filesDir: cpuFiles }),
      },
      ...(backend === 'cpu'
        ? {}
        : {
            deepStream: await deepStreamTarget({
              platform,
              deepstream,
              filesDir,
              models: installed,
            }),
          }),
      ...(check === undefined ? {} : { check }),
      // A launch line for this machine is to run; what another machine reads is only shown, unless it is asked for.
      ...(backend === 'cpu' || out !== undefined ? { writeFiles: writeGeneratedFiles } : {}),
      pluginDir: PATHS.pluginDir,
      configWithThreshold: createThresholdWriter(models, cpuFiles),
      ...(codec === undefined ? {} : { codec }),
      ...(secrets === undefined ? {} : { secrets }),
    },
    {
      models: installed,
      prepare: async (spec) => {
        found = await preload(spec, models);
      },
      ...io,
    },
  );
}
