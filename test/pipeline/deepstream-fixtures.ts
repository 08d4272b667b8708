import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkValue } from '../../src/common/check.ts';
import { parseDocument } from '../../src/common/document.ts';
import { ROOT } from '../../src/common/paths.ts';
import { type Manifest, ManifestSchema } from '../../src/models/manifest.ts';
import {
  PLATFORM_NAMES,
  type PlatformName,
  PlatformsSchema,
  platformOf,
} from '../../src/pipeline/backends/deepstream/platform.ts';
import { type DeepStreamOptions, lowerDeepStream } from '../../src/pipeline/backends/deepstream.ts';
import type { InferFileRequest, InferFileWriter } from '../../src/pipeline/backends/infer-file.ts';
import { generatedFile } from '../../src/pipeline/generated-file.ts';
import type { Graph, GraphNode, Lowered } from '../../src/pipeline/graph.ts';
import { allNodes } from '../../src/pipeline/graph-check.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { createInferFiles } from '../../src/services/infer-file.ts';
import { ENV, MODEL, MODELS } from './fixtures.ts';

export { PLATFORM_NAMES, type PlatformName };

export const PLATFORMS = checkValue(
  JSON.parse(readFileSync(join(ROOT, 'configs', 'deepstream', 'platforms.json'), 'utf8')),
  PlatformsSchema,
);

const FILES_DIR = '/var/lib/sightline/generated';
const MANIFEST: Manifest = {
  ...parseDocument(
    readFileSync(join(ROOT, 'models', MODEL.name, 'model.yaml'), 'utf8'),
    ManifestSchema,
  ).value,
  version: MODEL.version,
};
const fromManifest = createInferFiles(
  (name) => ({
    manifest: { ...MANIFEST, name },
    folder: `/models/${name}`,
    file: `/models/${name}/model.yaml`,
    onnxFile: `/models/${name}/model.onnx`,
    labelsFile: `/models/${name}/labels.txt`,
    labels: MODELS.get(name)?.labels ?? [],
  }),
  FILES_DIR,
);

/** The configurations of models, all made from the one manifest with other names. */
export const inferFile: InferFileWriter = (request) => {
  if (request.model.kind === 'detector') return fromManifest(request);
  const text = [
    '[property]',
    `gie-unique-id=${request.uniqueId}`,
    `process-mode=${request.processMode}`,
    'network-type=1',
    `onnx-file=/models/${request.model.name}/model.onnx`,
    `batch-size=${request.batchSize}`,
    `secondary-reinfer-interval=${request.interval}`,
    '',
  ].join('\n');
  const { origin } = request;
  return generatedFile(FILES_DIR, request.model.name, '.txt', { kind: 'nvinfer', text, origin });
};

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
