import { type ByteWriter, FixedText, NUMBER_BYTES } from './byte-writer.ts';
import { type FieldReader, UNUSUAL } from './field-reader.ts';

// Field numbers of proto/sightline/v1/frame.proto, and where their values are kept here.
const VERSION = 1;
const ID = 2;
const TIMESTAMP = 3;
const SENSOR_ID = 4;
const STREAM_ID = 100;
const SESSION = 101;
const FRAME_SEQUENCE = 102;
const PTS_NS = 103;
const CAPTURE_CLOCK = 104;
const FRAME_WIDTH = 105;
const FRAME_HEIGHT = 106;
const MODEL = 107;
const TRACKER = 108;
const IMAGE_REF = 109;
const LATENCY = 110;
const INFERRED = 111;
const FRAMES_SKIPPED = 112;
const RECORD_ID = 113;
const FIELDS = 114;
/** Fields 1 to 4 of the model and 1 to 5 of the latency follow those of the frame. */
const MODEL_FIELDS = FIELDS;
const LATENCY_FIELDS = FIELDS + 5;
const SLOTS = LATENCY_FIELDS + 6;

const TEXTS = new Set([VERSION, ID, SENSOR_ID, STREAM_ID, SESSION, TRACKER, IMAGE_REF, RECORD_ID]);
const NUMBERS = new Set([FRAME_SEQUENCE, PTS_NS, FRAMES_SKIPPED]);
const MAX_INT31 = 0x7fff_ffff;
const LIMITS: Readonly<Record<number, number>> = {
  [CAPTURE_CLOCK]: 3,
  [FRAME_WIDTH]: MAX_INT31,
  [FRAME_HEIGHT]: MAX_INT31,
  [INFERRED]: 1,
};
/** RFC 3339 ends with the year 9999. */
const MAX_SECONDS = 253_402_300_799;
const MAX_NANOS = 999_999_999;

const CLOCKS = [
  'CAPTURE_CLOCK_UNSPECIFIED',
  'CAPTURE_CLOCK_ARRIVAL',
  'CAPTURE_CLOCK_RTCP_SENDER_REPORT',
  'CAPTURE_CLOCK_MEDIA',
].map((name) => new FixedText(`","captureClock":"${name}","frameWidth":`));
const VERSION_KEY = new FixedText('{"version":"');
const ID_KEY = new FixedText('","id":"');
const SENSOR_KEY = new FixedText('","sensorId":"');
const OBJECTS_KEY = new FixedText('","objects":[');
const STREAM_KEY = new FixedText('],"streamId":"');
const SESSION_KEY = new FixedText('","session":"');
const SEQUENCE_KEY = new FixedText('","frameSequence":"');
const PTS_KEY = new FixedText('","ptsNs":"');
const HEIGHT_KEY = new FixedText(',"frameHeight":');
const INFERRED_KEYS = [false, true].map(
  (inferred) => new FixedText(`,"inferred":${inferred},"framesSkipped":"`),
);
const RECORD_KEY = new FixedText('","recordId":"');
const TIME_KEY = new FixedText(',"timestamp":"');
const TRACKER_KEY = new FixedText(',"tracker":"');
const IMAGE_KEY = new FixedText(',"imageRef":"');
const MODEL_KEYS = [
  ',"model":{"name":"',
  '","version":"',
  '","backend":"',
  '","executionProvider":"',
].map((text) => new FixedText(text));
const LATENCY_KEYS = [
  ',"latency":{"decodeNs":"',
  '","queueNs":"',
  '","inferNs":"',
  '","trackNs":"',
  '","totalNs":"',
].map((text) => new FixedText(text));
const QUOTE = new FixedText('"');
const ZULU = new FixedText('Z"');
const MEMBER_END = new FixedText('"}');
const END = new FixedText('}');
const POINT = 0x2e;

/** All keys and numbers there can be; texts come on top. */
const ROOM = 1024 + 16 * NUMBER_BYTES;

/**
 * The fields of a frame beside its objects: found on the wire, written as the JSON mapping has them. Throws UNUSUAL at
 * what it does not know: analytics, track records, fields of later versions, text that JSON escapes, numbers above 2^53.
 */
export class FrameHead {
  readonly #starts = new Int32Array(SLOTS);
  readonly #ends = new Int32Array(SLOTS);
  readonly #numbers = new Float64Array(SLOTS);
  #seconds = 0;
  #nanos = 0;
  #hasTimestamp = false;
  #hasModel = false;
  #hasLatency = false;
  /** The second that was printed last: most frames of a batch share a few. */
  #printedSeconds = Number.NaN;
  #printed = QUOTE;

  reset(): void {
    this.#starts.fill(0);
    this.#ends.fill(0);
    this.#numbers.fill(0);
    this.#seconds = 0;
    this.#nanos = 0;
    this.#hasTimestamp = false;
    this.#hasModel = false;
    this.#hasLatency = false;
  }

