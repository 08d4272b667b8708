import { join } from 'node:path';
import { loadDocument } from '../common/document.ts';
import { PATHS, ROOT } from '../common/paths.ts';
import type { LoadedManifest } from '../models/manifest.ts';
import {
  type DeepStreamVersion,
  type PlatformName,
  type Platforms,
  PlatformsSchema,
  platformOf,
} from '../pipeline/backends/deepstream/platform.ts';
import type { DeepStreamOptions } from '../pipeline/backends/deepstream.ts';
import { createInferFiles } from './infer-file.ts';

/** Folder of what is known of DeepStream. */
export const DEEPSTREAM_DATA = join(ROOT, 'configs', 'deepstream');

/**
 * Reads the table of platforms.
 * @throws SightlineError `SL_CONFIG_INVALID`.
 */
export async function loadPlatforms(): Promise<Platforms> {
  const file = join(DEEPSTREAM_DATA, 'platforms.json');
  const document = await loadDocument(file, PlatformsSchema, { code: 'SL_CONFIG_INVALID' });
  return document.value;
}

export interface TargetOptions {
  readonly platform: PlatformName;
  readonly deepstream: DeepStreamVersion;
  /** Absolute folder of generated files. */
  readonly filesDir: string;
  readonly models: (name: string) => LoadedManifest | undefined;
}

/** What lowering needs to know of a machine with DeepStream, whether this is one or not. */
export async function deepStreamTarget(options: TargetOptions): Promise<DeepStreamOptions> {
  const { platform, deepstream, filesDir, models } = options;
  const data = platformOf(await loadPlatforms(), platform);
  return {
    platform: data,
    deepstream,
    filesDir,
    libraryDir: data.libraryDir,
    parserLibrary: join(PATHS.pluginDir, 'libsightline_parsers.so'),
    workingDir: process.cwd(),
    inferFile: createInferFiles(models, filesDir),
  };
}
