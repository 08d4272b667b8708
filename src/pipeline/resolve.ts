import { problemsError, type ValueProblem } from '../common/check.ts';
import { type ErrorCode, SightlineError } from '../common/errors.ts';
import { didYouMean } from '../common/near.ts';
import { resolveSource } from '../sources/resolve-source.ts';
import { findClasses } from './find-classes.ts';
import { deepFreeze } from './freeze.ts';
import { resolveAnalytics } from './resolve-analytics.ts';
import { resolveImages } from './resolve-images.ts';
import { resolveSecondary } from './resolve-secondary.ts';
import type {
  ModelLookup,
  ResolvedInfer,
  ResolvedLatency,
  ResolvedModel,
  ResolvedPipeline,
  ResolvedRecord,
  ResolvedStream,
} from './resolved.ts';
import type {
  InferSpec,
  LatencySpec,
  PipelineSpec,
  PipelineStream,
  RecordSpec,
  StreamSpec,
} from './spec.ts';

export * from './resolved.ts';

export interface ResolveOptions {
  readonly models: ModelLookup;
  /** Model of specs with neither `infer` nor anything that needs none (`record`, `images`). */
  readonly defaultModel?: string;
  /** Ids of the sinks there are. Absent: not known here, and any is taken. */
  readonly sinks?: readonly string[];
}

interface Findings {
  readonly problems: ValueProblem[];
  /** Codes of the problems that have one of their own. */
  readonly codes: (ErrorCode | undefined)[];
}

/**
 * Looks up every name of a checked spec. A `StreamSpec` becomes a pipeline of one stream with the same id. Streams that
 * are not `enabled` are checked and left out.
 *
 * @throws SightlineError with every problem and its JSON pointer in the given spec: `SL_MODEL_NOT_FOUND` (or the
 * code of the lookup) when the model is all that is wrong, else `SL_SPEC_INVALID`.
 */
export function resolve(
  spec: PipelineSpec | StreamSpec,
  options: ResolveOptions,
): ResolvedPipeline {
  const findings: Findings = { problems: [], codes: [] };
  const infer = needsInfer(spec) ? resolveInfer(spec.infer, options, findings) : undefined;
  const streams =
    'streams' in spec
      ? resolveStreams(spec.streams, spec, findings)
      : resolveStream(spec, '', {}, findings);
  reportUnknownSinks(spec, options.sinks, findings);
  const find = (name: string, pointer: string) =>
    findModel(name, pointer, options.models, findings);
  const secondary = resolveSecondary(spec.secondary ?? [], infer?.model, find, findings.problems);
  const ids = 'streams' in spec ? spec.streams.map(({ id }) => id) : [spec.id];
  const analytics = spec.analytics && resolveAnalytics(spec, ids, infer?.model, findings.problems);
  const images = spec.images && resolveImages(spec.images, needsInfer(spec), findings.problems);
  if (!needsInfer(spec)) reportDetectorless(spec, findings);
  if (findings.problems.length > 0) throw failure(spec, findings);
  const { id, accelerator = 'prefer-gpu', track = { type: 'bytetrack' } } = spec;
  const { annotated, deepstream, onnxRuntime } = spec;
  return deepFreeze({
    id,
    accelerator,
    ...(infer === undefined ? {} : { infer }),
    secondary,
    track: { ...track },
    ...(analytics === undefined ? {} : { analytics }),
    ...(images === undefined ? {} : { images }),
    ...(annotated === undefined ? {} : { annotated: { ...annotated } }),
    ...(deepstream === undefined ? {} : { deepstream: structuredClone(deepstream) }),
    ...(onnxRuntime === undefined ? {} : { onnxRuntime: { ...onnxRuntime } }),
    streams,
  });
}

/** Whether a detector looks at the frames: where nothing else is done with them, one must. */
export function needsInfer(spec: PipelineSpec | StreamSpec): boolean {
  if (spec.infer !== undefined) return true;
  const streams = 'streams' in spec ? spec.streams : [spec];
  const records = streams.every(({ record = spec.record }) => record !== undefined);
  return spec.images === undefined && !records;
}

/** What works on objects, in a pipeline in which nothing finds any. */
function reportDetectorless(spec: PipelineSpec | StreamSpec, { problems }: Findings): void {
  for (const key of ['secondary', 'track', 'analytics', 'annotated'] as const) {
    if (spec[key] !== undefined) problems.push({ pointer: `/${key}`, message: 'needs "infer"' });
  }
}

/** What streams are taken to say that say nothing. */
type StreamDefaults = Pick<PipelineSpec, 'latency' | 'record'>;

function resolveStreams(
  streams: readonly PipelineStream[],
  usual: StreamDefaults,
  findings: Findings,
): ResolvedStream[] {
  reportDuplicates(streams, findings);
  return streams.flatMap((stream, index) =>
    resolveStream(stream, `/streams/${index}`, usual, findings),
  );
}

