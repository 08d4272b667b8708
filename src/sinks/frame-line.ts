import { frameToJson } from '../metadata/frame.ts';
import { ByteWriter, NUMBER_BYTES } from './byte-writer.ts';

// Field numbers of proto/sightline/v1/frame.proto.
const FRAME_OBJECTS = 5;
const OBJECT_ID = 1;
const OBJECT_BBOX = 2;
const OBJECT_TYPE = 3;
const OBJECT_CONFIDENCE = 4;
const OBJECT_CLASS_ID = 100;
const OBJECT_FRAMES_SINCE_DETECTION = 101;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const COMMA = 0x2c;
const CLOSING_BRACE = 0x7d;
const NO_OBJECTS = '"objects":[]';
const MAX_INT31 = 0x7fff_ffff;

/** Thrown for whatever the fast way does not know. */
const UNUSUAL = new Error('unusual');

const OBJECT_KEYS = [
  '{"id":"',
  '","type":"',
  '","confidence":',
  ',"classId":',
  ',"framesSinceDetection":',
].map((text) => Buffer.from(text));
const BBOX_KEYS = [',"bbox":{"leftX":', ',"topY":', ',"rightX":', ',"bottomY":'].map((text) =>
  Buffer.from(text),
);

/** Keys and numbers of one object; its texts are no longer than its bytes on the wire. */
const OBJECT_ROOM = 256 + 7 * NUMBER_BYTES;

const writer = new ByteWriter();
const floats = new Float32Array(1);
const floatBytes = new Uint8Array(floats.buffer);

/**
 * The bytes of `JSON.stringify(frameToJson(bytes))`, several times as fast: the objects, nearly all of a frame, are
 * written straight from the wire. A frame with an object that has more than the usual fields takes the long way.
 * @throws SightlineError `SL_INTERNAL` for bytes that are no frame
 */
export function frameLine(bytes: Uint8Array): Buffer {
  try {
    return fastLine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    if (error !== UNUSUAL) throw error;
    return Buffer.from(JSON.stringify(frameToJson(bytes)));
  }
}

function fastLine(wire: Buffer): Buffer {
  const reader = new FieldReader(wire);
  const objects: number[] = [];
  const rest: Buffer[] = [];
  let restStart = 0;
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
  const head = JSON.stringify(frameToJson(Buffer.concat(rest)));
  const inside = head.indexOf(NO_OBJECTS) + NO_OBJECTS.length - 1;
  writer.reset();
  writer.text(head.slice(0, inside));
  for (const [index, start] of objects.entries()) {
    reader.at = start;
    reader.next();
    const end = reader.enter();
    writer.reserve(OBJECT_ROOM + end - start);
    if (index > 0) writer.byte(COMMA);
    writeObject(reader, end);
  }
  writer.text(head.slice(inside));
  return writer.copy();
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

function writeObject(reader: FieldReader, end: number): void {
  findFields(reader, end);
  const { wire } = reader;
  writeKey(OBJECT_KEYS[0]!);
  writer.slice(wire, found.idStart, found.idEnd);
  writeKey(OBJECT_KEYS[1]!);
  writer.slice(wire, found.typeStart, found.typeEnd);
  writeKey(OBJECT_KEYS[2]!);
  writer.float32(found.confidence);
  writeKey(OBJECT_KEYS[3]!);
  writer.integer(found.classId);
  writeKey(OBJECT_KEYS[4]!);
  writer.integer(found.framesSinceDetection);
  if (found.bboxStart > 0) writeBbox(reader, found.bboxStart, found.bboxEnd);
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

function writeBbox(reader: FieldReader, start: number, end: number): void {
  corners.fill(0);
  reader.at = start;
  while (reader.at < end) {
    reader.next();
    if (reader.field < 1 || reader.field > 4) throw UNUSUAL;
    corners[reader.field - 1] = reader.float();
  }
  if (reader.at !== end) throw UNUSUAL;
  for (let index = 0; index < 4; index++) {
    writeKey(BBOX_KEYS[index]!);
    writer.float32(corners[index]!);
  }
  writer.byte(CLOSING_BRACE);
}

function writeKey(key: Buffer): void {
  writer.slice(key, 0, key.length);
}

/** Walks wire fields; throws UNUSUAL at anything it would have to think about. */
class FieldReader {
  readonly wire: Buffer;
  at = 0;
  field = 0;
  /** Where the text begins that `plainText` ended. */
  textStart = 0;
  #type = 0;

  constructor(wire: Buffer) {
    this.wire = wire;
  }

  next(): void {
    const tag = this.#varint();
    this.field = tag >>> 3;
    this.#type = tag & 7;
  }

  /** Steps into a length-delimited field; returns where it ends. */
  enter(): number {
    if (this.#type !== BYTES) throw UNUSUAL;
    const length = this.#varint();
    const end = this.at + length;
    if (end > this.wire.length) throw UNUSUAL;
    return end;
  }

  skip(): void {
    if (this.#type === BYTES) this.at = this.enter();
    else if (this.#type === FIXED32) this.at += 4;
    else if (this.#type === FIXED64) this.at += 8;
    else if (this.#type === VARINT) {
      while (this.wire[this.at++]! >= 0x80);
    } else throw UNUSUAL;
    if (this.at > this.wire.length) throw UNUSUAL;
  }

  float(): number {
    if (this.#type !== FIXED32 || this.at + 4 > this.wire.length) throw UNUSUAL;
    for (let index = 0; index < 4; index++) floatBytes[index] = this.wire[this.at++]!;
    return floats[0]!;
  }

  uint31(): number {
    if (this.#type !== VARINT) throw UNUSUAL;
    return this.#varint();
  }

  /** Steps over a text that JSON takes as it stands; returns where it ends. */
  plainText(): number {
    const end = this.enter();
    this.textStart = this.at;
    for (let at = this.at; at < end; at++) {
      const byte = this.wire[at]!;
      if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) throw UNUSUAL;
    }
    this.at = end;
    return end;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.wire[this.at++];
      if (byte === undefined) throw UNUSUAL;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.wire[this.at++];
    if (last === undefined || last > MAX_INT31 >>> 28) throw UNUSUAL;
    return value | (last << 28);
  }
}
