import type { ValueProblem } from '../common/check.ts';
import type { AnalyticsSpec } from './spec.ts';

type Point = readonly number[];

/** Shorter things (of the frame's width or height) are no line: whole pixels of a small picture could not tell. */
const SHORTEST = 0.002;
/** Sine of the least angle between a line and the direction across it. */
const FLATTEST = 0.02;
/** Area of the smallest zone, of the frame's. */
const SMALLEST = 1e-5;

/** What has a shape in which nothing could ever be counted, and what no backend can do. */
export function geometryProblems({ zones, lines, directions }: AnalyticsSpec): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const add = (pointer: string, message: string) =>
    problems.push({ pointer: `/analytics/${pointer}`, message });
  for (const [index, zone] of zones.entries()) {
    if (area(zone.polygon) < SMALLEST) {
      const message = 'it has no area: its points lie on one line, or their order crosses itself';
      add(`zones/${index}/polygon`, message);
    }
    if (!zone.invert || zone.overcrowding === undefined) continue;
    const message = 'an inverted zone has no overcrowding; leave out one of the two';
    add(`zones/${index}/overcrowding`, message);
  }
  for (const [index, { line, direction }] of lines.entries()) {
    const long = isLong(line);
    const directed = isLong(direction);
    if (!long) add(`lines/${index}/line`, 'the two points are the same place');
    if (!directed) add(`lines/${index}/direction`, 'the two points are the same place');
    if (!long || !directed || sine(line, direction) >= FLATTEST) continue;
    add(`lines/${index}/direction`, 'it runs along the line; let it point across');
  }
  for (const [index, { direction }] of directions.entries()) {
    if (isLong(direction)) continue;
    add(`directions/${index}/direction`, 'the two points are the same place');
  }
  return problems;
}

function vector([from, to]: readonly Point[]): readonly [number, number] {
  return [to![0]! - from![0]!, to![1]! - from![1]!];
}

function isLong(points: readonly Point[]): boolean {
  return Math.hypot(...vector(points)) >= SHORTEST;
}

function sine(a: readonly Point[], b: readonly Point[]): number {
  const [ax, ay] = vector(a);
  const [bx, by] = vector(b);
  return Math.abs(ax * by - ay * bx) / (Math.hypot(ax, ay) * Math.hypot(bx, by));
}

/** Of a polygon; parts that run the other way round (a bow tie) count as negative. */
function area(polygon: readonly Point[]): number {
  let twice = 0;
  for (const [index, [x, y]] of polygon.entries()) {
    const [nextX, nextY] = polygon[(index + 1) % polygon.length]!;
    twice += x! * nextY! - nextX! * y!;
  }
  return Math.abs(twice) / 2;
}
