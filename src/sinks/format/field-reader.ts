const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const MAX_INT31 = 0x7fff_ffff;

/** Thrown for whatever the fast way does not know. */
export const UNUSUAL = new Error('unusual');

/** Walks the fields of a protobuf message; throws UNUSUAL at anything it would have to think about. */
export class FieldReader {
  readonly wire: Uint8Array;
  readonly #view: DataView;
  at = 0;
  field = 0;
  /** Where the text begins that `plainText` ended. */
  textStart = 0;
  #type = 0;
  #buffer: Buffer | undefined;

  constructor(wire: Uint8Array) {
    this.wire = wire;
    this.#view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength);
  }

  /** Number of the next field, which is also in `field`. */
  next(): number {
    const tag = this.#varint();
    this.field = tag >>> 3;
    this.#type = tag & 7;
    return this.field;
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
    const { at } = this;
    if (this.#type !== FIXED32 || at + 4 > this.wire.length) throw UNUSUAL;
    this.at = at + 4;
    return this.#view.getFloat32(at, true);
  }

  uint31(): number {
    if (this.#type !== VARINT) throw UNUSUAL;
    return this.#varint();
  }

  /** A number up to 2^53 - 1. */
  uint53(): number {
    if (this.#type !== VARINT) throw UNUSUAL;
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.wire[this.at++];
      if (byte === undefined) throw UNUSUAL;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw UNUSUAL;
        return value;
      }
    }
    throw UNUSUAL;
  }

  /** Any text. */
  text(): string {
    const end = this.enter();
    const { buffer, byteOffset, byteLength } = this.wire;
    this.#buffer ??= Buffer.from(buffer, byteOffset, byteLength);
    const text = this.#buffer.toString('utf8', this.at, end);
    this.at = end;
    return text;
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
