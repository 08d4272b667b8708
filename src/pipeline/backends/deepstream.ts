import { problemsError } from '../../common/check.ts';
import { deepFreeze } from '../freeze.ts';
import type { Graph, GraphNode, Lowered } from '../graph.ts';
import { assertSound } from '../graph-check.ts';
import type { ResolvedPipeline } from '../resolved.ts';
import { lowerAnalytics } from './deepstream/analytics.ts';
import { lowerAnnotated } from './deepstream/annotated.ts';
import { type DetectorPipeline, LoweringContext } from './deepstream/context.ts';
import { imageMarker, lowerImages } from './deepstream/images.ts';
import { lowerPrimary, lowerSecondary } from './deepstream/infer.ts';
import { lowerMetadata } from './deepstream/metadata.ts';
import { batchQueue, lowerMux, muxEnvironment } from './deepstream/mux.ts';
import type { DeepStreamOptions } from './deepstream/options.ts';
import { applyOverrides } from './deepstream/overrides.ts';
import type { GraphPlan } from './deepstream/plan.ts';
import { lowerSource } from './deepstream/source.ts';
import { lowerTracker } from './deepstream/tracker.ts';
import { recordingNotes } from './latency.ts';
import { chainLinks, node } from './nodes.ts';

export type { DeepStreamOptions } from './deepstream/options.ts';

/**
 * Lowers a pipeline to NVIDIA's elements: one graph for all streams, and one for each stream that Sightline's own
 * rtspsrc path reads (see `planGraphs`).
 *
 * Node ids: `source-<pad>`, `decoded-<pad>`, `mux`, `infer`, `track`, `classify-<id>` and `detect-<id>`, `analytics`
 * (`analytics-2`...), `meta`, `metadata`, `image-...-<pad>`, `images`, `annotated-...`.
 *
 * @throws SightlineError with the pointer of everything that is wrong: `SL_SPEC_INVALID`, or `SL_BACKEND_UNSUPPORTED`
 * where only this platform or DeepStream version cannot do it.
 */
export function lowerDeepStream(pipeline: ResolvedPipeline, options: DeepStreamOptions): Lowered {
  const context = new LoweringContext(withDetector(pipeline), options);
  checkTarget(context);
  refuseCpuOnly(context);
  for (const { pointer, message } of recordingNotes(pipeline.streams)) {
    context.note(pointer, message);
  }
  const graphs = applyOverrides(
    context,
    context.graphs.map((plan) => lowerGraph(context, plan)),
  );
  context.assertNoProblems();
  assertSound(graphs);
  return deepFreeze({
    backend: 'deepstream',
    graphs,
    files: context.files,
    notes: context.notes,
    environment: muxEnvironment(context),
  });
}

function withDetector(pipeline: ResolvedPipeline): DetectorPipeline {
  const { id, infer } = pipeline;
  if (infer !== undefined) return { ...pipeline, infer };
  const message = 'there is nothing for a GPU without "infer": such a pipeline runs on the CPU';
  throw problemsError([{ pointer: '', message }], {
    code: 'SL_BACKEND_UNSUPPORTED',
    subject: `pipeline "${id}"`,
  });
}

/** What no element among NVIDIA's does. */
function refuseCpuOnly(context: LoweringContext): void {
  const refuse = (pointer: string, message: string) =>
    context.problem(pointer, message, 'SL_BACKEND_UNSUPPORTED');
  for (const { record } of context.pipeline.streams) {
    if (record === undefined) continue;
    const message =
      'DeepStream decodes where the camera is read: record the camera by a pipeline of its own, without "infer"';
    refuse(record.pointer, message);
  }
  const { images } = context.pipeline;
  if (images?.when === 'motion') refuse('/images/when', '"motion" runs on the CPU alone');
  if (images?.maxWidth !== undefined) {
    refuse('/images/maxWidth', 'pictures keep the size of the batch on DeepStream');
  }
}

function lowerGraph(context: LoweringContext, plan: GraphPlan): Graph {
  const sources = plan.streams.map((stream, index) => lowerSource(context, plan, stream, index));
  const chain = [
    ...lowerMux(context, plan),
    ...steps(context, plan),
    ...imageMarker(context, plan),
  ];
  const images = lowerImages(context, plan);
  const sides = [images, lowerAnnotated(context, plan)].filter((side) => side !== undefined);
  const split = sides.length === 0 ? [] : [node('split', 'tee', 'split', {})];
  const main = [...chain, ...split, batchQueue('metadata-queue'), ...lowerMetadata(context, plan)];
  const pictures = images?.nodes.filter(({ role }) => role === 'image') ?? [];
  return {
    id: plan.id,
    streams: plan.streams.map(({ id }) => id),
    nodes: [
      ...sources.flatMap(({ nodes }) => nodes),
      ...main,
      ...sides.flatMap(({ nodes }) => nodes),
    ],
    links: [
      ...sources.flatMap(({ links }) => links),
      ...chainLinks(main),
      ...sides.flatMap(({ nodes, links }) => [{ from: 'split', to: nodes[0]!.id }, ...links]),
    ],
    choices: sources.map(({ choice }) => choice),
    sessionNodes: ['meta', ...pictures.map(({ id }) => id)],
  };
}

/** What looks at the pictures, in the order in which each needs what those before it found. */
function steps(context: LoweringContext, plan: GraphPlan): GraphNode[] {
  const primary = lowerPrimary(context, plan);
  const tracker = lowerTracker(context, plan.streams.length);
  const looks = context.pipeline.secondary.map((step) => lowerSecondary(context, step));
  return [
    primary,
    // Each of the slow ones works in a thread of its own, on the batch after the one of its successor.
    ...[...tracker, ...looks].flatMap((step) => [batchQueue(`queue-${step.id}`), step]),
    ...lowerAnalytics(context, plan),
  ];
}

/** Whether the machine that is compiled for can exist. */
function checkTarget(context: LoweringContext): void {
  const { spec, options } = context;
  const { platform, deepstream } = options;
  const release = platform.releases[deepstream];
  if (release === undefined) {
    const known = Object.keys(platform.releases).join(', ');
    const message = `DeepStream ${deepstream} does not run on ${platform.name} (${platform.title}): use ${known}`;
    context.problem('', message, 'SL_BACKEND_UNSUPPORTED');
  } else if (release.note !== undefined) {
    context.note('', release.note);
  }
  if (spec.gpuId >= platform.gpus) {
    const message = `must be below ${platform.gpus}: ${platform.name} has no more GPUs`;
    context.problem('/deepstream/gpuId', message, 'SL_BACKEND_UNSUPPORTED');
  }
  if (spec.engine === 'nvinferserver' && spec.modelRepository === undefined) {
    context.problem(
      '/deepstream',
      '"modelRepository" is missing: nvinferserver reads models there',
    );
  }
}
