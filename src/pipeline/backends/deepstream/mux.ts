import { isLive } from '../../../sources/resolve-source.ts';
import type { GraphNode, PropertyValue } from '../../graph.ts';
import { queue } from '../nodes.ts';
import type { LoweringContext } from './context.ts';
import type { GraphPlan } from './plan.ts';

/** A live batch waits this long for a picture of each stream: the time between two pictures at 25 a second. */
const LIVE_TIMEOUT_US = 40_000;
/** The new muxer knows no endless wait: a batch of recordings waits for a stream that is slow to start. */
const NEW_FILE_TIMEOUT_US = 1_000_000;
/** Batches on the way from one element to the next. The muxer has four in its pool. */
const QUEUE_BATCHES = 4;

/** The muxer and the queue behind it, which gives the rest of the chain a thread of its own. */
export function lowerMux(context: LoweringContext, plan: GraphPlan): GraphNode[] {
  const { kind } = context.spec.muxer;
  const live = plan.streams.some(({ source }) => isLive(source));
  const properties = {
    // Always the largest number there can be, so that engines are built once.
    'batch-size': plan.streams.length,
    ...(kind === 'old' ? oldProperties(context, live) : {}),
    'batched-push-timeout': timeout(context, plan, live),
    'attach-sys-ts': captureClock(context, plan) === 'arrival',
    'sync-inputs': false,
    // nvurisrcbin reconnects for ever, and a camera that is gone must not end the others. Where all are recordings, or
    // a reconnect is a restart of the graph, the end is told.
    'drop-pipeline-eos': hasBinCamera(plan),
  };
  const mux = context.part(kind === 'old' ? 'muxOld' : 'muxNew', 'mux', 'mux', properties, {
    origin: '/deepstream/muxer',
  });
  if (kind === 'new') refuseOldOnly(context);
  return [mux, batchQueue('mux-queue')];
}

/** A queue between two elements of the chain: never leaky, for what it drops would be counted nowhere. */
export function batchQueue(id: string): GraphNode {
  return queue(id, QUEUE_BATCHES, false);
}

/**
 * Which clock gives a graph's frames their time of capture. RTCP's is the camera's; nvurisrcbin alone hands it to the
 * muxer, and recordings have none.
 */
export function captureClock({ spec }: LoweringContext, plan: GraphPlan): 'rtcp' | 'arrival' {
  return !spec.muxer.systemTime && hasBinCamera(plan) ? 'rtcp' : 'arrival';
}

function hasBinCamera({ own, streams }: GraphPlan): boolean {
  return !own && streams.some(({ source }) => source.type === 'rtsp');
}

/** Which nvstreammux answers to that name is decided when its plugin is loaded, for the whole process. */
export function muxEnvironment({
  spec,
  options,
}: LoweringContext): Readonly<Record<string, string>> {
  const { kind } = spec.muxer;
  return {
    USE_NEW_NVSTREAMMUX: kind === 'new' ? 'yes' : 'no',
    // The registry remembers pads and properties: those of the other muxer must not be found in it.
    GST_REGISTRY: `${options.filesDir}/gst-registry-${kind}-muxer.bin`,
  };
}

function oldProperties(
  { spec, muxSize }: LoweringContext,
  live: boolean,
): Record<string, PropertyValue> {
  const { padding } = spec.muxer;
  return { ...muxSize, 'enable-padding': padding, 'live-source': live };
}

function timeout({ spec }: LoweringContext, { streams }: GraphPlan, live: boolean): number {
  const { kind, batchTimeoutUs } = spec.muxer;
  if (batchTimeoutUs !== undefined) return batchTimeoutUs;
  // No frame spends more than half of the least latency budget on the wait for others.
  const budgets = streams.map(({ latency }) => ((latency?.budgetMs ?? Infinity) * 1000) / 2);
  if (live) return Math.min(LIVE_TIMEOUT_US, ...budgets);
  return kind === 'old' ? -1 : NEW_FILE_TIMEOUT_US;
}

function refuseOldOnly(context: LoweringContext): void {
  const { width, height, padding, batchTimeoutUs } = context.spec.muxer;
  const at = (key: string) => `/deepstream/muxer/${key}`;
  const message = 'has no meaning for the new muxer, which leaves frames at their size: remove it';
  if (width !== undefined) context.problem(at('width'), message);
  if (height !== undefined) context.problem(at('height'), message);
  if (padding) context.problem(at('padding'), message);
  if (batchTimeoutUs !== undefined && batchTimeoutUs < 1) {
    context.problem(at('batchTimeoutUs'), 'must be at least 1: the new muxer has no endless wait');
  }
}
