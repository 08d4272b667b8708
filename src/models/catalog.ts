import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { didYouMean } from '../common/near.ts';
import { PATHS } from '../common/paths.ts';
import { ChecksumCache } from './checksum.ts';
import { type LoadedManifest, loadManifest, MANIFEST_FILE } from './manifest.ts';
import { writeNvinferConfig, writeOwnNvinferConfig } from './nvinfer.ts';

/** A model that is ready to run: every file is there and is what its manifest says. Paths are absolute. */
export interface Model extends LoadedManifest {
  readonly name: string;
  readonly version: string;
  /** nvinfer-style configuration, up to date with the manifest. */
  readonly configFile: string;
  /** Size of the network's input in pixels. */
  readonly input: { readonly width: number; readonly height: number };
  readonly batch: 'dynamic' | 'fixed';
  /** Whether one run can take several frames. */
  readonly dynamicBatch: boolean;
  readonly kind: 'detector' | 'classifier';
  /** SHA-256 of the INT8 calibration table, where there is one. */
  readonly calibrationSha256?: string;
}

export interface CatalogOptions {
  /** Memory of checksums. Default: one in `.cache`. */
  readonly checksums?: ChecksumCache;
}

/** Names of the models in a folder, sorted: every sub-folder with a manifest, whether its model is ready or not. */
export async function listModels(directory: string = PATHS.models): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    throw new SightlineError(
      'SL_MODEL_NOT_FOUND',
      `Cannot read the folder of models ${directory} (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
  const found = await Promise.all(
    names.map((name) => exists(join(directory, name, MANIFEST_FILE)).then((is) => is && name)),
  );
  return found.filter((name) => name !== false).sort();
}

/**
 * Reads the manifest of an installed model.
 * @throws SightlineError `SL_MODEL_NOT_FOUND` for a name that is not installed, with the nearest that is.
 */
export async function readManifest(directory: string, name: string): Promise<LoadedManifest> {
  const names = await listModels(directory);
  if (!names.includes(name)) {
    throw new SightlineError(
      'SL_MODEL_NOT_FOUND',
      `There is no model "${name}" in ${directory}${didYouMean(name, names)}; \`sightline models list\` shows all`,
    );
  }
  const model = await loadManifest(join(directory, name, MANIFEST_FILE));
  if (model.manifest.name !== name) {
    throw new SightlineError(
      'SL_MODEL_INVALID',
      `Cannot use ${model.file}: it calls itself "${model.manifest.name}", its folder "${name}"; give both the same name`,
    );
  }
  return model;
}

/**
 * Loads a model: checks that the ONNX file is there and unchanged and that the labels can be read, and brings its
 * nvinfer configuration up to date.
 * @throws SightlineError `SL_MODEL_NOT_FOUND`, `SL_MODEL_INVALID` or `SL_MODEL_CHECKSUM`, saying what to run.
 */
export async function loadModel(
  directory: string,
  name: string,
  options: CatalogOptions = {},
): Promise<Model> {
  const model = await readManifest(directory, name);
  const checksums = options.checksums ?? new ChecksumCache();
  await verifyOnnx(model, checksums);
  const { manifest } = model;
  if (manifest.task === 'classifier' && manifest.logits) {
    throw new SightlineError(
      'SL_MODEL_INVALID',
      `The model "${name}" gives logits, not probabilities: install it with \`sightline models add\`, which appends a softmax`,
    );
  }
  return {
    ...model,
    name,
    version: manifest.version,
    configFile: await writeOwnNvinferConfig(model),
    input: { width: manifest.input.width, height: manifest.input.height },
    batch: manifest.batch,
    dynamicBatch: manifest.batch === 'dynamic',
    kind: manifest.task,
    ...(await calibrationOf(model, checksums)),
  };
}

/**
 * Loads every model of a folder for look-ups without waiting: the function gives the model, undefined for a name that
 * is not installed, and throws what is wrong with one that is but cannot be used.
 */
export async function loadModels(
  directory: string = PATHS.models,
  options: CatalogOptions = {},
): Promise<(name: string) => Model | undefined> {
  const models = new Map<string, Model | SightlineError>();
  for (const name of await listModels(directory)) {
    try {
      models.set(name, await loadModel(directory, name, options));
    } catch (error) {
      if (!(error instanceof SightlineError)) throw error;
      models.set(name, error);
    }
  }
  return (name) => {
    const found = models.get(name);
    if (found instanceof SightlineError) throw found;
    return found;
  };
}

/**
 * A function that writes an installed model's configuration with another threshold for all classes into `target` and
 * returns its path (see `writeNvinferConfig`): what lowering a pipeline needs.
 */
export function createThresholdWriter(
  directory: string,
  target: string,
): (model: { readonly name: string }, threshold: number) => Promise<string> {
  return async ({ name }, threshold) =>
    writeNvinferConfig(await readManifest(directory, name), { threshold }, target);
}

/**
 * Checks that the ONNX file is there and is the one the manifest was written for.
 * @throws SightlineError `SL_MODEL_NOT_FOUND` or `SL_MODEL_CHECKSUM`.
 */
export async function verifyOnnx(model: LoadedManifest, checksums: ChecksumCache): Promise<void> {
  const { name, onnx } = model.manifest;
  if (!(await exists(model.onnxFile))) {
    throw new SightlineError(
      'SL_MODEL_NOT_FOUND',
      `The model "${name}" has no ONNX file ${model.onnxFile} yet: run \`sightline models pull ${name}\``,
    );
  }
  if (onnx.sha256 === undefined) {
    throw new SightlineError(
      'SL_MODEL_CHECKSUM',
      `The manifest ${model.file} has no onnx.sha256: install the model with \`sightline models add\`, which writes it`,
    );
  }
  const actual = await checksums.sha256(model.onnxFile);
  if (actual === onnx.sha256) return;
  throw new SightlineError(
    'SL_MODEL_CHECKSUM',
    `The ONNX file ${model.onnxFile} is not the one of its manifest: its SHA-256 is ${actual}, onnx.sha256 says ${onnx.sha256}. ` +
      `Run \`sightline models pull ${name}\` to restore it, or \`sightline models add\` for a file of yours`,
  );
}

async function calibrationOf(
  { file, calibrationFile }: LoadedManifest,
  checksums: ChecksumCache,
): Promise<{ calibrationSha256?: string }> {
  if (calibrationFile === undefined) return {};
  try {
    return { calibrationSha256: await checksums.sha256(calibrationFile) };
  } catch (cause) {
    throw new SightlineError(
      'SL_MODEL_NOT_FOUND',
      `Cannot read the calibration table ${calibrationFile} (${(cause as NodeJS.ErrnoException).code}): correct \`calibration\` in ${file}`,
      { cause },
    );
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
