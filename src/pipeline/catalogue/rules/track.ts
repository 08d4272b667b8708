import type { CheckContext } from '../context.ts';
import { downstream, type GraphView, numberOf, upstream, type ViewNode } from '../graph-view.ts';
import { INFERENCE, textOf } from './common.ts';
import { isPrimary } from './infer-view.ts';

/** Trackers and what needs their ids. */
export function checkTracking(view: GraphView, context: CheckContext): void {
  for (const tracker of view.of('nvtracker')) {
    checkOrder(view, tracker, context);
    checkFormat(view, tracker, context);
  }
  for (const analytics of view.of('nvdsanalytics', 'slanalytics')) {
    checkAnalytics(view, analytics, context);
  }
}

function checkOrder(view: GraphView, tracker: ViewNode, context: CheckContext): void {
  const before = upstream(tracker).filter(({ factory }) => INFERENCE.includes(factory));
  if (before.length === 0) {
    context.report('error', view, tracker, 'has nothing to track: no detector stands before it');
  }
  const early = before.find((model) => !isPrimary(model, context));
  const later = downstream(tracker).some(({ factory }) => INFERENCE.includes(factory));
  if (early !== undefined && !later) {
    const text = `stands behind the second model "${early.id}": before it, that model could skip objects it has seen`;
    context.report('warning', view, tracker, text);
  }
}

function checkFormat(view: GraphView, tracker: ViewNode, context: CheckContext): void {
  for (const property of ['tracker-width', 'tracker-height']) {
    const pixels = numberOf(tracker, property) ?? 0;
    if (pixels % 32 === 0) continue;
    const text = `"${property}" is ${pixels}; trackers that look at pixels need a multiple of 32`;
    context.report('warning', view, tracker, text, { property });
  }
  const classes = textOf(tracker, 'operate-on-class-ids');
  if (classes !== '' && !/^\d+(;\d+)*;?$/.test(classes)) {
    const text = `"operate-on-class-ids" is ${JSON.stringify(classes)}; it takes numbers such as "0;2"`;
    context.report('error', view, tracker, text, { property: 'operate-on-class-ids' });
  }
  const batches = textOf(tracker, 'sub-batches');
  if (batches !== '' && !/^(\d+(,\d+)*(;\d+(,\d+)*)*|\d+(:\d+)*)$/.test(batches)) {
    const text = `"sub-batches" is ${JSON.stringify(batches)}; it takes sources ("0,1;2,3") or sizes ("4:4")`;
    context.report('error', view, tracker, text, { property: 'sub-batches' });
  }
}

/** Lines and directions compare where an object was with where it is: without ids nothing is ever counted. */
function checkAnalytics(view: GraphView, analytics: ViewNode, context: CheckContext): void {
  const trackers = analytics.factory === 'nvdsanalytics' ? ['nvtracker'] : ['sltrack', 'nvtracker'];
  if (upstream(analytics).some(({ factory }) => trackers.includes(factory))) return;
  const file = context.keyFileOf(analytics, 'config-file');
  const property = 'config-file';
  if (file === undefined) {
    const text = `counts at lines and directions only behind ${trackers[0]}, and none stands before it`;
    context.report('warning', view, analytics, text, { property });
    return;
  }
  const needing = file.groups.find(({ name }) =>
    /^(line-crossing|direction-detection)-/.test(name),
  );
  if (needing === undefined) return;
  const text = `[${needing.name}] of its file needs the ids of ${trackers[0]}, and none stands before it`;
  context.report('error', view, analytics, text, { property });
}
