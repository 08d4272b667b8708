import { createHash, timingSafeEqual } from 'node:crypto';
import { sealSpec, textAt } from '../sealed-spec.ts';
import type { PipelineView, StreamState, StreamView, WorkerView } from '../types.ts';
import type { ManagedPipeline } from './managed-pipeline.ts';

/** The stream as the API shows it, without secrets. Undefined for one the pipeline does not have. */
export function streamView(pipeline: ManagedPipeline, id: string): StreamView | undefined {
  const { source, labels, createdAt, generation } = pipeline.desired;
  const stream = pipeline.stream(id);
  if (stream === undefined) return undefined;
  const changes = pipeline.live?.changes(id);
  return {
    ...{ id, pipelineId: pipeline.id, source, spec: pipeline.sealedSpec(id).open },
    ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
    ...(changes === undefined ? {} : { changes }),
    createdAt: createdAt.toISOString(),
    generation,
    status: stream.status(),
  };
}

/** The pipeline as the API shows it, without secrets. */
export function pipelineView(pipeline: ManagedPipeline, incidents: number): PipelineView {
  const { id, source, kind, spec, labels, generation, createdAt, updatedAt } = pipeline.desired;
  const streams = pipeline.streamIds().flatMap((streamId) => {
    const stream = pipeline.stream(streamId);
    return stream === undefined ? [] : [{ id: streamId, state: stream.state }];
  });
  const { observedGeneration, reason } = pipeline;
  return {
    ...{ id, source, kind, spec: sealSpec(spec).open },
    ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
    generation,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    status: {
      observedGeneration,
      states: counted(streams.map(({ state }) => state)),
      streams,
      workers: workersOf(pipeline),
      incidents,
      ...(reason === undefined ? {} : { reason }),
    },
  };
}

export function workersOf({ supervisor }: ManagedPipeline): readonly WorkerView[] {
  return supervisor?.views() ?? [];
}

/** Whether the stream was made with this URL. Takes the same time whether the texts differ early or late. */
export function hasUrl(pipeline: ManagedPipeline, streamId: string, url: string): boolean {
  const own = textAt(pipeline.sealedSpec(streamId), '/source/url');
  return own !== undefined && timingSafeEqual(digest(own), digest(url));
}

function counted(states: readonly StreamState[]): Partial<Record<StreamState, number>> {
  const counts: Partial<Record<StreamState, number>> = {};
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
