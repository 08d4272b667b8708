import { problemsError } from '../common/check.ts';
import { SightlineError } from '../common/errors.ts';
import type { CompiledPipeline, Compiler } from '../control/types.ts';
import type { Graph, Lowered, PropertyValue } from '../pipeline/graph.ts';
import { needsInfer, resolve } from '../pipeline/resolve.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';
import type { AcceleratorProbe } from './accelerator.ts';
import type { ServerConfig } from './config/server.ts';
import { writeGeneratedFiles } from './generated-files.ts';
import { lower } from './lower.ts';
import { preload } from './preload.ts';

/** GStreamer takes the start of a graph on a GPU within this: CUDA comes up and engines are loaded. */
const GPU_START_MS = 180_000;
/** ONNX Runtime's TensorRT builds its engines in the graph that needs them first. */
const ENGINE_BUILD_MS = 1_800_000;

export interface CompilerOptions {
  readonly modelsDir: string;
  /** Absolute. Where configurations with overrides and what DeepStream's elements read is written. */
  readonly workDir: string;
  /** Absolute folder of TensorRT engines. Default: `engines` in `workDir`. */
  readonly enginesDir?: string;
  /** Absolute folder of recordings. Without it specs that record are refused. */
  readonly recordDir?: string;
  /** What this machine can run on. Default: a look at it. */
  readonly probe?: () => Promise<AcceleratorProbe>;
  readonly defaults?: ServerConfig['defaults'];
  /** False on a receiver: specs that need a detector are refused. Default true. */
  readonly detector?: boolean;
  /** Epoch with which the fleet lets a stream run here; undefined for one the fleet has nothing to do with. */
  readonly epochOf?: (streamId: string) => number | undefined;
  /** Ids of the server's sinks as they are now; absent: not known, and specs may name any. */
  readonly sinks?: () => readonly string[];
}

/**
 * Turns specs into graphs for this machine: models from a folder, DeepStream or the CPU as the pipeline's policy and the
 * machine say, defaults for streams of the API.
 */
export function createCompiler(options: CompilerOptions): Compiler {
  const { defaults } = options;
  return {
    async stream(given) {
      const spec: StreamSpec = { ...defaults, ...given };
      refuseRecordings([spec.source], () => '/source/type', 'the stream');
      const compiled = await compile(spec, options);
      return { ...compiled, streams: [{ id: spec.id, spec }] };
    },
    async pipeline(given, source) {
      const foreign = source === 'api' || source === 'fleet';
      const spec: PipelineSpec = foreign ? { ...defaults, ...given } : given;
      const { id: _id, streams, ...shared } = spec;
      if (foreign) {
        const sources = streams.map((stream) => stream.source);
        refuseRecordings(sources, (index) => `/streams/${index}/source/type`, 'the pipeline');
      }
      const compiled = await compile(spec, options);
      return {
        ...compiled,
        streams: streams.map((stream) => ({ id: stream.id, spec: { ...shared, ...stream } })),
      };
    },
  };
}

/** What comes over the API must open no file of this machine and fetch nothing by HTTP; a configuration may. */
function refuseRecordings(
  sources: readonly StreamSpec['source'][],
  pointerOf: (index: number) => string,
  subject: string,
): void {
  const problems = sources.flatMap(({ type }, index) => {
    if (type === 'rtsp') return [];
    const what = type === 'file' ? 'files' : 'web addresses';
    const message = `must be "rtsp": ${what} can only be analysed by a pipeline of the configuration`;
    return [{ pointer: pointerOf(index), message }];
  });
  if (problems.length > 0) throw problemsError(problems, { subject });
}

async function compile(
  spec: PipelineSpec | StreamSpec,
  options: CompilerOptions,
): Promise<Omit<CompiledPipeline, 'streams'>> {
  if (options.detector === false && needsInfer(spec)) throw needsDetector(spec);
  const models = await preload(spec, options.modelsDir);
  const sinks = options.sinks?.();
  const pipeline = resolve(spec, { models, ...(sinks === undefined ? {} : { sinks }) });
  const { lowered, engines, fallbackReason } = await lower(pipeline, models, options);
  await writeGeneratedFiles(lowered.files);
  const { backend, notes, environment } = lowered;
  const graphs = lowered.graphs.map((graph) => withOwner(graph, options));
  const accelerator = {
    policy: pipeline.accelerator,
    backend,
    executionProvider: plannedProvider(lowered),
    ...(fallbackReason === undefined ? {} : { fallbackReason }),
  };
  return {
    pipelineId: pipeline.id,
    graphs,
    notes,
    environment,
    engines,
    // Without a model nothing runs one, and no GPU is missed.
    ...(pipeline.infer === undefined ? {} : { accelerator }),
    ...startPolicy(lowered),
  };
}

function needsDetector(spec: PipelineSpec | StreamSpec): SightlineError {
  const what = 'streams' in spec ? `pipeline "${spec.id}"` : `stream "${spec.id}"`;
  const remedy =
    spec.infer === undefined
      ? 'say with "record" or "images" what is to be done with its frames'
      : 'leave out "infer", or run it on a server that is started with "sightline serve"';
  return new SightlineError(
    'SL_BACKEND_UNSUPPORTED',
    `Cannot run ${what} here: it needs a detector, and this is a receiver; ${remedy}`,
  );
}

/** Streams of a fleet are pipelines of one stream each: a graph has one owner. */
function withOwner(graph: Graph, { epochOf }: CompilerOptions): Graph {
  const epoch = epochOf?.(graph.streams[0] ?? '');
  return epoch === undefined ? graph : { ...graph, epoch: String(epoch) };
}

/** Longer than usual for a graph that brings a GPU up; nothing for others. */
export function startPolicy(lowered: Lowered): { readonly policy?: { startTimeoutMs: number } } {
  const provider = providerAsked(lowered);
  if (provider === 'tensorrt') return { policy: { startTimeoutMs: ENGINE_BUILD_MS } };
  const gpu = lowered.backend === 'deepstream' || provider === 'cuda';
  return gpu ? { policy: { startTimeoutMs: GPU_START_MS } } : {};
}

function providerAsked({ graphs }: Lowered): PropertyValue | undefined {
  const nodes = graphs.flatMap((graph) => graph.nodes);
  return nodes.find(({ factory }) => factory === 'slinfer')?.properties['execution-provider'];
}

/** ONNX Runtime's names. */
const PROVIDERS: ReadonlyMap<PropertyValue | undefined, string> = new Map([
  ['cuda', 'CUDAExecutionProvider'],
  ['tensorrt', 'TensorrtExecutionProvider'],
]);

/** What the frames will say, as far as it is known before. */
export function plannedProvider(lowered: Lowered): string {
  const { backend, graphs } = lowered;
  const nodes = graphs.flatMap((graph) => graph.nodes);
  const said = nodes.find(({ factory }) => factory === 'sldsmeta')?.properties[
    'execution-provider'
  ];
  if (backend === 'cpu') return PROVIDERS.get(providerAsked(lowered)) ?? 'CPUExecutionProvider';
  return String(said ?? 'TensorRT');
}
