import { SightlineError, toSightlineError } from '../common/errors.ts';
import { PATHS } from '../common/paths.ts';
import { listModels, loadModel, readManifest } from './catalog.ts';
import { ensureModel } from './ensure.ts';
import { type AddOptions, addModel, pullFrom } from './install.ts';
import type { Manifest } from './manifest.ts';
import { inspectOnnx, type OnnxTensor } from './onnx-file.ts';
import { exportTriton } from './triton.ts';

/** Takes one line of a command's output, without the line end. */
export type Output = (line: string) => void;

export interface CommandOptions {
  /** Folder of the models. Default `models/` of the package. */
  readonly directory?: string;
}

export interface ListEntry {
  readonly name: string;
  /** `missing`: the ONNX file was not made yet; pull makes it. */
  readonly state: 'ready' | 'missing' | 'broken';
  readonly version?: string;
  readonly task?: 'detector' | 'classifier';
  readonly input?: string;
  readonly licence?: string;
  /** Why a model cannot be used, and what to do. */
  readonly reason?: string;
}

/** `sightline models list`: one line a model, and below it what is wrong with it. Returns the same as data. */
export async function modelsList(
  output: Output,
  options: CommandOptions = {},
): Promise<ListEntry[]> {
  const { directory = PATHS.models } = options;
  const entries: ListEntry[] = [];
  for (const name of await listModels(directory)) entries.push(await describe(directory, name));
  const width = Math.max(4, ...entries.map(({ name }) => name.length));
  output(`${'NAME'.padEnd(width)}  STATE    TASK        VERSION  INPUT      LICENCE`);
  for (const entry of entries) {
    const { name, state, version = '-', input = '-', licence = '-', task = '-', reason } = entry;
    output(
      `${name.padEnd(width)}  ${state.padEnd(7)}  ${task.padEnd(10)}  ${version.padEnd(7)}  ${input.padEnd(9)}  ${licence}`,
    );
    if (reason !== undefined) output(`  ${reason}`);
  }
  return entries;
}

async function describe(directory: string, name: string): Promise<ListEntry> {
  let facts = {};
  try {
    const { manifest } = await readManifest(directory, name);
    const { version, licence, input, task } = manifest;
    facts = { version, licence, task, input: `${input.width}x${input.height}` };
    await loadModel(directory, name);
    return { name, state: 'ready', ...facts };
  } catch (error) {
    const { code, message } = toSightlineError(error);
    const state = code === 'SL_MODEL_NOT_FOUND' ? 'missing' : 'broken';
    return { name, state, ...facts, reason: message };
  }
}

/** `sightline models show NAME`: the manifest's facts, the files and what the ONNX file says of itself. */
export async function modelsShow(
  name: string,
  output: Output,
  options: CommandOptions = {},
): Promise<void> {
  const model = await loadModel(options.directory ?? PATHS.models, name);
  const { manifest } = model;
  const onnx = await inspectOnnx(model.onnxFile);
  const { source, input, thresholds } = manifest;
  const rows: [string, string][] = [
    ['name', `${model.name} ${model.version}`],
    ['description', manifest.description],
    ['licence', manifest.licence],
    ['source', printSource(source)],
    ['onnx', `${model.onnxFile} (opset ${onnx.opset}, ${onnx.nodeCount} nodes)`],
    ['sha256', manifest.onnx.sha256 ?? ''],
    ['config', model.configFile],
    [
      'input',
      `${onnx.inputs.map(printTensor).join(' ')}, ${input.colour}, scale ${input.scale}, ${input.keepAspect ? 'aspect kept' : 'stretched'}`,
    ],
    ['outputs', onnx.outputs.map(printTensor).join(' ')],
    ['task', manifest.task],
    manifest.task === 'detector' ? ['parser', manifest.parser] : ['attribute', manifest.attribute],
    ['batch', manifest.batch],
    ['threshold', String(thresholds.default)],
    ['labels', `${model.labels.length}: ${model.labels.join(', ')}`],
  ];
  for (const [key, value] of rows) output(`${key.padEnd(12)} ${value}`);
}

function printSource(source: Manifest['source']): string {
  switch (source.kind) {
    case 'package':
      return `npm package ${source.package}`;
    case 'url':
      return source.url;
    case 'local':
      return source.origin;
  }
}

function printTensor({ name, type, shape }: OnnxTensor): string {
  return `${name} ${type}[${shape?.join(',') ?? '?'}]`;
}

export interface PullOptions extends CommandOptions {
  /** Download from here instead of the manifest's source; needs `sha256`. */
  readonly url?: string;
  /** SHA-256 of the file behind `url`, in hex. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

/** `sightline models pull NAME [--url URL --sha256 HEX]`: makes the ONNX file from the manifest's source. */
export async function modelsPull(
  name: string,
  output: Output,
  options: PullOptions = {},
): Promise<void> {
  const { url, sha256, ...rest } = options;
  if (url === undefined && sha256 === undefined) {
    const { changed, onnxFile } = await ensureModel(name, rest);
    output(changed ? `${name}: made ${onnxFile}` : `${name}: ${onnxFile} is up to date`);
    return;
  }
  if (url === undefined || sha256 === undefined || !/^[0-9a-fA-F]{64}$/.test(sha256)) {
    throw new SightlineError(
      'SL_CONFIG_INVALID',
      'Cannot download a model without both --url and --sha256 (64 hex digits): the checksum is what makes the file trustworthy',
    );
  }
  const model = await pullFrom(name, { url, sha256 }, rest);
  output(`${name}: downloaded ${model.onnxFile}`);
}

/** `sightline models add MANIFEST [--onnx FILE] [--replace]`: installs a model of your own. */
export async function modelsAdd(
  manifestFile: string,
  output: Output,
  options: AddOptions = {},
): Promise<void> {
  const { manifest, folder } = await addModel(manifestFile, options);
  output(`${manifest.name}: installed in ${folder}`);
}

export interface TritonCommandOptions extends CommandOptions {
  readonly batch?: number;
  readonly precision?: 'fp32' | 'fp16';
  readonly gpu?: number;
  readonly engineCache?: string;
}

/** `sightline models triton NAME REPOSITORY`: lays a model out for `engine: nvinferserver`. */
export async function modelsTriton(
  name: string,
  repository: string,
  output: Output,
  options: TritonCommandOptions = {},
): Promise<void> {
  const { batch = 16, precision = 'fp16', gpu = 0, engineCache } = options;
  const model = await loadModel(options.directory ?? PATHS.models, name);
  const folder = await exportTriton(model, repository, {
    ...{ batchSize: batch, precision, gpuId: gpu },
    ...(engineCache === undefined ? {} : { engineCache }),
  });
  output(`${name}: laid out in ${folder}`);
}
