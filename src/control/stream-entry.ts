import { createHash, timingSafeEqual } from 'node:crypto';
import type { LivePipeline } from './live-pipeline.ts';
import type { PipelineSupervisor } from './pipeline-supervisor.ts';
import { type SealedSpec, textAt } from './sealed-spec.ts';
import type { SupervisedStream } from './supervised-stream.ts';
import type { StreamSource, StreamView } from './types.ts';

/** What the orchestrator holds of a stream. */
export interface StreamEntry {
  readonly id: string;
  readonly source: StreamSource;
  readonly sealed: SealedSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly stream: SupervisedStream;
  /** Absent for a stream whose spec no longer compiles. */
  readonly supervisor?: PipelineSupervisor;
  readonly live?: LivePipeline;
  removal?: Promise<void> | undefined;
}

/** The stream as the API shows it, without secrets. */
export function viewOf(entry: StreamEntry): StreamView {
  const { id, source, sealed, labels, createdAt, stream, live } = entry;
  const { pipelineId } = stream;
  const changes = live?.changes(id);
  return {
    ...{ id, pipelineId, source, spec: sealed.open },
    ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
    ...(changes === undefined ? {} : { changes }),
    createdAt: createdAt.toISOString(),
    generation: 1,
    status: stream.status(),
  };
}

/** Whether the stream was made with this URL. Takes the same time whether the texts differ early or late. */
export function hasUrl({ sealed }: StreamEntry, url: string): boolean {
  const own = textAt(sealed, '/source/url');
  return own !== undefined && timingSafeEqual(digest(own), digest(url));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
