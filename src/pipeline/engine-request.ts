import type { Graph, GraphLink, GraphNode, PropertyValue } from './graph.ts';

/** Numbers a TensorRT engine computes in. */
export type EnginePrecision = 'fp32' | 'fp16' | 'int8';

/** A TensorRT engine that nvinfer needs before a pipeline can run. Equal keys mean the same engine. */
export interface EngineRequest {
  /** Names the engine in the cache: depends on everything the engine does. */
  readonly key: string;
  /** Name and version of the model, to show. */
  readonly model: string;
  readonly precision: EnginePrecision;
  readonly batchSize: number;
  readonly gpuId: number;
  /** The model's ONNX file; absolute. */
  readonly sourceFile: string;
  /** Where nvinfer finds the model: beside the engine, because nvinfer writes the engine there. Absolute. */
  readonly onnxFile: string;
  /** Where nvinfer reads the engine and writes it; absolute. */
  readonly engineFile: string;
  /** nvinfer configuration that names both; absolute. It must be written before the build. */
  readonly configFile: string;
}

/** Node whose first buffer proves that the engine runs. */
const PROOF = 'built';

/**
 * A graph that makes nvinfer build an engine: one test picture through it. nvinfer builds while it starts, which takes
 * minutes; `slstamp` behind it sees the picture once the engine has run.
 */
export function engineBuildGraph(request: EngineRequest): Graph {
  const { key, gpuId, batchSize, configFile } = request;
  const nodes = [
    node('picture', 'videotestsrc', 'source', { 'num-buffers': 1, pattern: 'black' }),
    node('upload', 'nvvideoconvert', 'convert', { 'gpu-id': gpuId }, ['gpu-id']),
    node(
      'mux',
      'nvstreammux',
      'mux',
      { 'batch-size': 1, width: 640, height: 480, 'batched-push-timeout': 40_000, 'gpu-id': gpuId },
      // The new muxer, chosen by an environment variable, has none of these.
      ['width', 'height', 'gpu-id', 'batched-push-timeout'],
    ),
    node('infer', 'nvinfer', 'infer', {
      'config-file-path': configFile,
      'batch-size': batchSize,
      'gpu-id': gpuId,
    }),
    node(PROOF, 'slstamp', 'stamp', { stage: 'decode' }),
    node('sink', 'fakesink', 'sink', { sync: false, async: false }),
  ];
  const links: GraphLink[] = [
    { from: 'picture', to: 'upload', caps: 'video/x-raw,width=640,height=480,framerate=30/1' },
    { from: 'upload', to: 'mux.sink_0', caps: 'video/x-raw(memory:NVMM),format=NV12' },
    { from: 'mux', to: 'infer' },
    { from: 'infer', to: PROOF },
    { from: PROOF, to: 'sink' },
  ];
  return { id: `engine-${key}`, streams: [key], nodes, links, choices: [], sessionNodes: [] };
}

function node(
  id: string,
  factory: string,
  role: GraphNode['role'],
  properties: Readonly<Record<string, PropertyValue>>,
  optional?: readonly string[],
): GraphNode {
  return { id, factory, role, properties, ...(optional === undefined ? {} : { optional }) };
}
