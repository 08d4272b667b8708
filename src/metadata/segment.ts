import { SightlineError } from '../common/errors.ts';
import { sightline } from '../gen/frame.js';

/** A decoded sightline.v1.Segment. */
export type Segment = sightline.v1.Segment;
export type SegmentFields = sightline.v1.Segment.$Properties;

export function encodeSegment(segment: SegmentFields): Uint8Array {
  return sightline.v1.Segment.encode(segment).finish();
}

/**
 * Decodes the bytes of a sightline.v1.Segment.
 * @throws SightlineError `SL_INTERNAL` when the bytes are no such message.
 */
export function decodeSegment(bytes: Uint8Array): Segment {
  try {
    return sightline.v1.Segment.decode(bytes);
  } catch (cause) {
    throw new SightlineError(
      'SL_INTERNAL',
      `Cannot decode ${bytes.length} bytes as a sightline.v1.Segment`,
      { cause },
    );
  }
}
