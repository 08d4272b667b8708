import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkValue } from '../../src/common/check.ts';
import { parseDocument } from '../../src/common/document.ts';
import { ROOT } from '../../src/common/paths.ts';
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
import { ENV, MODELS } from './fixtures.ts';

export { PLATFORM_NAMES, type PlatformName };

export const PLATFORMS = checkValue(
  JSON.parse(readFileSync(join(ROOT, 'configs', 'deepstream', 'platforms.json'), 'utf8')),
  PlatformsSchema,
);

/** A configuration that says what was asked for: the real one is made from a manifest and has tests of its own. */
export const inferFile: InferFileWriter = (request) => {
  const { model, origin: _origin, ...rest } = request;
  const facts = Object.entries({ model: model.name, ...rest });
  const text = `${facts.map(([key, value]) => `# ${key}: ${JSON.stringify(value)}`).join('\n')}\n`;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { path: `/var/lib/sightline/generated/${model.name}-${digest}.txt`, text };
};

export function deepStream(
  platform: PlatformName = 'dgpu',
  options: Partial<DeepStreamOptions> = {},
): DeepStreamOptions {
  const data = platformOf(PLATFORMS, platform);
  return {
    platform: data,
    deepstream: '9.1',
    filesDir: '/var/lib/sightline/generated',
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
