import { type KeyFile, type KeyGroup, type KeyLine, valueIn } from '../key-file.ts';
import { listItems } from './key-value.ts';
import { type FileProblem, fileError, fileWarning } from './problem.ts';

/**
 * A shape may reach a little over the edge, so that an object whose feet are just out of the picture counts; further out
 * the numbers are of another space.
 */
const MARGIN = 1.1;

/** Keys that hold points, by the start of their name. */
const SHAPES = /^(roi|line-crossing|direction)-(?!detection)/;

/**
 * Shapes of an nvdsanalytics file lie in its space and are no points, and its groups are those of streams there are.
 * @param streams pad numbers of the streams; undefined: not known
 */
export function checkAnalyticsFile(
  file: KeyFile,
  streams: readonly number[] | undefined,
): FileProblem[] {
  const space = {
    width: Number(valueIn(file, 'property', 'config-width') ?? Number.NaN),
    height: Number(valueIn(file, 'property', 'config-height') ?? Number.NaN),
  };
  return file.groups.flatMap((group) => {
    const stream = /-stream-(\d+)$/.exec(group.name)?.[1];
    if (stream === undefined) return [];
    const problems = [...checkShapes(group, space)];
    if (streams !== undefined && !streams.includes(Number(stream))) {
      const known = streams.length === 0 ? 'none' : streams.join(', ');
      const text = `is about stream ${stream}, but the streams here are ${known} (numbers of the muxer's pads)`;
      problems.push(fileError(text, { group: group.name, line: group.line }));
    }
    return problems;
  });
}

function checkShapes(
  group: KeyGroup,
  space: { readonly width: number; readonly height: number },
): FileProblem[] {
  const shapes = group.entries.filter(({ key }) => SHAPES.test(key));
  const problems = shapes.flatMap((entry) => checkShape(group, entry, space));
  if (
    shapes.length === 0 &&
    group.entries.some(({ key, value }) => key === 'enable' && value === '1')
  ) {
    const text = 'is enabled and has nothing to watch';
    problems.push(fileWarning(text, { group: group.name, line: group.line }));
  }
  return problems;
}

function checkShape(
  group: KeyGroup,
  { key, value, line }: KeyLine,
  { width, height }: { readonly width: number; readonly height: number },
): FileProblem[] {
  const at = { group: group.name, key, line };
  const numbers = listItems(value).map(Number);
  // What is no list of points is said by the table.
  if (numbers.some(Number.isNaN) || numbers.length % 2 !== 0) return [];
  const points = numbers.flatMap((x, i) => (i % 2 === 0 ? [{ x, y: numbers[i + 1]! }] : []));
  // A space of no size is a fault of its own.
  const sized = width > 0 && height > 0;
  const outside = sized
    ? points.find(({ x, y }) => x > width * MARGIN || y > height * MARGIN)
    : undefined;
  if (outside !== undefined) {
    const text = `has the point ${outside.x};${outside.y} far outside of its space of ${width} x ${height}`;
    return [fileError(text, at)];
  }
  const lines = key.startsWith('roi-') ? [] : points.filter((_, i) => i % 2 === 0);
  const still = lines.find((from, i) => same(from, points[i * 2 + 1]));
  if (still !== undefined) {
    const text = `starts and ends at ${still.x};${still.y}: it has no direction`;
    return [fileError(text, at)];
  }
  return key.startsWith('roi-') && points.length >= 3 && area(points) === 0
    ? [fileError('has no area: its points lie on one line', at)]
    : [];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function same(a: Point, b: Point | undefined): boolean {
  return a.x === b?.x && a.y === b.y;
}

/** Twice the area between the points (shoelace formula), without a sign. */
function area(points: readonly Point[]): number {
  const sum = points.reduce((total, { x, y }, i) => {
    const next = points[(i + 1) % points.length]!;
    return total + x * next.y - next.x * y;
  }, 0);
  return Math.abs(sum);
}
