import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { SightlineError } from '../common/errors.ts';
import { replaceFile, writeFileIfChanged } from '../common/files.ts';
import { PATHS } from '../common/paths.ts';
import { appendSoftmax } from './append-softmax.ts';
import { listModels, readManifest } from './catalog.ts';
import { checkOnnx } from './check-onnx.ts';
import { hashFile } from './checksum.ts';
import { downloadFile } from './download.ts';
import { formatLabels } from './labels.ts';
import { type LoadedManifest, loadManifest, MANIFEST_FILE } from './manifest.ts';
import { writeOwnNvinferConfig } from './nvinfer.ts';

export interface AddOptions {
  /** Folder of the models. Default `models/` of the package. */
  readonly directory?: string;
  /** The ONNX file. Default: the one the manifest names, beside it. */
  readonly onnx?: string;
  /** Overwrite a model of the same name. Default false. */
  readonly replace?: boolean;
}

/**
 * Installs a model of your own: checks the ONNX file against the manifest and the labels, copies all three into the
 * folder of models and notes the checksum in the manifest there. A classifier with `logits` gets a softmax on the way. A manifest that lies there already is completed.
 * @param manifestFile path of the manifest.
 * @throws SightlineError `SL_CONFLICT` when the name is taken, `SL_MODEL_INVALID` with everything that does not fit.
 */
export async function addModel(
  manifestFile: string,
  options: AddOptions = {},
): Promise<LoadedManifest> {
  const { directory = PATHS.models, replace = false } = options;
  const given = await loadManifest(resolve(manifestFile));
  const { name } = given.manifest;
  const folder = resolve(directory, name);
  const isInPlace = given.file === join(folder, MANIFEST_FILE);
  if (!isInPlace && !replace && (await listModels(directory)).includes(name)) {
    throw new SightlineError(
      'SL_CONFLICT',
      `There is a model "${name}" in ${directory} already: give yours another name, or say that it replaces the other`,
    );
  }
  const onnxFile = resolve(options.onnx ?? given.onnxFile);
  await checkOnnx(given, onnxFile);
  const target = join(folder, given.manifest.onnx.file);
  const edits: Edit[] = [];
  if (hasLogits(given)) {
    const [output] = given.manifest.outputs;
    await replaceFile(target, (partial) => appendSoftmax(onnxFile, partial, output!.name));
    edits.push([['logits'], undefined]);
  } else if (onnxFile !== target) {
    await replaceFile(target, (partial) => copyFile(onnxFile, partial));
  }
  edits.push([['onnx', 'sha256'], await hashFile(target)]);
  if (!isInPlace) {
    const text = formatLabels(given.manifest.task, given.labels);
    await writeFileIfChanged(folder, 'labels.txt', text);
    edits.push([['labels'], 'labels.txt'], ...(await installCalibration(given, folder)));
  }
  await writeEdited(given.file, join(folder, MANIFEST_FILE), edits);
  return finish(directory, name);
}

function hasLogits({ manifest }: LoadedManifest): boolean {
  return manifest.task === 'classifier' && manifest.logits;
}

async function installCalibration(given: LoadedManifest, folder: string): Promise<Edit[]> {
  const { calibrationFile } = given;
  if (calibrationFile === undefined) return [];
  const name = 'calibration.table';
  await replaceFile(join(folder, name), (partial) => copyFile(calibrationFile, partial));
  return [[['calibration'], name]];
}

/**
 * Downloads the ONNX file of an installed manifest from a URL of the caller's, who vouches for it by its checksum, and
 * notes both in the manifest.
 * @throws SightlineError `SL_MODEL_CHECKSUM` when another file came, `SL_MODEL_INVALID` when it does not fit.
 */
export async function pullFrom(
  name: string,
  source: { readonly url: string; readonly sha256: string },
  options: { readonly directory?: string; readonly signal?: AbortSignal } = {},
): Promise<LoadedManifest> {
  const { directory = PATHS.models, signal } = options;
  const model = await readManifest(directory, name);
  await replaceFile(model.onnxFile, async (partial) => {
    await downloadFile(source.url, partial, signal === undefined ? {} : { signal });
    const actual = await hashFile(partial);
    if (actual !== source.sha256.toLowerCase()) {
      throw new SightlineError(
        'SL_MODEL_CHECKSUM',
        `The file downloaded for "${name}" has the SHA-256 ${actual}, not ${source.sha256}: it was not installed`,
      );
    }
    await checkOnnx(model, partial);
  });
  await writeEdited(model.file, model.file, [
    [['source'], { kind: 'url', url: source.url }],
    [['convert'], undefined],
    [['onnx', 'sha256'], source.sha256.toLowerCase()],
  ]);
  return finish(directory, name);
}

type Edit = readonly [path: readonly string[], value: unknown];

/** Copies a manifest with changed values; comments and order stay. */
async function writeEdited(from: string, to: string, edits: readonly Edit[]): Promise<void> {
  const document = parseDocument(await readFile(from, 'utf8'));
  for (const [path, value] of edits) {
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, document.createNode(value));
  }
  await replaceFile(to, (partial) => writeFile(partial, document.toString({ lineWidth: 0 })));
}

async function finish(directory: string, name: string): Promise<LoadedManifest> {
  const model = await readManifest(directory, name);
  await writeOwnNvinferConfig(model);
  return model;
}
