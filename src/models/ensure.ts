import { copyFile, writeFile } from 'node:fs/promises';
import { SightlineError } from '../common/errors.ts';
import { replaceFile } from '../common/files.ts';
import { PATHS } from '../common/paths.ts';
import { readManifest, verifyOnnx } from './catalog.ts';
import { checkOnnx } from './check-onnx.ts';
import { ChecksumCache, hashFile } from './checksum.ts';
import { convertCenternet } from './convert/convert-centernet.ts';
import { downloadFile } from './download.ts';
import type { LoadedManifest, Manifest } from './manifest.ts';
import { writeOwnNvinferConfig } from './nvinfer.ts';
import { findPackageFile } from './package-file.ts';

export interface EnsureOptions {
  /** Folder of the models. Default `models/` of the package. */
  readonly directory?: string;
  readonly checksums?: ChecksumCache;
  /** Ends a download. */
  readonly signal?: AbortSignal;
}

export interface EnsureResult {
  /** Whether the ONNX file was made anew. */
  readonly changed: boolean;
  readonly onnxFile: string;
  readonly configFile: string;
}

/**
 * Makes a model ready to run: converts, copies or downloads its ONNX file unless the one of the manifest is there, and
 * writes its nvinfer configuration. Idempotent and quick when nothing is to do; files change in one step, so that a
 * reader never sees half a model.
 * @throws SightlineError `SL_MODEL_NOT_FOUND`, `SL_MODEL_INVALID`, `SL_MODEL_CHECKSUM`, or `SL_UNAVAILABLE` for a
 * download that failed.
 */
export async function ensureModel(
  name: string,
  options: EnsureOptions = {},
): Promise<EnsureResult> {
  const { directory = PATHS.models, checksums = new ChecksumCache(), signal } = options;
  const model = await readManifest(directory, name);
  const isReady = await verifyOnnx(model, checksums).then(
    () => true,
    () => false,
  );
  if (!isReady) {
    await replaceFile(model.onnxFile, async (partial) => {
      await obtain(model, partial, signal);
      await expectChecksum(model, partial);
      await checkOnnx(model, partial);
    });
  }
  const configFile = await writeOwnNvinferConfig(model);
  return { changed: !isReady, onnxFile: model.onnxFile, configFile };
}

/** Writes the ONNX file the manifest describes to `target`. */
async function obtain(
  model: LoadedManifest,
  target: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source, input, name } = model.manifest;
  const convert = model.manifest.task === 'detector' ? model.manifest.convert : undefined;
  switch (source.kind) {
    case 'package': {
      const files = await checkPackageFiles(source);
      if (convert === undefined) return copyFile(files[0]!, target);
      return writeFile(target, await convertCenternet(files[0]!, input));
    }
    case 'url':
      return downloadFile(source.url, target, signal === undefined ? {} : { signal });
    case 'local':
      throw new SightlineError(
        'SL_MODEL_NOT_FOUND',
        `The ONNX file of the model "${name}" is yours to bring (${source.origin}): run \`sightline models add ${model.file} --onnx FILE\``,
      );
  }
}

type PackageSource = Extract<Manifest['source'], { kind: 'package' }>;

/** Finds the files of a package source and refuses those of another version. */
async function checkPackageFiles(source: PackageSource): Promise<string[]> {
  const files: string[] = [];
  for (const { path, sha256 } of source.files) {
    const file = findPackageFile(source.package, path);
    const actual = await hashFile(file);
    if (actual !== sha256) {
      throw new SightlineError(
        'SL_MODEL_CHECKSUM',
        `${file} is not the file the manifest was written for (SHA-256 ${actual}, expected ${sha256}): install the version of ${source.package} in package-lock.json with \`npm ci\``,
      );
    }
    files.push(file);
  }
  return files;
}

async function expectChecksum(model: LoadedManifest, file: string): Promise<void> {
  const expected = model.manifest.onnx.sha256;
  const actual = await hashFile(file);
  if (actual === expected) return;
  throw new SightlineError(
    'SL_MODEL_CHECKSUM',
    `The ONNX file obtained for "${model.manifest.name}" has the SHA-256 ${actual}; ${model.file} expects ${expected ?? 'none yet (onnx.sha256 is missing)'}. ` +
      'Correct onnx.sha256 if you trust the new file',
  );
}