/** None for a stream that is switched off; what is wrong with it is found all the same. */
function resolveStream(
  stream: PipelineStream,
  pointer: string,
  usual: StreamDefaults,
  findings: Findings,
): ResolvedStream[] {
  const source = resolveSource(stream.source, `${pointer}/source`, findings.problems);
  if (source === undefined || stream.enabled === false) return [];
  const { id, sensorId = id } = stream;
  const latency = resolveLatency(stream.latency, pointer) ?? resolveLatency(usual.latency, '');
  const record = resolveRecord(stream.record, pointer) ?? resolveRecord(usual.record, '');
  return [
    {
      ...{ id, sensorId, source, pointer },
      ...(latency === undefined ? {} : { latency }),
      ...(record === undefined ? {} : { record }),
    },
  ];
}

function resolveLatency(
  latency: LatencySpec | undefined,
  pointer: string,
): ResolvedLatency | undefined {
  return latency && { ...latency, pointer: `${pointer}/latency` };
}

function resolveRecord(
  record: RecordSpec | undefined,
  pointer: string,
): ResolvedRecord | undefined {
  return record && { ...record, pointer: `${pointer}/record` };
}

function reportUnknownSinks(
  spec: PipelineSpec | StreamSpec,
  known: readonly string[] | undefined,
  { problems }: Findings,
): void {
  if (known === undefined) return;
  const check = (sinks: readonly string[] = [], pointer: string) => {
    for (const [index, id] of sinks.entries()) {
      if (known.includes(id)) continue;
      const message = `there is no sink "${id}"${didYouMean(id, known)}`;
      problems.push({ pointer: `${pointer}/sinks/${index}`, message });
    }
  };
  check(spec.sinks, '');
  if (!('streams' in spec)) return;
  for (const [index, { sinks }] of spec.streams.entries()) check(sinks, `/streams/${index}`);
}

function reportDuplicates(streams: readonly PipelineStream[], findings: Findings): void {
  const first = new Map<string, number>();
  const told = new Set<string>();
  for (const [index, { id }] of streams.entries()) {
    const earlier = first.get(id);
    if (earlier === undefined) {
      first.set(id, index);
      continue;
    }
    if (!told.has(id)) {
      const message = `the id "${id}" is used again by /streams/${index}`;
      findings.problems.push({ pointer: `/streams/${earlier}/id`, message });
      told.add(id);
    }
    const message = `the id "${id}" is taken by /streams/${earlier}`;
    findings.problems.push({ pointer: `/streams/${index}/id`, message });
  }
}

function resolveInfer(
  spec: InferSpec | undefined,
  options: ResolveOptions,
  findings: Findings,
): ResolvedInfer | undefined {
  const name = spec?.model ?? options.defaultModel;
  if (name === undefined) {
    findings.problems.push({
      pointer: '',
      message: '"infer" is missing, and there is no default model',
    });
    return undefined;
  }
  const model = findModel(name, '/infer/model', options.models, findings);
  if (model === undefined) return undefined;
  if (model.kind !== 'detector') {
    const message = `the model "${name}" is a ${model.kind}: it belongs under "secondary"`;
    findings.problems.push({ pointer: '/infer/model', message });
  }
  const { interval = 0, threshold, classes, batchSize } = spec ?? {};
  if (batchSize !== undefined && batchSize > 1 && !model.dynamicBatch) {
    const message = `must be 1: the model "${name}" takes one frame at a time`;
    findings.problems.push({ pointer: '/infer/batchSize', message });
  }
  const classIds = classes && findClasses(classes, model, '/infer/classes', findings.problems);
  return {
    model,
    interval,
    ...(threshold === undefined ? {} : { threshold }),
    ...(classIds === undefined ? {} : { classIds }),
    ...(batchSize === undefined ? {} : { batchSize }),
  };
}

/** What the pipeline keeps of a model; a lookup may give more. */
function copyModel(model: ResolvedModel): ResolvedModel {
  const { name, version, configFile, labels, dynamicBatch, kind } = model;
  return { name, version, configFile, labels: [...labels], dynamicBatch, kind };
}

function findModel(
  name: string,
  pointer: string,
  models: ModelLookup,
  findings: Findings,
): ResolvedModel | undefined {
  try {
    const found = typeof models === 'function' ? models(name) : models.get(name);
    if (found !== undefined) return copyModel(found);
    const known = typeof models === 'function' ? [] : [...models.keys()];
    const message = `no model "${name}" is installed${didYouMean(name, known)} (see: sightline models list)`;
    report(findings, { pointer, message }, 'SL_MODEL_NOT_FOUND');
  } catch (error) {
    if (!(error instanceof SightlineError)) throw error;
    report(findings, { pointer, message: error.message }, error.code);
  }
  return undefined;
}

function report(findings: Findings, problem: ValueProblem, code: ErrorCode): void {
  findings.problems.push(problem);
  findings.codes[findings.problems.length - 1] = code;
}

function failure(spec: PipelineSpec | StreamSpec, { problems, codes }: Findings): SightlineError {
  const code = codes[0];
  const single = code !== undefined && problems.length === 1 ? code : 'SL_SPEC_INVALID';
  const kind = 'streams' in spec ? 'pipeline' : 'stream';
  return problemsError(problems, { code: single, subject: `${kind} "${spec.id}"` });
}