  /** Reads the field that `reader.next()` has come to. */
  take(reader: FieldReader): void {
    const { field } = reader;
    if (TEXTS.has(field)) this.#takeText(reader, field);
    else if (NUMBERS.has(field)) this.#numbers[field] = reader.uint53();
    else if (field in LIMITS) this.#numbers[field] = atMost(reader.uint53(), LIMITS[field]!);
    else if (field === TIMESTAMP && !this.#hasTimestamp) this.#takeTimestamp(reader);
    else if (field === MODEL && !this.#hasModel) this.#takeModel(reader);
    else if (field === LATENCY && !this.#hasLatency) this.#takeLatency(reader);
    else throw UNUSUAL;
  }

  /** Everything in front of the first object. */
  writeStart(writer: ByteWriter, wire: Uint8Array): void {
    writer.reserve(ROOM + wire.length);
    this.#text(writer, wire, VERSION_KEY, VERSION);
    this.#text(writer, wire, ID_KEY, ID);
    this.#text(writer, wire, SENSOR_KEY, SENSOR_ID);
    writer.fixed(OBJECTS_KEY);
  }

  /** Everything behind the last object. */
  writeEnd(writer: ByteWriter, wire: Uint8Array): void {
    const numbers = this.#numbers;
    writer.reserve(ROOM + wire.length);
    this.#text(writer, wire, STREAM_KEY, STREAM_ID);
    this.#text(writer, wire, SESSION_KEY, SESSION);
    this.#number(writer, SEQUENCE_KEY, FRAME_SEQUENCE);
    this.#number(writer, PTS_KEY, PTS_NS);
    this.#number(writer, CLOCKS[numbers[CAPTURE_CLOCK]!]!, FRAME_WIDTH);
    this.#number(writer, HEIGHT_KEY, FRAME_HEIGHT);
    this.#number(writer, INFERRED_KEYS[numbers[INFERRED]!]!, FRAMES_SKIPPED);
    this.#text(writer, wire, RECORD_KEY, RECORD_ID);
    writer.fixed(QUOTE);
    if (this.#hasTimestamp) this.#timestamp(writer);
    if (this.#hasModel) {
      for (const [index, key] of MODEL_KEYS.entries()) {
        this.#text(writer, wire, key, MODEL_FIELDS + 1 + index);
      }
      writer.fixed(MEMBER_END);
    }
    if (this.#ends[TRACKER]! > this.#starts[TRACKER]!) {
      this.#text(writer, wire, TRACKER_KEY, TRACKER);
      writer.fixed(QUOTE);
    }
    if (this.#ends[IMAGE_REF]! > this.#starts[IMAGE_REF]!) {
      this.#text(writer, wire, IMAGE_KEY, IMAGE_REF);
      writer.fixed(QUOTE);
    }
    if (this.#hasLatency) {
      for (const [index, key] of LATENCY_KEYS.entries()) {
        this.#number(writer, key, LATENCY_FIELDS + 1 + index);
      }
      writer.fixed(MEMBER_END);
    }
    writer.fixed(END);
  }

  #takeText(reader: FieldReader, slot: number): void {
    this.#ends[slot] = reader.plainText();
    this.#starts[slot] = reader.textStart;
  }

  #takeTimestamp(reader: FieldReader): void {
    this.#hasTimestamp = true;
    const end = reader.enter();
    while (reader.at < end) {
      const field = reader.next();
      if (field === 1) this.#seconds = atMost(reader.uint53(), MAX_SECONDS);
      else if (field === 2) this.#nanos = atMost(reader.uint53(), MAX_NANOS);
      else throw UNUSUAL;
    }
    if (reader.at !== end) throw UNUSUAL;
  }

  #takeModel(reader: FieldReader): void {
    this.#hasModel = true;
    const end = reader.enter();
    while (reader.at < end) {
      const field = reader.next();
      if (field < 1 || field > MODEL_KEYS.length) throw UNUSUAL;
      this.#takeText(reader, MODEL_FIELDS + field);
    }
    if (reader.at !== end) throw UNUSUAL;
  }

  #takeLatency(reader: FieldReader): void {
    this.#hasLatency = true;
    const end = reader.enter();
    while (reader.at < end) {
      const field = reader.next();
      if (field < 1 || field > LATENCY_KEYS.length) throw UNUSUAL;
      this.#numbers[LATENCY_FIELDS + field] = reader.uint53();
    }
    if (reader.at !== end) throw UNUSUAL;
  }

  #text(writer: ByteWriter, wire: Uint8Array, key: FixedText, slot: number): void {
    writer.fixed(key);
    writer.slice(wire, this.#starts[slot]!, this.#ends[slot]!);
  }

  #number(writer: ByteWriter, key: FixedText, slot: number): void {
    writer.fixed(key);
    writer.integer(this.#numbers[slot]!);
  }

  /** As `timestampToRfc3339`. */
  #timestamp(writer: ByteWriter): void {
    const nanos = this.#nanos;
    if (this.#seconds !== this.#printedSeconds) {
      this.#printedSeconds = this.#seconds;
      this.#printed = new FixedText(new Date(this.#seconds * 1000).toISOString().slice(0, 19));
    }
    writer.fixed(TIME_KEY);
    writer.fixed(this.#printed);
    if (nanos > 0) writer.byte(POINT);
    if (nanos % 1_000_000 === 0) {
      if (nanos > 0) writer.padded(nanos / 1_000_000, 3);
    } else if (nanos % 1000 === 0) writer.padded(nanos / 1000, 6);
    else writer.padded(nanos, 9);
    writer.fixed(ZULU);
  }
}

function atMost(value: number, limit: number): number {
  if (value > limit) throw UNUSUAL;
  return value;
}
