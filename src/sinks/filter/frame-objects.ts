import { FieldReader } from '../format/field-reader.ts';
import { varintBytes, writeVarint } from '../format/length-delimited.ts';

// Field numbers of proto/sightline/v1/frame.proto.
const FRAME_OBJECTS = 5;
const OBJECT_ID = 1;
const OBJECT_TYPE = 3;
const OBJECT_CONFIDENCE = 4;
const OBJECT_ANALYTICS = 103;
const OBJECT_PARENT = 108;
const ANALYTICS_ZONES = 1;
const ANALYTICS_LINES = 3;
const OBJECTS_TAG = 0x2a;
/** 108, varint. */
const PARENT_TAG = [0xe0, 0x06];

/** What a filter asks of an object, and where the object stands in the bytes of its frame. */
export interface FrameObject {
  /** With its tag and length. */
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
  /** Empty unless asked for. */
  readonly id: string;
  /** Empty unless asked for. */
  readonly type: string;
  readonly confidence: number;
  readonly zones: readonly string[];
  readonly lines: readonly string[];
  /** 1 + index of the object it lies in; 0: none. */
  readonly parent: number;
}

/** Texts that are worth reading: most of the time goes into them. */
export interface Wanted {
  readonly id: boolean;
  readonly type: boolean;
}

const NONE: readonly string[] = [];

/** Walks over the bytes of a frame; nothing else of it is decoded. @throws UNUSUAL for bytes that are no frame */
export function readObjects(frame: Uint8Array, wanted: Wanted): FrameObject[] {
  const reader = new FieldReader(frame);
  const objects: FrameObject[] = [];
  while (reader.at < frame.byteLength) {
    const start = reader.at;
    reader.next();
    if (reader.field === FRAME_OBJECTS) objects.push(readObject(reader, start, wanted));
    else reader.skip();
  }
  return objects;
}

function readObject(reader: FieldReader, start: number, wanted: Wanted): FrameObject {
  const end = reader.enter();
  const bodyStart = reader.at;
  let id = '';
  let type = '';
  let confidence = 0;
  let parent = 0;
  let zones = NONE;
  let lines = NONE;
  while (reader.at < end) {
    const field = reader.next();
    if (field === OBJECT_ID && wanted.id) id = reader.text();
    else if (field === OBJECT_TYPE && wanted.type) type = reader.text();
    else if (field === OBJECT_CONFIDENCE) confidence = reader.float();
    else if (field === OBJECT_PARENT) parent = reader.uint31();
    else if (field === OBJECT_ANALYTICS) {
      const analyticsEnd = reader.enter();
      while (reader.at < analyticsEnd) {
        const part = reader.next();
        if (part === ANALYTICS_ZONES) zones = [...zones, reader.text()];
        else if (part === ANALYTICS_LINES) lines = [...lines, reader.text()];
        else reader.skip();
      }
    } else reader.skip();
  }
  return { start, bodyStart, end, id, type, confidence, zones, lines, parent };
}

/** The frame with these of its objects alone. References to a parent follow; one to an object that goes is dropped. */
export function keepObjects(
  frame: Uint8Array,
  objects: readonly FrameObject[],
  kept: ReadonlySet<FrameObject>,
): Uint8Array {
  if (kept.size === objects.length) return frame;
  const newIndex = new Map([...kept].map((object, index) => [object, index]));
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const object of objects) {
    if (object.start > at) pieces.push(frame.subarray(at, object.start));
    at = object.end;
    if (!kept.has(object)) continue;
    if (object.parent === 0) {
      pieces.push(frame.subarray(object.start, object.end));
      continue;
    }
    const parent = objects[object.parent - 1];
    const index = parent === undefined ? undefined : newIndex.get(parent);
    pieces.push(withParent(frame, object, index === undefined ? 0 : index + 1));
  }
  pieces.push(frame.subarray(at));
  return Buffer.concat(pieces);
}

function withParent(frame: Uint8Array, object: FrameObject, parent: number): Uint8Array {
  const body: Uint8Array[] = [];
  const reader = new FieldReader(frame);
  reader.at = object.bodyStart;
  while (reader.at < object.end) {
    const start = reader.at;
    reader.next();
    reader.skip();
    if (reader.field !== OBJECT_PARENT) body.push(frame.subarray(start, reader.at));
  }
  if (parent > 0) body.push(Uint8Array.from(PARENT_TAG), varint(parent));
  const bytes = body.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([Uint8Array.of(OBJECTS_TAG), varint(bytes), ...body]);
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintBytes(value));
  writeVarint(bytes, 0, value);
  return bytes;
}
