import type { GraphNode } from '../../graph.ts';
import { PRIMARY_ID } from '../../resolved.ts';
import { METADATA_BUFFERS, node, output } from '../nodes.ts';
import type { LoweringContext } from './context.ts';
import { captureClock } from './mux.ts';
import type { GraphPlan } from './plan.ts';
import { trackerName, trackerSizeOf } from './tracker.ts';

/** The end of the chain: batches become messages, one a frame. Before anything that moves boxes. */
export function lowerMetadata(context: LoweringContext, plan: GraphPlan): GraphNode[] {
  const { spec, pipeline } = context;
  const streams = plan.streams.map(({ id, sensorId }, pad) => `${pad}=${pair(id, sensorId)}`);
  const models = [{ uniqueId: PRIMARY_ID, model: pipeline.infer.model }, ...pipeline.secondary].map(
    ({ uniqueId, model }) => `${uniqueId}=${pair(model.name, model.version)}`,
  );
  const meta = node('meta', 'sldsmeta', 'metadata', {
    streams: streams.join(';'),
    models: models.join(';'),
    tracker: trackerName(pipeline.track),
    'execution-provider': spec.engine === 'nvinfer' ? 'TensorRT' : 'Triton',
    'capture-clock': captureClock(context, plan),
    padding: spec.muxer.kind === 'old' && spec.muxer.padding,
    ...trackerSize(context),
  });
  return [meta, output('metadata', 1, METADATA_BUFFERS)];
}

/** The space in which the tracker reports tracks beside the objects of a frame. */
function trackerSize(context: LoweringContext): Record<string, number> {
  const { track } = context.pipeline;
  if (track.type === 'none') return {};
  const { width, height } = trackerSizeOf(context, track);
  return { 'tracker-width': width, 'tracker-height': height };
}

/** Two texts that may hold anything, in the form sldsmeta reads. */
function pair(first: string, second: string): string {
  return `${encodeURIComponent(first)}/${encodeURIComponent(second)}`;
}
