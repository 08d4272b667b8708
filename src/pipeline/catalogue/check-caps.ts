import type { Caps } from './caps.ts';
import { type CapsClash, type CapsFlow, flowCaps } from './caps-flow.ts';
import { intersectCaps, isEmptyCaps } from './caps-intersect.ts';
import { describeCaps } from './caps-text.ts';
import { linkText } from './check-pads.ts';
import type { CheckContext } from './context.ts';
import type { GraphView } from './graph-view.ts';

/** Something can pass over every link: media type, memory and format of both sides meet. */
export function checkCaps(view: GraphView, context: CheckContext): CapsFlow {
  const flow = flowCaps(view);
  for (const edge of flow.unreadable) {
    const text = `${linkText(edge)} has a filter that is not caps: ${JSON.stringify(edge.caps)}`;
    context.report('error', view, edge.to, text);
  }
  for (const clash of flow.clashes) {
    const { edge } = clash;
    context.report(
      'error',
      view,
      edge.to,
      `${linkText(edge)} cannot carry anything: ${why(clash)}`,
    );
  }
  if (flow.circular.length > 0) {
    const ids = flow.circular.map(({ id }) => `"${id}"`).join(', ');
    context.reportGraph('error', view, `its links run in a circle over ${ids}`);
  }
  return flow;
}

function why({ edge, offered, filter, wanted, refusedBy }: CapsClash): string {
  const { from, to } = edge;
  const given = `${from.factory} gives ${describeCaps(offered)}`;
  if (refusedBy === 'filter') {
    return `${given}, but the filter asks for ${describeCaps(filter!)}`;
  }
  const passed = filter === undefined ? offered : intersectCaps(offered, filter);
  const filtered = filter === undefined ? '' : ` (after the filter ${describeCaps(passed)})`;
  return `${given}${filtered}, but ${to.factory} takes ${describeCaps(wanted)}${hint(passed, wanted)}`;
}

/** How to mend what is wrong with raw video: the memory or the format. */
function hint(passed: Caps, wanted: Caps): string {
  const raw = (caps: Caps) => caps.structures.filter(({ media }) => media === 'video/x-raw');
  const [from, to] = [raw(passed), raw(wanted)];
  if (from.length === 0 || to.length === 0 || isEmptyCaps(wanted)) return '';
  const meets = from.some(({ features }) =>
    to.some((other) => other.features === features || other.features === '*' || features === '*'),
  );
  return meets
    ? '; put a converter between (nvvideoconvert, or videoconvert in system memory)'
    : '; put nvvideoconvert between: they keep pictures in different memory';
}
