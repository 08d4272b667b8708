import { SightlineError } from '../common/errors.ts';

/** What routing and bookkeeping need of a frame, without decoding its objects. */
export interface FrameHeader {
  readonly streamId: string;
  readonly session: string;
  /** Whole and exact: a sequence above 2^53 - 1 is refused. */
  readonly frameSequence: number;
  readonly recordId: string;
  /** Capture time, ms since the Unix epoch; 0 when the message has none. */
  readonly timestampMs: number;
  readonly objectCount: number;
}

// Field numbers of proto/sightline/v1/frame.proto.
const TIMESTAMP = 3;
const OBJECTS = 5;
const STREAM_ID = 100;
const SESSION = 101;
const FRAME_SEQUENCE = 102;
const RECORD_ID = 113;
const TIMESTAMP_SECONDS = 1;
const TIMESTAMP_NANOS = 2;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * Reads the header fields of a sightline.v1.Frame straight from its bytes, skipping everything else: about a tenth of
 * the cost of decoding.
 * @throws SightlineError `SL_INTERNAL` when the bytes are cut off or no such message.
 */
export function readFrameHeader(bytes: Uint8Array): FrameHeader {
  const reader = new WireReader(bytes);
  let streamId = '';
  let session = '';
  let frameSequence = 0;
  let recordId = '';
  let timestampMs = 0;
  let objectCount = 0;
  while (!reader.atEnd) {
    switch (reader.nextField()) {
      case TIMESTAMP:
        timestampMs = reader.timestampMs();
        break;
      case OBJECTS:
        objectCount++;
        reader.skip();
        break;
      case STREAM_ID:
        streamId = reader.text();
        break;
      case SESSION:
        session = reader.text();
        break;
      case FRAME_SEQUENCE:
        frameSequence = reader.unsigned();
        break;
      case RECORD_ID:
        recordId = reader.text();
        break;
      default:
        reader.skip();
    }
  }
  return { streamId, session, frameSequence, recordId, timestampMs, objectCount };
}

/** Just enough of the protobuf wire format: one pass, no allocation but the texts. */
class WireReader {
  readonly #bytes: Buffer;
  #position = 0;
  #end: number;
  #wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  get atEnd(): boolean {
    return this.#position === this.#end;
  }

  nextField(): number {
    const tag = this.#varint();
    this.#wireType = tag & 7;
    return tag < 0x8000_0000 ? tag >> 3 : Math.floor(tag / 8);
  }

  text(): string {
    const end = this.#enterBytes();
    const value = this.#bytes.toString('utf8', this.#position, end);
    this.#position = end;
    return value;
  }

  unsigned(): number {
    this.#expect(VARINT);
    const value = this.#varint();
    if (value > Number.MAX_SAFE_INTEGER) throw this.#broken('a number above 2^53 - 1');
    return value;
  }

  timestampMs(): number {
    const outerEnd = this.#end;
    this.#end = this.#enterBytes();
    let seconds = 0;
    let nanos = 0;
    while (!this.atEnd) {
      const field = this.nextField();
      if (field === TIMESTAMP_SECONDS && this.#wireType === VARINT) seconds = this.#signedVarint();
      else if (field === TIMESTAMP_NANOS && this.#wireType === VARINT) nanos = this.#varint();
      else this.skip();
    }
    this.#end = outerEnd;
    return seconds * 1000 + Math.floor(nanos / 1e6);
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#varint();
    else if (this.#wireType === BYTES) this.#position = this.#enterBytes();
    else if (this.#wireType === FIXED64) this.#advance(8);
    else if (this.#wireType === FIXED32) this.#advance(4);
    else throw this.#broken(`wire type ${this.#wireType}`);
  }

  #advance(count: number): void {
    if (this.#position + count > this.#end) throw this.#broken('a field that is cut off');
    this.#position += count;
  }

  /** Reads the length of a length-delimited field and returns where it ends. */
  #enterBytes(): number {
    this.#expect(BYTES);
    const length = this.#varint();
    if (length > this.#end - this.#position) throw this.#broken('a field that is cut off');
    return this.#position + length;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw this.#broken(`wire type ${this.#wireType}`);
  }

  #varint(): number {
    const bytes = this.#bytes;
    const position = this.#position;
    if (position + 1 < this.#end) {
      // Nearly all tags and lengths have one byte or two.
      const first = bytes[position]!;
      this.#position = position + 1;
      if (first < 0x80) return first;
      const second = bytes[position + 1]!;
      this.#position = position + 2;
      if (second < 0x80) return (first & 0x7f) | (second << 7);
      this.#position = position;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.#position >= this.#end) throw this.#broken('a field that is cut off');
      const byte = this.#bytes[this.#position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw this.#broken('a varint of more than 10 bytes');
  }

  /** Two's complement in 64 bits: exact for every time a Timestamp may hold. */
  #signedVarint(): number {
    const start = this.#position;
    const value = this.#varint();
    if (value < 2 ** 63) return value;
    this.#position = start;
    return this.#negativeVarint();
  }

  #negativeVarint(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#position++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  }

  #broken(what: string): SightlineError {
    return new SightlineError(
      'SL_INTERNAL',
      `Cannot read ${this.#bytes.length} bytes as a sightline.v1.Frame: ${what} at byte ${this.#position}`,
    );
  }
}
