import { SightlineError } from '../common/errors.ts';
import type { LoadedManifest } from '../models/manifest.ts';
import { formatNvinferConfig } from '../models/nvinfer.ts';
import { formatInferServerConfig } from '../models/nvinferserver.ts';
import type { InferFileRequest, InferFileWriter } from '../pipeline/backends/infer-file.ts';
import { generatedFile } from '../pipeline/generated-file.ts';

/** nvinfer's `network-mode`. */
const NETWORK_MODES = { fp32: 0, int8: 1, fp16: 2 } as const;

/**
 * The configurations of inference elements, made from the manifests of installed models.
 * @param find gives an installed model by name; may throw what is wrong with it.
 * @param folder absolute; where the files are to lie.
 */
export function createInferFiles(
  find: (name: string) => LoadedManifest | undefined,
  folder: string,
): InferFileWriter {
  return (request) => {
    const { model, engine, origin } = request;
    const manifest = find(model.name);
    if (manifest === undefined) {
      throw new SightlineError('SL_MODEL_NOT_FOUND', `no model "${model.name}" is installed`);
    }
    if (model.kind !== 'detector') {
      const message = `the model "${model.name}" is a ${model.kind}: only detectors can be configured yet`;
      throw new SightlineError('SL_BACKEND_UNSUPPORTED', message);
    }
    const server = engine === 'nvinferserver';
    const text = server ? serverText(manifest, request) : nvinferText(manifest, request);
    const extension = server ? '.pbtxt' : '.txt';
    return generatedFile(folder, model.name, extension, { kind: engine, text, origin });
  };
}

function serverText(manifest: LoadedManifest, request: InferFileRequest): string {
  const { modelRepository } = request;
  if (modelRepository === undefined) {
    throw new SightlineError('SL_SPEC_INVALID', 'nvinferserver needs the folder of Triton models');
  }
  return formatInferServerConfig(manifest, { ...request, modelRepository });
}

function nvinferText(manifest: LoadedManifest, request: InferFileRequest): string {
  const { threshold, operateOn } = request;
  const paths = { onnx: manifest.onnxFile, labels: manifest.labelsFile };
  const overrides = threshold === undefined ? {} : { threshold };
  const secondary: Record<string, string | number> =
    request.processMode === 1
      ? { interval: request.interval }
      : {
          'secondary-reinfer-interval': request.interval,
          'input-object-min-width': request.minWidth,
          'input-object-min-height': request.minHeight,
        };
  if (operateOn !== undefined) {
    secondary['operate-on-gie-id'] = operateOn.gieId;
    if (operateOn.classIds !== undefined) {
      secondary['operate-on-class-ids'] = operateOn.classIds.join(';');
    }
  }
  if (request.dropClassIds.length > 0) {
    secondary['filter-out-class-ids'] = request.dropClassIds.join(';');
  }
  return withProperties(formatNvinferConfig(manifest, overrides, paths), {
    'gie-unique-id': request.uniqueId,
    'process-mode': request.processMode,
    'batch-size': request.batchSize,
    'gpu-id': request.gpuId,
    'network-mode': NETWORK_MODES[request.precision],
    'custom-lib-path': request.parserLibrary,
    ...secondary,
  });
}

/** Sets keys of the group [property]: in place where they are, else at its end. */
function withProperties(text: string, entries: Readonly<Record<string, string | number>>): string {
  const end = text.indexOf('\n\n', text.indexOf('[property]'));
  const lines = text.slice(0, end).split('\n');
  for (const [key, value] of Object.entries(entries)) {
    const at = lines.findIndex((line) => line.startsWith(`${key}=`));
    if (at < 0) lines.push(`${key}=${value}`);
    else lines[at] = `${key}=${value}`;
  }
  return `${lines.join('\n')}${text.slice(end)}`;
}
