import type { PipelineEvent } from '../gst/events.ts';
import { allNodes } from '../gst/redact.ts';
import type { Graph } from '../pipeline/graph.ts';
import { streamOf } from './graph-facts.ts';
import type { FallbackEvent } from './protocol.ts';

/** What slinfer and slclassify warn of when they cannot use the GPU they were to; undefined for any other event. */
export function fallbackEvent(event: PipelineEvent, graph: Graph): FallbackEvent | undefined {
  if (event.type !== 'warning') return undefined;
  if (event.details?.fields['sl-code'] !== 'SL_GPU_UNAVAILABLE') return undefined;
  const node = allNodes(graph).find(({ id }) => id === event.node);
  const streamId = node && streamOf(graph, node);
  return streamId === undefined
    ? undefined
    : { event: 'fallback', streamId, message: event.message };
}
