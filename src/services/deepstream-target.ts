import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkValue } from '../common/check.ts';
import { PATHS, ROOT } from '../common/paths.ts';
import type { Model } from '../models/catalog.ts';
import type { EngineMachine } from '../models/engine-key.ts';
import {
  type DeepStreamVersion,
  type PlatformName,
  type Platforms,
  PlatformsSchema,
  platformOf,
} from '../pipeline/backends/deepstream/platform.ts';
import type { DeepStreamOptions } from '../pipeline/backends/deepstream.ts';
import type { Catalogue } from '../pipeline/catalogue/catalogue.ts';
import { checkLowered } from '../pipeline/catalogue/check.ts';
import type { CatalogueFinding } from '../pipeline/catalogue/finding.ts';
import type { KeyTables } from '../pipeline/catalogue/keys.ts';
import type { EngineRequest } from '../pipeline/engine-request.ts';
import type { Lowered } from '../pipeline/graph.ts';
import type { ResolvedPipeline } from '../pipeline/resolved.ts';
import { createInferFileWriter } from './infer-files.ts';

/** Folder of what is known of DeepStream. */
export const DEEPSTREAM_DATA = join(ROOT, 'configs', 'deepstream');

/**
 * Reads the table of platforms.
 * @throws SightlineError `SL_CONFIG_INVALID`.
 */
export async function loadPlatforms(): Promise<Platforms> {
  const file = join(DEEPSTREAM_DATA, 'platforms.json');
  const value: unknown = JSON.parse(await readFile(file, 'utf8'));
  return checkValue(value, PlatformsSchema, { code: 'SL_CONFIG_INVALID', subject: file });
}

export interface TargetOptions {
  readonly platform: PlatformName;
  readonly deepstream: DeepStreamVersion;
  /** Absolute folder of generated files. */
  readonly filesDir: string;
  readonly models: (name: string) => Model | undefined;
  /** Absolute folder of TensorRT engines. Default: `engines` in `filesDir`. */
  readonly enginesDir?: string;
  /** The GPU that engines are built for, by the driver's name. Default: that of the platform's title. */
  readonly machine?: Partial<EngineMachine>;
  /** Takes each engine that a lowered pipeline needs. */
  readonly onEngine?: (engine: EngineRequest) => void;
}

/** What lowering needs to know of a machine with DeepStream, whether this is one or not. */
export async function deepStreamTarget(options: TargetOptions): Promise<DeepStreamOptions> {
  const {
    platform,
    deepstream,
    filesDir,
    models,
    enginesDir = join(filesDir, 'engines'),
  } = options;
  const data = platformOf(await loadPlatforms(), platform);
  const machine: EngineMachine = {
    gpuName: data.title,
    tensorRt: data.releases[deepstream]?.tensorrt ?? 'unknown',
    deepStream: deepstream,
    ...options.machine,
  };
  const write = createInferFileWriter({ models, filesDir, cacheDir: enginesDir, machine });
  return {
    platform: data,
    deepstream,
    filesDir,
    libraryDir: data.libraryDir,
    parserLibrary: PATHS.parsersLibrary,
    workingDir: process.cwd(),
    inferFile: (request) => {
      const file = write(request);
      if (file.engine !== undefined) options.onEngine?.(file.engine);
      return file;
    },
  };
}

/**
 * A check of lowered pipelines against the catalogue of DeepStream's elements and the tables of its configuration keys;
 * undefined for a version that has none.
 */
export async function deepStreamCheck(
  platform: PlatformName,
  deepstream: DeepStreamVersion,
): Promise<
  ((lowered: Lowered, pipeline: ResolvedPipeline) => readonly CatalogueFinding[]) | undefined
> {
  const read = async (name: string) =>
    JSON.parse(await readFile(join(DEEPSTREAM_DATA, `${name}-${deepstream}.json`), 'utf8'));
  if (!existsSync(join(DEEPSTREAM_DATA, `catalogue-${deepstream}.json`))) return undefined;
  const [catalogue, keys] = (await Promise.all([read('catalogue'), read('keys')])) as [
    Catalogue,
    KeyTables,
  ];
  return (lowered, pipeline) =>
    checkLowered(lowered, {
      ...{ catalogue, keys, platform, deepstream },
      overrides: pipeline.deepstream?.elements ?? {},
    });
}
