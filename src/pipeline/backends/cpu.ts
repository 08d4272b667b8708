import { problemsError } from '../../common/check.ts';
import { SightlineError } from '../../common/errors.ts';
import { isLive } from '../../sources/resolve-source.ts';
import { deepFreeze } from '../freeze.ts';
import type {
  Graph,
  GraphLink,
  GraphNode,
  Lowered,
  LoweringNote,
  PropertyValue,
} from '../graph.ts';
import { assertSound } from '../graph-check.ts';
import type { ResolvedInfer, ResolvedPipeline, ResolvedStream } from '../resolve.ts';
import type { TrackSpec } from '../spec.ts';
import type { ByteTrackSpec } from '../track-spec.ts';
import { lowerAnalytics } from './cpu-analytics.ts';
import { type ClassifierFileWriter, lowerClassifiers } from './cpu-classify.ts';
import { type CpuGpu, gpuBatch, gpuNotes, gpuProperties } from './cpu-gpu.ts';
import { type ImageNodes, imageNodes } from './cpu-images.ts';
import { assertRecordable, recordNode } from './cpu-record.ts';
import { lowerSource } from './cpu-source.ts';
import { latencyNode, recordingNotes } from './latency.ts';
import { chainLinks, METADATA_BUFFERS, node, output, queue } from './nodes.ts';

export interface CpuOptions {
  /** ONNX Runtime's shared library. */
  readonly onnxRuntimeLibrary: string;
  /** Cores the worker may use. */
  readonly cores: number;
  /**
   * nvinfer-style configuration with the pipeline's own threshold. Needed when `infer.threshold` is set (neither
   * slinfer nor nvinfer takes it as a property); default: the model's configuration.
   */
  readonly configFile?: string;
  /** Gives the files of secondary classifiers. Needed when there are any. */
  readonly classifierFiles?: ClassifierFileWriter;
  /** Folder (absolute) of the files the graphs read; `Lowered.files` are to be written there. */
  readonly filesDir: string;
  /** For a GPU under ONNX Runtime. Default: the CPU. */
  readonly gpu?: CpuGpu;
  /** Folder (absolute) in which recorded streams get one each; never a client's word. Needed when one is recorded. */
  readonly recordDir?: string;
}

/**
 * Lowers a pipeline to elements that run on the CPU, but for the models where ONNX Runtime has a GPU: one graph a stream. The worker runs all of them in one process,
 * where their detectors share the model.
 *
 * @throws SightlineError `SL_BACKEND_UNSUPPORTED` with the pointers of what only DeepStream does, and of recordings
 * without a folder for them; `SL_INTERNAL` when `configFile` is missing though it is needed.
 */
export function lowerCpu(pipeline: ResolvedPipeline, options: CpuOptions): Lowered {
  refuseGpuOnly(pipeline);
  assertRecordable(pipeline, options.recordDir);
  const { filesDir, gpu } = options;
  const classifiers = lowerClassifiers(pipeline, options);
  const analytics = lowerAnalytics(pipeline, filesDir);
  const graphs = pipeline.streams.map((stream, index) =>
    lowerStream(pipeline, stream, options, [...classifiers.nodes, ...analytics.nodes(index)]),
  );
  assertSound(graphs);
  const files = [...classifiers.files, ...analytics.files];
  const notes = [
    ...gpuNotes(gpu),
    ...trackerNotes(pipeline.track),
    ...classifiers.notes,
    ...recordingNotes(pipeline.streams),
  ];
  return deepFreeze({ backend: 'cpu', graphs, files, notes, environment: {} });
}

/** What no element on the CPU does yet. */
function refuseGpuOnly({ id, annotated }: ResolvedPipeline): void {
  if (annotated === undefined) return;
  const message = 'needs the DeepStream backend: it does not run on the CPU yet';
  throw problemsError([{ pointer: '/annotated', message }], {
    code: 'SL_BACKEND_UNSUPPORTED',
    subject: `pipeline "${id}"`,
  });
}

function trackerNotes(track: TrackSpec): LoweringNote[] {
  if (track.type === 'none' || track.type === 'bytetrack') return [];
  const message = `"${track.type}" runs on NVIDIA GPUs only: on the CPU this is bytetrack`;
  return [{ pointer: '/track/type', message }];
}

function lowerStream(
  pipeline: ResolvedPipeline,
  stream: ResolvedStream,
  options: CpuOptions,
  behindTracker: readonly GraphNode[],
): Graph {
  const record = recordNode(stream, options.recordDir);
  const { infer } = pipeline;
  const images = pipeline.images && imageNodes(stream, pipeline.images);
  const latency = latencyNode('latency', stream);
  const drop = latency === undefined ? undefined : stream.latency?.drop;
  const keysOnly = pipeline.images?.when === 'key-frames';
  const skips = keysOnly ? 'always' : drop === 'non-key' ? 'on-demand' : undefined;
  const decodes = infer !== undefined || images !== undefined;
  const source = lowerSource(stream, {
    ...(decodes ? { to: 'decoded' } : {}),
    ...(skips === undefined ? {} : { skips }),
    records: record !== undefined,
  });
  const pictures = decodes
    ? [
        node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
        ...pace(stream),
        // What waits is kept where new pictures are refused instead.
        frameQueue(isLive(stream.source) && drop !== 'newest'),
        ...(latency === undefined ? [] : [latency]),
      ]
    : [];
  const outputs =
    infer === undefined
      ? withoutMetadata(images)
      : lowerOutputs(stream, images, [
          detector(pipeline, infer, options),
          ...tracker(pipeline.track),
          ...behindTracker,
        ]);
  const main = [...pictures, ...outputs.main];
  const recorders = record === undefined ? [] : [record];
  return {
    id: stream.id,
    streams: [stream.id],
    nodes: [...source.nodes, ...main, ...outputs.branch, ...recorders],
    links: [...source.links, ...chainLinks(main, outputs.caps), ...outputs.branchLinks],
    choices: source.choices,
    sessionNodes: [...outputs.sessionNodes, ...recorders.map(({ id }) => id)],
  };
}

