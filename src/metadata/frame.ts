import { SightlineError } from '../common/errors.ts';
import { sightline } from '../gen/frame.js';
import { type FrameJson, mapFrame } from './frame-json.ts';

export { type FrameHeader, readFrameHeader } from './frame-header.ts';
export type { FrameJson } from './frame-json.ts';
export type { ObjectJson } from './object-json.ts';

/** A decoded sightline.v1.Frame. 64-bit fields are Long-like objects: print them with `toString()`. */
export type Frame = sightline.v1.Frame;

/**
 * Decodes the bytes of a sightline.v1.Frame. Unknown fields are skipped.
 * @throws SightlineError `SL_INTERNAL` when the bytes are no such message.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  try {
    return sightline.v1.Frame.decode(bytes);
  } catch (cause) {
    throw new SightlineError(
      'SL_INTERNAL',
      `Cannot decode ${bytes.length} bytes as a sightline.v1.Frame`,
      { cause },
    );
  }
}

/**
 * The proto3 JSON mapping of a frame as a plain object: lowerCamelCase names, 64-bit numbers as strings, enums by
 * name, times in RFC 3339. The frame's own fields and each object's core fields are always there, so that consumers
 * see one shape; what a pipeline may not have (model, tracker, image, pose, ...) appears when it is set.
 * @throws SightlineError `SL_INTERNAL` for bytes that are no frame or a time that cannot be expressed.
 */
export function frameToJson(input: Uint8Array | Frame): FrameJson {
  return mapFrame(input instanceof Uint8Array ? decodeFrame(input) : input);
}
