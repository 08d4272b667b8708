import { resolve } from 'node:path';
import { SightlineError } from '../../../common/errors.ts';
import type { GraphNode, PropertyValue } from '../../graph.ts';
import { PRIMARY_ID, type ResolvedSecondary } from '../../resolved.ts';
import type { InferFile, InferFileRequest } from '../infer-file.ts';
import type { LoweringContext } from './context.ts';
import type { GraphPlan } from './plan.ts';

const PRIMARY = 1;
const SECONDARY = 2;

/** The detector that sees whole frames. */
export function lowerPrimary(context: LoweringContext, plan: GraphPlan): GraphNode {
  const { infer } = context.pipeline;
  const { model, interval, threshold, classIds, batchSize } = infer;
  const kept = classIds ?? model.labels.map((_, id) => id);
  const dropClassIds = model.labels.map((_, id) => id).filter((id) => !kept.includes(id));
  // One frame of each stream, as the muxer. A model whose ONNX file takes one frame at a time runs once for each.
  const frames = model.dynamicBatch ? plan.streams.length : 1;
  if (batchSize !== undefined && batchSize > 1 && batchSize !== frames) {
    const message = `on DeepStream a batch takes one frame of each stream: ${frames}, not ${batchSize}`;
    context.note('/infer/batchSize', message);
  }
  return inferNode(context, 'infer', 'infer', {
    ...requestOf(context, '/infer'),
    model,
    uniqueId: PRIMARY_ID,
    processMode: PRIMARY,
    batchSize: frames,
    ...(threshold === undefined ? {} : { threshold }),
    dropClassIds,
    interval,
    minWidth: 0,
    minHeight: 0,
  });
}

/** Looks at what another step found; behind the tracker, so that it knows which objects it has seen. */
export function lowerSecondary(context: LoweringContext, step: ResolvedSecondary): GraphNode {
  const index = context.pipeline.secondary.indexOf(step);
  const origin = `/secondary/${index}`;
  const { model, uniqueId, operateOn, operateOnClassIds, threshold, interval } = step;
  const detects = model.kind === 'detector';
  if (context.pipeline.track.type === 'none' && interval > 0) {
    const message =
      'without a tracker no object is known again, so each is looked at on each frame';
    context.note(`${origin}/interval`, message);
  }
  if (detects && context.pipeline.track.type !== 'none') {
    context.note(origin, 'what it finds has no track id: the tracker stands before it');
  }
  return inferNode(context, secondaryNodeId(step), detects ? 'infer' : 'classify', {
    ...requestOf(context, origin),
    model,
    uniqueId,
    processMode: SECONDARY,
    batchSize: step.batchSize,
    ...(threshold === undefined ? {} : { threshold }),
    dropClassIds: [],
    operateOn: {
      gieId: operateOn,
      ...(operateOnClassIds === undefined ? {} : { classIds: operateOnClassIds }),
    },
    interval,
    minWidth: step.minWidth,
    minHeight: step.minHeight,
  });
}

export function secondaryNodeId({ id, model }: ResolvedSecondary): string {
  return `${model.kind === 'detector' ? 'detect' : 'classify'}-${id}`;
}

type Common = 'engine' | 'precision' | 'gpuId' | 'parserLibrary' | 'modelRepository' | 'origin';

function requestOf(
  { spec, options }: LoweringContext,
  origin: string,
): Pick<InferFileRequest, Common> {
  const { engine, precision, gpuId, modelRepository } = spec;
  return {
    ...{ engine, precision, gpuId, origin, parserLibrary: options.parserLibrary },
    ...(modelRepository === undefined
      ? {}
      : { modelRepository: resolve(options.workingDir, modelRepository) }),
  };
}

function inferNode(
  context: LoweringContext,
  id: string,
  role: 'infer' | 'classify',
  request: InferFileRequest,
): GraphNode {
  const { engine, uniqueId, processMode, batchSize, interval, operateOn, dropClassIds } = request;
  const properties: Record<string, PropertyValue> = {
    'config-file-path': writeFile(context, request),
    'unique-id': uniqueId,
    'process-mode': processMode,
    'batch-size': batchSize,
  };
  if (processMode === PRIMARY) properties['interval'] = interval;
  if (operateOn !== undefined) {
    properties['infer-on-gie-id'] = operateOn.gieId;
    const { classIds } = operateOn;
    // This list alone has colons; the others have semicolons.
    if (classIds !== undefined) properties['infer-on-class-ids'] = classIds.join(':');
  }
  // nvinferserver has no such property: it reads this from its file.
  if (engine === 'nvinfer' && dropClassIds.length > 0) {
    properties['filter-out-class-ids'] = dropClassIds.join(';');
  }
  const part = engine === 'nvinfer' ? 'infer' : 'inferServer';
  return context.part(part, id, role, properties, { origin: request.origin });
}

function writeFile(context: LoweringContext, request: InferFileRequest): string {
  const { engine, origin } = request;
  let file: InferFile;
  try {
    file = context.options.inferFile(request);
  } catch (error) {
    if (!(error instanceof SightlineError) || error.fault === 'system') throw error;
    context.problem(`${origin}/model`, error.message, 'SL_BACKEND_UNSUPPORTED');
    return '';
  }
  context.addFile({ path: file.path, kind: engine, text: file.text, origin });
  for (const other of file.others ?? []) context.addFile(other);
  return file.path;
}
