import type { CapsFlow } from '../caps-flow.ts';
import type { CheckContext } from '../context.ts';
import {
  effective,
  type GraphView,
  isTrue,
  numberOf,
  upstream,
  type ViewNode,
} from '../graph-view.ts';
import { isLive, unattended } from './common.ts';

/** Why each of a sink's properties must be off where streams come and go. */
const OFF: Readonly<Record<string, string>> = {
  async: 'a sink that has had no frame yet would hold the whole pipeline before it plays',
  sync: 'a sink that waits for the clock would drop or delay the frames of live streams',
  qos: 'a slow sink would make elements before it skip work',
};

/** A batch pool holds four surfaces by default; what waits in an application cannot be filled again. */
const POOL = 4;

/** Sinks never hold up what the other branches do. */
export function checkSinks(view: GraphView, context: CheckContext, flow: CapsFlow): void {
  const live = isLive(view);
  for (const sink of view.nodes) {
    const pads = sink.element?.entry.pads ?? [];
    const isSink = pads.length > 0 && pads.every(({ direction }) => direction === 'sink');
    if (!isSink) continue;
    if (live) checkOff(view, sink, context);
    checkNeverReached(view, sink, context);
    if (sink.factory === 'appsink') checkHeldSurfaces(view, sink, context, flow);
  }
}

function checkOff(view: GraphView, sink: ViewNode, context: CheckContext): void {
  for (const [property, reason] of Object.entries(OFF)) {
    if (effective(sink, property) !== true) continue;
    const text = `"${property}" must be false in a live pipeline: ${reason}`;
    context.report(unattended(view), view, sink, text, { property });
  }
}

/** A closed valve lets nothing through, so a sink that waits for a first buffer waits for ever. */
function checkNeverReached(view: GraphView, sink: ViewNode, context: CheckContext): void {
  if (effective(sink, 'async') !== true) return;
  const valve = upstream(sink).find((node) => node.factory === 'valve' && isTrue(node, 'drop'));
  if (valve === undefined) return;
  const text = `"async" must be false: behind the closed valve "${valve.id}" it would keep the pipeline from playing`;
  context.report('error', view, sink, text, { property: 'async' });
}

function checkHeldSurfaces(
  view: GraphView,
  sink: ViewNode,
  context: CheckContext,
  flow: CapsFlow,
): void {
  const surfaces = sink.into.some((edge) =>
    flow.passing.get(edge)?.structures.some(({ features }) => features === 'memory:NVMM'),
  );
  const held = numberOf(sink, 'max-buffers') ?? 0;
  if (!surfaces || (held > 0 && held < POOL)) return;
  const text = `"max-buffers" is ${held}${held === 0 ? ' (no limit)' : ''}: GPU surfaces that wait here are missing in the pools before it, which hold ${POOL}; set 1 to ${POOL - 1}`;
  context.report('warning', view, sink, text, { property: 'max-buffers' });
}
