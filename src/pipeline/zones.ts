import type { AnalyticsSpec, ZoneSpec } from './analytics-spec.ts';
import type { PipelineSpec, StreamSpec } from './spec.ts';

/**
 * The spec with other zones for one stream. In a pipeline of several streams the others keep theirs: a zone that was for
 * all of them is now for all but this one.
 */
export function withZones<S extends StreamSpec | PipelineSpec>(
  spec: S,
  streamId: string,
  zones: readonly ZoneSpec[],
): S {
  const { lines = [], directions = [], zones: before = [] } = spec.analytics ?? {};
  const others = 'streams' in spec ? spec.streams.map(({ id }) => id) : [];
  const rest = others.filter((id) => id !== streamId);
  const kept = before.flatMap((zone) => {
    const streams = (zone.streams ?? others).filter((id) => rest.includes(id));
    return streams.length === 0 ? [] : [{ ...zone, streams }];
  });
  const own = zones.map((zone) => ('streams' in spec ? { ...zone, streams: [streamId] } : zone));
  const analytics: AnalyticsSpec = { zones: [...kept, ...own], lines, directions };
  return { ...spec, analytics };
}
