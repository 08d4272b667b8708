import { problemsError, type ValueProblem } from '../common/check.ts';
import { type ErrorCode, SightlineError } from '../common/errors.ts';
import { didYouMean } from '../common/near.ts';
import { type ResolvedSource, resolveSource } from '../sources/resolve-source.ts';
import { deepFreeze } from './freeze.ts';
import type {
  ImagesSpec,
  InferSpec,
  PipelineSpec,
  PipelineStream,
  StreamSpec,
  TrackSpec,
} from './spec.ts';

/** What the pipeline needs to know of an installed model. */
export interface ResolvedModel {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the nvinfer-style configuration. */
  readonly configFile: string;
  readonly labels: readonly string[];
  /** Whether one run can take several frames. */
  readonly dynamicBatch: boolean;
}

/** The installed models: a map, or a function that may throw `SightlineError` for one that is broken. */
export type ModelLookup =
  | ReadonlyMap<string, ResolvedModel>
  | ((name: string) => ResolvedModel | undefined);

export interface ResolvedInfer {
  readonly model: ResolvedModel;
  readonly interval: number;
  readonly threshold?: number;
  /** Indices in the model's labels, ascending; absent: all. */
  readonly classIds?: readonly number[];
  readonly batchSize: number;
}

export interface ResolvedStream {
  readonly id: string;
  readonly sensorId: string;
  readonly source: ResolvedSource;
}

/** A pipeline in which every name was looked up. Deeply frozen. */
export interface ResolvedPipeline {
  readonly id: string;
  readonly infer: ResolvedInfer;
  readonly track: TrackSpec;
  readonly images?: ImagesSpec;
  readonly streams: readonly ResolvedStream[];
}

export interface ResolveOptions {
  readonly models: ModelLookup;
  /** Model of specs without `infer`. Without it `infer` must be given. */
  readonly defaultModel?: string;
}

interface Findings {
  readonly problems: ValueProblem[];
  /** Codes of the problems that have one of their own. */
  readonly codes: (ErrorCode | undefined)[];
}

/**
 * Looks up every name of a checked spec. A `StreamSpec` becomes a pipeline of one stream with the same id.
 *
 * @throws SightlineError with every problem and its JSON pointer in the given spec: `SL_MODEL_NOT_FOUND` (or the
 * code of the lookup) when the model is all that is wrong, else `SL_SPEC_INVALID`.
 */
export function resolve(
  spec: PipelineSpec | StreamSpec,
  options: ResolveOptions,
): ResolvedPipeline {
  const findings: Findings = { problems: [], codes: [] };
  const infer = resolveInfer(spec.infer, options, findings);
  const streams =
    'streams' in spec ? resolveStreams(spec.streams, findings) : resolveStream(spec, '', findings);
  if (findings.problems.length > 0 || infer === undefined) throw failure(spec, findings);
  const { id, track = { type: 'bytetrack' }, images } = spec;
  return deepFreeze({
    id,
    infer,
    track: { ...track },
    ...(images === undefined ? {} : { images: { ...images } }),
    streams,
  });
}

function resolveStreams(streams: readonly PipelineStream[], findings: Findings): ResolvedStream[] {
  reportDuplicates(streams, findings);
  return streams.flatMap((stream, index) => resolveStream(stream, `/streams/${index}`, findings));
}

function resolveStream(
  stream: PipelineStream,
  pointer: string,
  findings: Findings,
): ResolvedStream[] {
  const source = resolveSource(stream.source, `${pointer}/source`, findings.problems);
  if (source === undefined) return [];
  return [{ id: stream.id, sensorId: stream.sensorId ?? stream.id, source }];
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
  const model = findModel(name, options.models, findings);
  if (model === undefined) return undefined;
  const { interval = 0, threshold, classes, batchSize = 1 } = spec ?? {};
  if (batchSize > 1 && !model.dynamicBatch) {
    const message = `must be 1: the model "${name}" takes one frame at a time`;
    findings.problems.push({ pointer: '/infer/batchSize', message });
  }
  const classIds = classes && findClasses(classes, model, findings);
  return {
    model: copyModel(model),
    interval,
    ...(threshold === undefined ? {} : { threshold }),
    ...(classIds === undefined ? {} : { classIds }),
    batchSize,
  };
}

/** What the pipeline keeps of a model; a lookup may give more. */
function copyModel({
  name,
  version,
  configFile,
  labels,
  dynamicBatch,
}: ResolvedModel): ResolvedModel {
  return { name, version, configFile, labels: [...labels], dynamicBatch };
}

function findModel(
  name: string,
  models: ModelLookup,
  findings: Findings,
): ResolvedModel | undefined {
  const pointer = '/infer/model';
  try {
    const found = typeof models === 'function' ? models(name) : models.get(name);
    if (found !== undefined) return found;
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

function findClasses(
  classes: readonly string[],
  model: ResolvedModel,
  findings: Findings,
): readonly number[] {
  const ids: number[] = [];
  for (const [index, label] of classes.entries()) {
    const id = model.labels.indexOf(label);
    if (id >= 0) ids.push(id);
    else {
      const hint = didYouMean(label, model.labels);
      const message = `${JSON.stringify(label)} is no label of the model "${model.name}"${hint}`;
      findings.problems.push({ pointer: `/infer/classes/${index}`, message });
    }
  }
  return ids.sort((a, b) => a - b);
}

function failure(spec: PipelineSpec | StreamSpec, { problems, codes }: Findings): SightlineError {
  const code = codes[0];
  const single = code !== undefined && problems.length === 1 ? code : 'SL_SPEC_INVALID';
  const kind = 'streams' in spec ? 'pipeline' : 'stream';
  return problemsError(problems, { code: single, subject: `${kind} "${spec.id}"` });
}
