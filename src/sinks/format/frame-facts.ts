import { FieldReader } from './field-reader.ts';

// Field numbers of proto/sightline/v1/frame.proto.
const FRAME_OBJECTS = 5;
const FRAME_MODEL = 107;
const OBJECT_TYPE = 3;
const OBJECT_CONFIDENCE = 4;
const MODEL_NAME = 1;

/** What templates ask of a frame. Texts are empty where it has none. */
export interface FrameFacts {
  /** Label of the object with the greatest confidence; the first of several. */
  readonly topClass: string;
  readonly model: string;
}

export const NO_FACTS: FrameFacts = { topClass: '', model: '' };

/** @throws UNUSUAL for bytes that are no frame */
export function readFrameFacts(frame: Uint8Array): FrameFacts {
  const reader = new FieldReader(frame);
  let model = '';
  let topClass = '';
  let best = Number.NEGATIVE_INFINITY;
  while (reader.at < frame.byteLength) {
    const field = reader.next();
    if (field === FRAME_MODEL) {
      const end = reader.enter();
      while (reader.at < end) {
        if (reader.next() === MODEL_NAME) model = reader.text();
        else reader.skip();
      }
    } else if (field === FRAME_OBJECTS) {
      const end = reader.enter();
      let type = '';
      let confidence = 0;
      while (reader.at < end) {
        const part = reader.next();
        if (part === OBJECT_TYPE) type = reader.text();
        else if (part === OBJECT_CONFIDENCE) confidence = reader.float();
        else reader.skip();
      }
      if (confidence > best) {
        best = confidence;
        topClass = type;
      }
    } else reader.skip();
  }
  return { topClass, model };
}
