import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from '../../src/common/document.ts';
import { type Problem, SightlineError } from '../../src/common/errors.ts';
import { ROOT } from '../../src/common/paths.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import type { Graph, Lowered } from '../../src/pipeline/graph.ts';
import { type ResolvedModel, resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';

/** Folder of the ready pipeline files. */
export const PIPELINES = join(ROOT, 'pipelines/');

/** Their names; the folder also has one of examples in TypeScript. */
export const PIPELINE_FILES = readdirSync(PIPELINES).filter((name) => name.endsWith('.yaml'));

/** A model as the registry would give it, with a few of its labels. */
export const MODEL: ResolvedModel = {
  name: 'centernet-512x384',
  version: '1',
  configFile: '/models/centernet-512x384/nvinfer.txt',
  labels: ['person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck'],
  dynamicBatch: true,
  kind: 'detector',
};

/** A model that takes one frame at a time. */
export const FIXED_MODEL: ResolvedModel = { ...MODEL, name: 'yolo-fixed', dynamicBatch: false };

/** A classifier such as a user brings: no shipped model is one. */
export const COLOUR_MODEL: ResolvedModel = {
  ...MODEL,
  name: 'vehicle-colour',
  configFile: '/models/vehicle-colour/nvinfer.txt',
  labels: ['black', 'white', 'red'],
  kind: 'classifier',
};

/** A detector that looks inside of what another found. */
export const PLATE_MODEL: ResolvedModel = { ...MODEL, name: 'plates', labels: ['plate'] };

/** A classifier of an attribute with three values. */
export const CLASSIFIER: ResolvedModel = {
  ...MODEL,
  name: 'colour',
  configFile: '/models/colour/nvinfer.txt',
  labels: ['red', 'green', 'blue'],
  kind: 'classifier',
};

export const MODELS: ReadonlyMap<string, ResolvedModel> = new Map(
  [MODEL, FIXED_MODEL, COLOUR_MODEL, PLATE_MODEL, CLASSIFIER].map((model) => [model.name, model]),
);

/** What the ready pipelines take from the environment. */
export const ENV = {
  CAMERA_URL: 'rtsp://viewer:hunter2@camera.example/stream1',
  VIDEO_FILE: 'clips/dock.mp4',
  DOCK_1_URL: 'rtsp://dock-1.example:8554/main?profile=2',
  DOCK_2_URL: 'rtsp://dock-2.example/main',
  DOCK_2_PASSWORD: 'hunter2 "x"',
  GATE_URL: 'rtsps://[2001:db8::7]/gate',
  ENTRANCE_URL: 'rtsps://viewer:hunter2@entrance.example/main',
  REPLAY_URL: 'https://viewer:hunter2@files.example/replay.mp4',
};

export const CPU = {
  onnxRuntimeLibrary: '/opt/libonnxruntime.so.1',
  cores: 4,
  configFile: '/models/centernet-512x384/nvinfer.txt',
  filesDir: '/generated',
};

/** What a pipeline text becomes. */
export function lower(text: string, cpu = CPU): Lowered {
  const spec = parseDocument(text, PipelineSpec, { env: ENV }).value;
  return lowerCpu(resolve(spec, { models: MODELS }), cpu);
}

/** The graphs of a pipeline text. */
export function compile(text: string, cpu = CPU): readonly Graph[] {
  return lower(text, cpu).graphs;
}

/** A pipeline of one stream, with the source given in YAML's flow form and more lines before it. */
export function pipelineText(source: string, lines = ''): string {
  return `id: p\ninfer: { model: ${MODEL.name} }\n${lines}\nstreams:\n  - id: cam\n    source: ${source}\n`;
}

/** The problems an action throws. */
export function thrown(action: () => unknown): { code: string; problems: readonly Problem[] } {
  try {
    action();
  } catch (error) {
    if (error instanceof SightlineError) return { code: error.code, problems: error.problems };
    throw error;
  }
  throw new Error('the action threw nothing');
}
