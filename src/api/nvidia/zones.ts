import type { ZoneSpec } from '../../pipeline/analytics-spec.ts';
import { idFor } from './camera-id.ts';
import type { RoiRectangle } from './parse-control.ts';

/** Zones of the same size as rectangles in pixels of a `width` x `height` frame; what reaches beyond it is cut off. */
export function zonesOf(
  rectangles: readonly RoiRectangle[],
  { width, height }: { readonly width: number; readonly height: number },
): readonly ZoneSpec[] {
  const x = (pixels: number) => Math.min(1, pixels / width);
  const y = (pixels: number) => Math.min(1, pixels / height);
  return rectangles.map(({ id, left, top, width: wide, height: high }) => ({
    id: idFor(id),
    polygon: [
      [x(left), y(top)],
      [x(left + wide), y(top)],
      [x(left + wide), y(top + high)],
      [x(left), y(top + high)],
    ],
    invert: false,
  }));
}
