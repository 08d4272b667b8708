import { isLive } from '../../sources/resolve-source.ts';
import type { GraphNode, LoweringNote } from '../graph.ts';
import type { ResolvedStream } from '../resolved.ts';
import type { LatencySpec } from '../spec.ts';
import { type NodeFacts, node } from './nodes.ts';

/** What keeps a stream to its latency budget; undefined without one. `drop`: what the backend can leave out. */
export function latencyNode(
  id: string,
  { latency, source }: ResolvedStream,
  facts: NodeFacts = {},
  drop: LatencySpec['drop'] | undefined = latency?.drop,
): GraphNode | undefined {
  if (latency === undefined || drop === undefined || !isLive(source)) return undefined;
  const properties = { 'budget-ms': latency.budgetMs, drop };
  return node(id, 'sllatency', 'queue', properties, { ...facts, origin: latency.pointer });
}

/** Frames of a recording wait for each other as long as it takes. */
export function recordingNotes(streams: readonly ResolvedStream[]): LoweringNote[] {
  return streams.flatMap(({ id, latency, source }) => {
    if (latency === undefined || isLive(source)) return [];
    const message = `"${id}" is a recording: every frame is seen, however late`;
    return [{ pointer: latency.pointer, message }];
  });
}
