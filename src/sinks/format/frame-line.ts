import { frameToJson } from '../../metadata/frame.ts';
import { type ByteWriter, FixedText, NUMBER_BYTES } from './byte-writer.ts';
import { FieldReader, UNUSUAL } from './field-reader.ts';
import { FrameHead } from './frame-head.ts';

// Field numbers of proto/sightline/v1/frame.proto.
const FRAME_OBJECTS = 5;
const OBJECT_ID = 1;
const OBJECT_BBOX = 2;
const OBJECT_TYPE = 3;
const OBJECT_CONFIDENCE = 4;
const OBJECT_CLASS_ID = 100;
const OBJECT_FRAMES_SINCE_DETECTION = 101;

const COMMA = 0x2c;
const CLOSING_BRACE = 0x7d;
const NO_OBJECTS = '"objects":[]';
const OBJECT_KEYS = [
  '{"id":"',
  '","type":"',
  '","confidence":',
  ',"classId":',
  ',"framesSinceDetection":',
].map((text) => new FixedText(text));
const BBOX_KEYS = [',"bbox":{"leftX":', ',"topY":', ',"rightX":', ',"bottomY":'].map(
  (text) => new FixedText(text),
);

/** Keys and numbers of one object; its texts are no longer than its bytes on the wire. */
const OBJECT_ROOM = 256 + 7 * NUMBER_BYTES;

const head = new FrameHead();

/**
 * The bytes of `JSON.stringify(frameToJson(bytes))`, several times as fast: what frames usually have is written straight
 * from the wire. A frame with an object that has more than the usual fields takes the long way.
 * @throws SightlineError `SL_INTERNAL` for bytes that are no frame; nothing is written then
 */
export function writeFrameLine(writer: ByteWriter, bytes: Uint8Array): void {
  const start = writer.length;
  try {
    writeFast(writer, bytes);
  } catch (error) {
    writer.truncate(start);
    if (error !== UNUSUAL) throw error;
    writer.text(JSON.stringify(frameToJson(bytes)));
  }
}

function writeFast(writer: ByteWriter, wire: Uint8Array): void {
  const reader = new FieldReader(wire);
  const objects: number[] = [];
  if (findHead(reader, objects)) {
    head.writeStart(writer, wire);
    writeObjects(writer, reader, objects);
    head.writeEnd(writer, wire);
    return;
  }
  // Only the objects are usual.
  const text = JSON.stringify(frameToJson(withoutObjects(reader, objects)));
  const inside = text.indexOf(NO_OBJECTS) + NO_OBJECTS.length - 1;
  writer.text(text.slice(0, inside));
  writeObjects(writer, reader, objects);
  writer.text(text.slice(inside));
}

/** Finds where objects begin and what else there is; false when the head is unusual, whatever `objects` holds then. */
function findHead(reader: FieldReader, objects: number[]): boolean {
  head.reset();
  try {
    while (reader.at < reader.wire.length) {
      const start = reader.at;
      if (reader.next() === FRAME_OBJECTS) {
        objects.push(start);
        reader.skip();
      } else head.take(reader);
    }
    return reader.at === reader.wire.length;
  } catch (error) {
    if (error !== UNUSUAL) throw error;
    return false;
  }
}

/** The frame's other fields; where its objects begin goes to `objects`. */
function withoutObjects(reader: FieldReader, objects: number[]): Uint8Array {
  const { wire } = reader;
  const rest: Uint8Array[] = [];
  let restStart = 0;
  objects.length = 0;
  reader.at = 0;
  while (reader.at < wire.length) {
    const start = reader.at;
    reader.next();
    reader.skip();
    if (reader.field !== FRAME_OBJECTS) continue;
    if (start > restStart) rest.push(wire.subarray(restStart, start));
    restStart = reader.at;
    objects.push(start);
  }
  rest.push(wire.subarray(restStart));
  return Buffer.concat(rest);
}

function writeObjects(writer: ByteWriter, reader: FieldReader, objects: readonly number[]): void {
  for (const [index, start] of objects.entries()) {
    reader.at = start;
    reader.next();
    const end = reader.enter();
    writer.reserve(OBJECT_ROOM + end - start);
    if (index > 0) writer.byte(COMMA);
    writeObject(writer, reader, end);
  }
}

/** Fields of one object, found before they are written: the wire may have them in any order. */
interface Found {
  idStart: number;
  idEnd: number;
  typeStart: number;
  typeEnd: number;
  bboxStart: number;
  bboxEnd: number;
  confidence: number;
  classId: number;
  framesSinceDetection: number;
}

const found: Found = {
  ...{ idStart: 0, idEnd: 0, typeStart: 0, typeEnd: 0, bboxStart: 0, bboxEnd: 0 },
  ...{ confidence: 0, classId: 0, framesSinceDetection: 0 },
};

function writeObject(writer: ByteWriter, reader: FieldReader, end: number): void {
  findFields(reader, end);
  const { wire } = reader;
  writer.fixed(OBJECT_KEYS[0]!);
  writer.slice(wire, found.idStart, found.idEnd);
  writer.fixed(OBJECT_KEYS[1]!);
  writer.slice(wire, found.typeStart, found.typeEnd);
  writer.fixed(OBJECT_KEYS[2]!);
  writer.float32(found.confidence);
  writer.fixed(OBJECT_KEYS[3]!);
  writer.integer(found.classId);
  writer.fixed(OBJECT_KEYS[4]!);
  writer.integer(found.framesSinceDetection);
  if (found.bboxStart > 0) writeBbox(writer, reader, found.bboxStart, found.bboxEnd);
  writer.byte(CLOSING_BRACE);
  reader.at = end;
}

function findFields(reader: FieldReader, end: number): void {
  found.idStart = found.idEnd = found.typeStart = found.typeEnd = 0;
  found.bboxStart = found.bboxEnd = 0;
  found.confidence = found.classId = found.framesSinceDetection = 0;
  while (reader.at < end) {
    reader.next();
    switch (reader.field) {
      case OBJECT_ID:
        found.idEnd = reader.plainText();
        found.idStart = reader.textStart;
        break;
      case OBJECT_BBOX:
        if (found.bboxStart > 0) throw UNUSUAL;
        found.bboxEnd = reader.enter();
        found.bboxStart = reader.at;
        reader.at = found.bboxEnd;
        break;
      case OBJECT_TYPE:
        found.typeEnd = reader.plainText();
        found.typeStart = reader.textStart;
        break;
      case OBJECT_CONFIDENCE:
        found.confidence = reader.float();
        break;
      case OBJECT_CLASS_ID:
        found.classId = reader.uint31();
        break;
      case OBJECT_FRAMES_SINCE_DETECTION:
        found.framesSinceDetection = reader.uint31();
        break;
      default:
        throw UNUSUAL;
    }
  }
  if (reader.at !== end) throw UNUSUAL;
}

const corners = new Float64Array(4);

function writeBbox(writer: ByteWriter, reader: FieldReader, start: number, end: number): void {
  corners.fill(0);
  reader.at = start;
  while (reader.at < end) {
    reader.next();
    if (reader.field < 1 || reader.field > 4) throw UNUSUAL;
    corners[reader.field - 1] = reader.float();
  }
  if (reader.at !== end) throw UNUSUAL;
  for (let index = 0; index < 4; index++) {
    writer.fixed(BBOX_KEYS[index]!);
    writer.float32(corners[index]!);
  }
  writer.byte(CLOSING_BRACE);
}