/** A file that is to run like a camera waits for its clock here; a camera brings its own pace. */
function pace({ source }: ResolvedStream): GraphNode[] {
  const paced = source.type === 'file' && source.pace === 'realtime';
  return paced ? [node('pace', 'clocksync', 'queue', { sync: true })] : [];
}

/**
 * Between decoder and detector. A live stream keeps only the newest picture, so that a slow detector skips frames
 * instead of falling behind; a file waits, so that every frame is seen.
 */
function frameQueue(newestOnly: boolean): GraphNode {
  return queue('frames', newestOnly ? 1 : 4, newestOnly);
}

function detector(
  { id, streams }: ResolvedPipeline,
  infer: ResolvedInfer,
  options: CpuOptions,
): GraphNode {
  const [first] = streams;
  // One live stream gains latency from a second thread; several streams gain throughput from a session a core.
  const alone = streams.length === 1 && first !== undefined && isLive(first.source);
  const { model, interval, threshold, classIds } = infer;
  const { gpu, cores } = options;
  const { batchSize = gpuBatch(gpu, model, streams.length) } = infer;
  const { configFile = threshold === undefined ? model.configFile : undefined } = options;
  if (configFile === undefined) {
    const message = `Cannot lower pipeline "${id}": its threshold needs a configuration file of its own`;
    throw new SightlineError('SL_INTERNAL', message);
  }
  const others =
    classIds && model.labels.map((_, index) => index).filter((index) => !classIds.includes(index));
  return node('infer', 'slinfer', 'infer', {
    'config-file-path': configFile,
    interval,
    'unique-id': 1,
    'batch-size': batchSize,
    ...(others === undefined || others.length === 0
      ? {}
      : { 'filter-out-class-ids': others.join(';') }),
    'onnxruntime-library': options.onnxRuntimeLibrary,
    'intra-op-threads': alone && cores >= 2 ? 2 : 1,
    'model-name': model.name,
    'model-version': model.version,
    ...gpuProperties(gpu),
  });
}

function tracker(track: TrackSpec): GraphNode[] {
  if (track.type === 'none') return [];
  const own: Partial<ByteTrackSpec> = track.type === 'bytetrack' ? track : {};
  const knobs: Record<string, PropertyValue | undefined> = {
    'track-high-threshold': own.highThreshold,
    'track-low-threshold': own.lowThreshold,
    'new-track-threshold': own.newTrackThreshold,
    'match-threshold': own.matchThreshold,
    'max-lost-frames': track.maxLostFrames,
    'min-hits': track.minHits,
    'class-aware': track.classAware,
    'emit-lost': track.emitLost,
  };
  const given = Object.entries(knobs).filter(
    (entry): entry is [string, PropertyValue] => entry[1] !== undefined,
  );
  return [node('track', 'sltrack', 'track', Object.fromEntries(given))];
}

interface Outputs {
  /** Continues the chain of pictures down to the metadata or, without any, to the pictures' output. */
  readonly main: readonly GraphNode[];
  readonly branch: readonly GraphNode[];
  readonly branchLinks: readonly GraphLink[];
  readonly sessionNodes: readonly string[];
  /** Filters of links of `main`, by the node they lead to. */
  readonly caps?: Readonly<Record<string, string>>;
}

/** Pictures alone, or nothing at all: no frame messages without a detector. */
function withoutMetadata(images: ImageNodes | undefined): Outputs {
  if (images === undefined) return { main: [], branch: [], branchLinks: [], sessionNodes: [] };
  const { mark, filter, encode, caps } = images;
  const main = [...mark, filter, ...encode];
  return { main, branch: [], branchLinks: [], sessionNodes: ['image'], caps };
}

/** `found`: what looks at the pictures, before any is chosen. */
function lowerOutputs(
  stream: ResolvedStream,
  images: ImageNodes | undefined,
  found: readonly GraphNode[],
): Outputs {
  const meta = node('meta', 'slmeta', 'metadata', {
    'stream-id': stream.id,
    'sensor-id': stream.sensorId,
    backend: 'cpu',
  });
  const metadata = output('metadata', 1, METADATA_BUFFERS);
  if (images === undefined) {
    const main = [...found, meta, metadata];
    return { main, branch: [], branchLinks: [], sessionNodes: [meta.id] };
  }
  const { mark, filter, encode, caps } = images;
  const split = node('split', 'tee', 'split', {});
  const branch = [queue('image-queue', 2, false), filter, ...encode];
  return {
    main: [...found, ...mark, split, queue('metadata-queue', 4, false), meta, metadata],
    branch,
    branchLinks: chainLinks([split, ...branch], caps),
    sessionNodes: [meta.id, 'image'],
  };
}
