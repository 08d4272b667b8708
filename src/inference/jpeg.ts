import { SightlineError } from '../common/errors.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

const MARKER = 0xff;
const START_OF_IMAGE = 0xd8;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
/** Markers that stand alone: TEM and RST0 to RST7. */
const ALONE = (code: number) => code === 0x01 || (code >= 0xd0 && code <= 0xd7);
/** SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
const isFrameHeader = (code: number) =>
  code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;

/**
 * Reads a JPEG picture's size and sees that it has a beginning and an end (ITU-T T.81, annex B), without decoding it.
 * @throws SightlineError `SL_MESSAGE_INVALID`
 */
export function inspectJpeg(bytes: Uint8Array): PictureSize {
  if (bytes[0] !== MARKER || bytes[1] !== START_OF_IMAGE) throw invalid('it does not begin as one');
  const size = findSize(bytes);
  if (!endsWhole(bytes)) throw invalid('its end is missing');
  return size;
}

function findSize(bytes: Uint8Array): PictureSize {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== MARKER) throw invalid('a marker is missing');
    const code = bytes[at + 1]!;
    if (code === MARKER) {
      at += 1;
      continue;
    }
    if (ALONE(code)) {
      at += 2;
      continue;
    }
    if (code === START_OF_SCAN || code === END_OF_IMAGE) break;
    const length = view.getUint16(at + 2);
    if (isFrameHeader(code) && at + 9 <= bytes.length) {
      const size = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
      if (size.width === 0 || size.height === 0) throw invalid('it has no size');
      return size;
    }
    at += 2 + length;
  }
  throw invalid('it has no frame header');
}

/** Some writers fill up behind the end. */
function endsWhole(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 2 && bytes[end - 1] === 0) end -= 1;
  return bytes[end - 2] === MARKER && bytes[end - 1] === END_OF_IMAGE;
}

function invalid(why: string): SightlineError {
  return new SightlineError('SL_MESSAGE_INVALID', `Cannot use a picture as JPEG: ${why}`);
}
