import { DEFAULT_PRIORITY, type StreamSpec } from '../../pipeline/spec.ts';
import type { ManagedPipeline } from '../desired/managed-pipeline.ts';
import type { CompiledPipeline } from '../types.ts';
import type { PlannedStream, StreamSample, WorkerSample } from './cost.ts';

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
  const { priority = DEFAULT_PRIORITY, infer } = pipeline.sealedSpec(id)
    .open as unknown as StreamSpec;
  return {
    ...{ id, priority, decodeMs, inferMs, decodedFps: decoded, inferredFps: inferred },
    model: infer?.model ?? '',
    asked: live.interval(id),
    imposed: live.imposed(id),
  };
}

/** Those of `streamIds` that will run. */
export function plannedOf(
  { streams, graphs, accelerator }: CompiledPipeline,
  streamIds: readonly string[],
): readonly (PlannedStream & { readonly id: string })[] {
  const run = new Set(graphs.flatMap((graph) => graph.streams));
  return streams
    .filter(({ id }) => streamIds.includes(id) && run.has(id))
    .map(({ id, spec: { infer } }) => ({
      id,
      model: infer?.model ?? '',
      interval: infer?.interval ?? 0,
      gpu: accelerator?.backend === 'deepstream',
    }));
}
