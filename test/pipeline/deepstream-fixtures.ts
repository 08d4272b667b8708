import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkValue } from '../../src/common/check.ts';
import { parseDocument } from '../../src/common/document.ts';
import { ROOT } from '../../src/common/paths.ts';
import type { Model } from '../../src/models/catalog.ts';
import { type Manifest, ManifestSchema } from '../../src/models/manifest.ts';
import {
  PLATFORM_NAMES,
  type PlatformName,
  PlatformsSchema,
  platformOf,
} from '../../src/pipeline/backends/deepstream/platform.ts';
import { type DeepStreamOptions, lowerDeepStream } from '../../src/pipeline/backends/deepstream.ts';
import type { InferFileRequest, InferFileWriter } from '../../src/pipeline/backends/infer-file.ts';
import type { Graph, GraphNode, Lowered } from '../../src/pipeline/graph.ts';
import { allNodes } from '../../src/pipeline/graph-check.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { createInferFileWriter } from '../../src/services/infer-files.ts';
import { ENV, MODEL, MODELS } from './fixtures.ts';

export { PLATFORM_NAMES, type PlatformName };

export const PLATFORMS = checkValue(
  JSON.parse(readFileSync(join(ROOT, 'configs', 'deepstream', 'platforms.json'), 'utf8')),
  PlatformsSchema,
);

const FILES_DIR = '/var/lib/sightline/generated';

function manifestOf(path: string): Manifest {
  const text = readFileSync(join(ROOT, 'models', path, 'model.yaml'), 'utf8');
  return parseDocument(text, ManifestSchema).value as Manifest;
}

const MANIFESTS = {
  detector: manifestOf(MODEL.name),
  classifier: manifestOf('examples/vehicle-colour'),
};

/** An installed model of the resolved one's name: the shipped manifest of its kind with other labels. */
function installed(name: string): Model | undefined {
  const model = MODELS.get(name);
  if (model === undefined) return undefined;
  const { kind, version, labels, dynamicBatch, configFile } = model;
  const batch = dynamicBatch ? 'dynamic' : 'fixed';
  const shipped = MANIFESTS[kind];
  const onnx = { ...shipped.onnx, sha256: shipped.onnx.sha256 ?? 'c'.repeat(64) };
  const manifest: Manifest = { ...shipped, name, version, batch, onnx };
  return {
    ...{ name, version, manifest, labels, batch, dynamicBatch, kind, configFile },
    input: manifest.input,
    folder: `/models/${name}`,
    file: `/models/${name}/model.yaml`,
    onnxFile: `/models/${name}/model.onnx`,
    labelsFile: `/models/${name}/labels.txt`,
  };
}

/** The configurations of the fixtures' models, as serve writes them, for one machine. */
export const inferFile: InferFileWriter = createInferFileWriter({
  models: installed,
  filesDir: FILES_DIR,
  cacheDir: '/var/lib/sightline/engines',
  machine: { gpuName: 'NVIDIA L4', tensorRt: '10.16.1.11', deepStream: '9.1' },
});

export function deepStream(
  platform: PlatformName = 'dgpu',
  options: Partial<DeepStreamOptions> = {},
): DeepStreamOptions {
  const data = platformOf(PLATFORMS, platform);
  return {
    platform: data,
    deepstream: '9.1',
    filesDir: FILES_DIR,
    libraryDir: data.libraryDir,
    parserLibrary: '/opt/sightline/libsightline_parsers.so',
    workingDir: '/srv/video',
    inferFile,
    ...options,
  };
}

/** A pipeline text, lowered. */
export function lower(text: string, options: DeepStreamOptions = deepStream()): Lowered {
  const spec = parseDocument(text, PipelineSpec, { env: ENV }).value;
  return lowerDeepStream(resolve(spec, { models: MODELS }), options);
}

/** The node of this id in a graph. */
export function nodeIn(graph: Graph | undefined, id: string): GraphNode {
  const found = graph && allNodes(graph).find((node) => node.id === id);
  if (found === undefined) throw new Error(`no node "${id}"`);
  return found;
}

/** What was asked of the model files while a text was lowered. */
export function requestsOf(text: string, platform: PlatformName = 'dgpu'): InferFileRequest[] {
  const requests: InferFileRequest[] = [];
  const recording: InferFileWriter = (request) => {
    requests.push(request);
    return inferFile(request);
  };
  lower(text, deepStream(platform, { inferFile: recording }));
  return requests;
}

/** The first graph of a pipeline text. */
export function firstGraph(text: string, options?: DeepStreamOptions): Graph {
  const [graph] = lower(text, options).graphs;
  if (graph === undefined) throw new Error('the pipeline has no graph');
  return graph;
}
