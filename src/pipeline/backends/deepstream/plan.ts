import type { ResolvedSource } from '../../../sources/resolve-source.ts';
import type { ResolvedStream } from '../../resolved.ts';
import type { DeepStreamSpec } from '../../spec.ts';

/** A graph to be built: its streams in the order of the muxer's pads. */
export interface GraphPlan {
  readonly id: string;
  readonly streams: readonly ResolvedStream[];
  /** Read by Sightline's own rtspsrc path: one stream, whose reconnect is a restart of the graph. */
  readonly own: boolean;
}

/**
 * One graph for all streams whose source reconnects by itself or ends, which has the pipeline's id, then one for each
 * other stream, which has the stream's.
 */
export function planGraphs(
  pipelineId: string,
  streams: readonly ResolvedStream[],
  spec: DeepStreamSpec,
): readonly GraphPlan[] {
  const own = streams.filter(({ source }) => needsRtspsrc(source, spec));
  const shared = streams.filter((stream) => !own.includes(stream));
  const graphs = own.map((stream) => ({ id: stream.id, streams: [stream], own: true }));
  if (shared.length === 0) return graphs;
  // A stream may be called like its pipeline; no id ends in a dot and a word.
  const taken = own.some(({ id }) => id === pipelineId);
  return [
    { id: taken ? `${pipelineId}.shared` : pipelineId, streams: shared, own: false },
    ...graphs,
  ];
}

function needsRtspsrc(source: ResolvedSource, spec: DeepStreamSpec): boolean {
  if (source.type !== 'rtsp') return false;
  if (spec.source === 'rtspsrc') return true;
  return spec.source === 'auto' && source.location.startsWith('rtsps:');
}
