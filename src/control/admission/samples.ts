import { DEFAULT_PRIORITY, type StreamSpec } from '../../pipeline/spec.ts';
import type { ManagedPipeline } from '../desired/managed-pipeline.ts';
import type { CompiledPipeline } from '../types.ts';
import {
  NO_DETECTOR,
  NOT_DECODED,
  type PlannedStream,
  type StreamSample,
  type WorkerSample,
} from './cost.ts';

/** What the pipeline's workers and streams cost now, as far as it was measured. */
export function samplesOf(pipeline: ManagedPipeline): readonly WorkerSample[] {
  const views = pipeline.supervisor?.views() ?? [];
  return views.flatMap(({ cpu, streams }) => {
    if (cpu === undefined) return [];
    return [{ cores: cpu, streams: streams.flatMap((id) => sampleOf(pipeline, id) ?? []) }];
  });
}

function sampleOf(pipeline: ManagedPipeline, id: string): StreamSample | undefined {
  const stream = pipeline.stream(id);
  const { live } = pipeline;
  if (stream === undefined || live === undefined) return undefined;
  const { decoded, inferred } = stream.counts.rates();
  const { decodeMs = 0, inferMs = 0 } = stream.facts ?? {};
  const spec = pipeline.sealedSpec(id).open as unknown as StreamSpec;
  const { priority = DEFAULT_PRIORITY } = spec;
  return {
    ...{ id, priority, decodeMs, inferMs, decodedFps: decoded, inferredFps: inferred },
    model: workOf(spec),
    asked: live.interval(id),
    imposed: live.imposed(id),
  };
}

/** What a stream's cost goes by: its model, or what is done with its frames without one. */
function workOf({ infer, images }: Pick<StreamSpec, 'infer' | 'images'>): string {
  return infer?.model ?? (images === undefined ? NOT_DECODED : NO_DETECTOR);
}

/** Those of `streamIds` that will run. */
export function plannedOf(
  { streams, graphs, accelerator }: CompiledPipeline,
  streamIds: readonly string[],
): readonly (PlannedStream & { readonly id: string })[] {
  const run = new Set(graphs.flatMap((graph) => graph.streams));
  return streams
    .filter(({ id }) => streamIds.includes(id) && run.has(id))
    .map(({ id, spec }) => ({
      id,
      model: workOf(spec),
      interval: spec.infer?.interval ?? 0,
      gpu: accelerator?.backend === 'deepstream',
    }));
}
