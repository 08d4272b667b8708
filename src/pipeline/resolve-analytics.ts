import type { ValueProblem } from '../common/check.ts';
import { didYouMean } from '../common/near.ts';
import { geometryProblems } from './analytics-geometry.ts';
import { findClasses } from './find-classes.ts';
import type { Placed, ResolvedAnalytics, ResolvedModel } from './resolved.ts';
import type { PipelineSpec, StreamSpec } from './spec.ts';

interface Item {
  readonly id: string;
  readonly classes?: readonly string[];
  readonly streams?: readonly string[];
}

/** Looks up the streams and labels that zones, lines and directions name. Ids are unique in their list. */
export function resolveAnalytics(
  { analytics, track, deepstream }: PipelineSpec | StreamSpec,
  streamIds: readonly string[],
  model: ResolvedModel | undefined,
  problems: ValueProblem[],
): ResolvedAnalytics | undefined {
  if (analytics === undefined) return undefined;
  const place = <T extends Item>(items: readonly T[], list: string): Placed<T>[] =>
    items.map((item, index) => {
      const pointer = `/analytics/${list}/${index}`;
      const { classes, streams, ...rest } = item;
      if (items.findIndex(({ id }) => id === item.id) < index) {
        problems.push({ pointer: `${pointer}/id`, message: `the id "${item.id}" is taken` });
      }
      for (const [at, id] of (streams ?? []).entries()) {
        if (streamIds.includes(id)) continue;
        const message = `there is no stream "${id}"${didYouMean(id, streamIds)}`;
        problems.push({ pointer: `${pointer}/streams/${at}`, message });
      }
      const classIds =
        classes && model && findClasses(classes, model, `${pointer}/classes`, problems);
      return {
        ...rest,
        ...(classIds === undefined ? {} : { classIds }),
        ...(streams === undefined ? {} : { streams }),
        pointer,
      };
    });
  const { zones, lines, directions } = analytics;
  problems.push(...geometryProblems(analytics));
  if (deepstream?.muxer.padding === true && deepstream.muxer.kind === 'old') {
    const message = 'with bars around the picture, zones and lines would be in other places';
    problems.push({ pointer: '/deepstream/muxer/padding', message });
  }
  if (track?.type === 'none' && (lines.length > 0 || directions.length > 0)) {
    const message = 'lines and directions need a tracker, and "track" is switched off';
    problems.push({ pointer: '/analytics', message });
  }
  return {
    zones: place(zones, 'zones'),
    lines: place(lines, 'lines'),
    directions: place(directions, 'directions'),
  };
}
