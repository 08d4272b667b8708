import type { sightline } from '../gen/frame.js';
import { float32ToJson, type JsonNumber } from './float32.ts';

/** Corners in pixels of the source frame. */
export interface BboxJson {
  leftX: JsonNumber;
  topY: JsonNumber;
  rightX: JsonNumber;
  bottomY: JsonNumber;
}

export function bboxToJson(bbox: sightline.v1.Bbox.$Properties): BboxJson {
  return {
    leftX: float32ToJson(bbox.leftX ?? 0),
    topY: float32ToJson(bbox.topY ?? 0),
    rightX: float32ToJson(bbox.rightX ?? 0),
    bottomY: float32ToJson(bbox.bottomY ?? 0),
  };
}
