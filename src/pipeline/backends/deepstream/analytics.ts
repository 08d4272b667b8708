import type { GraphNode } from '../../graph.ts';
import { analyticsFiles } from '../analytics-file.ts';
import type { LoweringContext } from './context.ts';
import type { GraphPlan } from './plan.ts';

/** The element's own default; further elements count on. */
const FIRST_ID = 17;

/** One nvdsanalytics for each file that the zones, lines and directions of the graph's streams need: most need one. */
export function lowerAnalytics(context: LoweringContext, { streams }: GraphPlan): GraphNode[] {
  const { analytics, annotated } = context.pipeline;
  if (analytics === undefined) return [];
  const ids = streams.map(({ id }) => id);
  const files = analyticsFiles(analytics, ids, { draw: annotated !== undefined });
  return files.map(({ text }, index) => {
    const id = index === 0 ? 'analytics' : `analytics-${index + 1}`;
    const properties = {
      'config-file': context.file('analytics', '.txt', {
        kind: 'analytics',
        text,
        origin: '/analytics',
      }),
      'unique-id': FIRST_ID + index,
    };
    return context.part('analytics', id, 'analytics', properties, { origin: '/analytics' });
  });
}
