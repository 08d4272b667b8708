import { SightlineError } from '../common/errors.ts';
import { sightline } from '../gen/frame.js';

/** A decoded sightline.v1.Image. `data` is a view into the bytes it was decoded from. */
export type Image = sightline.v1.Image;

/**
 * Decodes the bytes of a sightline.v1.Image without copying the picture.
 * @throws SightlineError `SL_INTERNAL` when the bytes are no such message.
 */
export function decodeImage(bytes: Uint8Array): Image {
  try {
    return sightline.v1.Image.decode(bytes);
  } catch (cause) {
    throw new SightlineError(
      'SL_INTERNAL',
      `Cannot decode ${bytes.length} bytes as a sightline.v1.Image`,
      { cause },
    );
  }
}
