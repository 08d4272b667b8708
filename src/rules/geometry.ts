import type { Box, FrameFacts, ObjectFacts } from './facts.ts';

/** A place in a frame: 0, 0 is the top left corner and 1, 1 the bottom right one. */
export type Point = readonly [number, number];

/** Where an object stands: the middle of its box's lower edge, as a share of the frame. */
export function footPoint({ box }: ObjectFacts, { width, height }: FrameFacts): Point {
  return [(box.left + box.right) / 2 / (width || 1), box.bottom / (height || 1)];
}

/** By the even-odd rule; a point on the edge may count either way. */
export function isInside([x, y]: Point, polygon: readonly Point[]): boolean {
  let inside = false;
  for (let index = 0, before = polygon.length - 1; index < polygon.length; before = index++) {
    const [x1, y1] = polygon[index]!;
    const [x2, y2] = polygon[before]!;
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

/** Twice the signed area of the triangle: positive when c lies to the right of a towards b, y growing downwards. */
function side(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

export type Crossing = 'left-to-right' | 'right-to-left';

/** How the way `from` - `to` crosses the line from its first to its second point, seen along it; undefined: not at all. */
export function crossing(
  from: Point,
  to: Point,
  [a, b]: readonly [Point, Point],
): Crossing | undefined {
  const before = side(a, b, from);
  const after = side(a, b, to);
  // A way that ends on the line has not crossed it yet; one that starts on it has.
  if (before > 0 === after > 0) return undefined;
  if (side(from, to, a) > 0 === side(from, to, b) > 0) return undefined;
  return after > 0 ? 'left-to-right' : 'right-to-left';
}

export function centre({ left, top, right, bottom }: Box): Point {
  return [(left + right) / 2, (top + bottom) / 2];
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
