import { SightlineError } from '../common/errors.ts';
import { sightline } from '../gen/frame.js';
import { timestampToMs } from '../metadata/timestamp.ts';
import { inspectJpeg } from './jpeg.ts';

/** A frame as it came from the queue, checked. */
export interface QueuedFrame {
  /** As a pipeline that sees the camera itself would name its record: "<stream>/<session>/<sequence>". */
  readonly frameId: string;
  readonly streamId: string;
  readonly sensorId: string;
  readonly session: string;
  readonly sequence: number;
  /** Capture time, ms since the Unix epoch. */
  readonly atMs: number;
  /** Names of the models that are to look at it; empty: the routes decide. */
  readonly models: readonly string[];
  /** sightline.v1.Image. */
  readonly bytes: Uint8Array;
}

/** Stream ids become names of elements and of files. */
const STREAM_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/**
 * Reads a sightline.v1.Image and looks at its picture, without decoding it.
 * @throws SightlineError `SL_MESSAGE_INVALID`, with what is wrong
 */
export function readQueuedFrame(bytes: Uint8Array, limits: { maxPixels: number }): QueuedFrame {
  let image: sightline.v1.Image;
  try {
    image = sightline.v1.Image.decode(bytes);
  } catch (cause) {
    const message = `Cannot read ${bytes.length} bytes of a queue as a picture's message`;
    throw new SightlineError('SL_MESSAGE_INVALID', message, { cause });
  }
  const { streamId, session, sensorId, models, data, timestamp } = image;
  const sequence = Number(image.frameSequence);
  if (!STREAM_ID.test(streamId)) throw invalid('its stream has no name that can be used');
  if (session === '' || session.length > 128) throw invalid('it names no session');
  if (!Number.isSafeInteger(sequence)) throw invalid('its number is out of range');
  const { width, height } = inspectJpeg(data);
  if (width * height > limits.maxPixels) {
    throw invalid(`${width} x ${height} is larger than the ${limits.maxPixels} pixels allowed`);
  }
  return {
    frameId: `${streamId}/${session}/${sequence}`,
    ...{ streamId, session, sequence, models, bytes },
    sensorId: sensorId === '' ? streamId : sensorId,
    atMs: timestamp ? timestampToMs(timestamp) : 0,
  };
}

function invalid(why: string): SightlineError {
  return new SightlineError('SL_MESSAGE_INVALID', `Cannot use a frame of a queue: ${why}`);
}
