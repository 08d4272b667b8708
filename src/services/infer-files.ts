import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import type { Model } from '../models/catalog.ts';
import { type EngineMachine, engineLayout } from '../models/engine-key.ts';
import { checkUse, type GpuUse, type InferUse } from '../models/infer-use.ts';
import { formatLabels } from '../models/labels.ts';
import { configName, formatNvinferConfig } from '../models/nvinfer.ts';
import { formatNvinferserverConfig } from '../models/nvinferserver.ts';
import type { InferFile, InferFileRequest } from '../pipeline/backends/infer-file.ts';
import type { EngineRequest } from '../pipeline/engine-request.ts';
import type { GeneratedFile } from '../pipeline/graph.ts';

export interface InferFileOptions {
  /** The model with its manifest, of a name that was resolved. */
  readonly models: (name: string) => Model | undefined;
  /** Absolute folder of generated files. */
  readonly filesDir: string;
  /** Absolute folder of engines. */
  readonly cacheDir: string;
  readonly machine: EngineMachine;
}

/** A configuration, and the engine it needs: none with nvinferserver, where Triton builds its own. */
export interface InferFileWithEngine extends InferFile {
  readonly engine?: EngineRequest;
}

/**
 * Makes the function that lowering to DeepStream asks for configurations. Pure: equal requests give equal files, and
 * nothing is written.
 */
export function createInferFileWriter(
  options: InferFileOptions,
): (request: InferFileRequest) => InferFileWithEngine {
  return (request) => {
    const model = options.models(request.model.name);
    if (model === undefined) {
      throw new SightlineError('SL_MODEL_NOT_FOUND', `There is no model "${request.model.name}"`);
    }
    const labels = labelsFile(model, request.origin, options.filesDir);
    const file =
      request.engine === 'nvinfer'
        ? nvinferFile(model, request, labels.path, options)
        : nvinferserverFile(model, request, labels.path, options.filesDir);
    return { ...file, others: [labels] };
  };
}

/** Labels as both engines read them alike, whatever line ends the model's own file has. */
function labelsFile(model: Model, origin: string, filesDir: string): GeneratedFile {
  const text = formatLabels(model.manifest.task, model.labels);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const path = join(filesDir, `${model.name}-${digest}.labels`);
  return { path, kind: 'labels', text, origin };
}

function nvinferFile(
  model: Model,
  request: InferFileRequest,
  labels: string,
  { filesDir, cacheDir, machine }: InferFileOptions,
): InferFileWithEngine {
  const use = useOf(request);
  const { precision, gpuId, batchSize, parserLibrary } = request;
  checkUse(model, use, { precision, gpuId, parserLibrary });
  const { manifest, input, calibrationSha256 } = model;
  const { key, onnxFile, engineFile } = engineLayout(cacheDir, {
    ...machine,
    modelSha256: manifest.onnx.sha256!,
    ...{ precision, batchSize, gpuId },
    ...(precision === 'int8' && calibrationSha256 !== undefined ? { calibrationSha256 } : {}),
    inputDims: [manifest.input.colour === 'gray' ? 1 : 3, input.height, input.width],
  });
  const gpu: GpuUse = { precision, gpuId, parserLibrary, engineFile };
  const text = formatNvinferConfig(model, use, { onnx: onnxFile, labels }, gpu);
  const path = join(filesDir, configName(model, text));
  const engine: EngineRequest = {
    key,
    model: `${model.name} ${model.version}`,
    ...{ precision, batchSize, gpuId },
    sourceFile: model.onnxFile,
    ...{ onnxFile, engineFile },
    configFile: path,
  };
  return { path, text, engineFile, engine };
}

function nvinferserverFile(
  model: Model,
  request: InferFileRequest,
  labels: string,
  filesDir: string,
): InferFileWithEngine {
  const { precision, gpuId, parserLibrary, modelRepository } = request;
  if (modelRepository === undefined) {
    throw new SightlineError(
      'SL_SPEC_INVALID',
      'nvinferserver needs deepstream.modelRepository, a folder of Triton models (`sightline models triton` lays one out)',
    );
  }
  const gpu = { precision, gpuId, parserLibrary };
  const text = formatNvinferserverConfig(model, useOf(request), { labels }, gpu, modelRepository);
  return { path: join(filesDir, configName(model, text)), text };
}

function useOf(request: InferFileRequest): InferUse {
  const { uniqueId, processMode, batchSize, threshold, operateOn } = request;
  const { dropClassIds, interval, minWidth, minHeight } = request;
  return {
    ...{ uniqueId, processMode, batchSize, dropClassIds, interval, minWidth, minHeight },
    ...(threshold === undefined ? {} : { threshold }),
    ...(operateOn === undefined ? {} : { operateOn }),
  };
}
