import { float32ToJson } from '../../metadata/float32.ts';
import { varintBytes, writeDelimited } from './length-delimited.ts';

const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];
const ZERO = 48;
const MINUS = 45;
const POINT = 46;
/** No number is longer than this. */
export const NUMBER_BYTES = 32;
const WORD_BYTES = 4;
const BILLION = 1e9;
/** Above it integer arithmetic leaves 32 bits. */
const MAX_SCALED = 0x7fff_ffff;

/** A text that is written often: four bytes at a time. */
export class FixedText {
  readonly byteLength: number;
  /** Little-endian, the last one filled up with zeros. */
  readonly words: Int32Array;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.byteLength = bytes.length;
    this.words = new Int32Array(Math.ceil(bytes.length / 4));
    for (let at = 0; at < bytes.length; at++) this.words[at >>> 2]! |= bytes[at]! << (8 * (at & 3));
  }
}

/** Text as UTF-8 in one growing buffer, numbers written digit by digit: strings would cost most of the time. */
export class ByteWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(16 * 1024);
  #view = viewOf(this.#bytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory it holds. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Takes back what was written beyond `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What was written so far: a view that the next write may change. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  text(text: string): void {
    this.reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** A message after its length as a varint. */
  delimited(message: Uint8Array): void {
    this.reserve(varintBytes(message.byteLength) + message.byteLength);
    this.#length = writeDelimited(this.#bytes, this.#length, message);
  }

  /**
   * Makes room for so many bytes and a few more: `byte`, `slice`, `fixed`, `integer` and `float32` (the last two at most
   * 32 bytes each) do not look.
   */
  reserve(bytes: number): void {
    const needed = this.#length + bytes + WORD_BYTES;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }

  /** One character of ASCII. */
  byte(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  /** Bytes [start, end) of `source`. */
  slice(source: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let from = start; from < end; from++) bytes[at++] = source[from]!;
    this.#length = at;
  }

  fixed({ words, byteLength }: FixedText): void {
    const view = this.#view;
    let at = this.#length;
    for (let index = 0; index < words.length; index++, at += WORD_BYTES) {
      view.setInt32(at, words[index]!, true);
    }
    this.#length += byteLength;
  }

  /** An integer from 0 to 2^53 - 1. */
  integer(value: number): void {
    if (value < BILLION) {
      this.#digits(value, digitsOf(value));
      return;
    }
    const billions = Math.floor(value / BILLION);
    this.#digits(billions, digitsOf(billions));
    this.#digits(value - billions * BILLION, 9);
  }

  /** An integer below 2^31 with so many digits, zeros in front. */
  padded(value: number, digits: number): void {
    this.#digits(value, digits);
  }

  /** A 32-bit float as JSON, the same text as `JSON.stringify(float32ToJson(value))`. */
  float32(value: number): void {
    const magnitude = Math.abs(value);
    if (magnitude >= 1e-3 && magnitude < 1e7 && this.#shortFloat(value)) return;
    this.text(JSON.stringify(float32ToJson(value)));
  }

  /** The fewest decimals that read back as the same float; false when they do not fit 32 bits. */
  #shortFloat(value: number): boolean {
    const magnitude = Math.abs(value);
    let wholeDigits = 0;
    while (magnitude >= POWERS[wholeDigits]!) wholeDigits++;
    for (let decimals = Math.max(0, 6 - wholeDigits); decimals < POWERS.length; decimals++) {
      const power = POWERS[decimals]!;
      const scaled = Math.round(value * power);
      if (Math.fround(scaled / power) !== value) continue;
      if (scaled < -MAX_SCALED || scaled > MAX_SCALED) return false;
      if (scaled < 0) this.#bytes[this.#length++] = MINUS;
      this.#decimal(Math.abs(scaled), decimals);
      return true;
    }
    return false;
  }

  /** `scaled` / 10^`decimals` without zeros at the end. All in 32-bit integers, which V8 divides by multiplying. */
  #decimal(scaled: number, decimals: number): void {
    let rest = scaled | 0;
    let places = decimals | 0;
    while (places > 0) {
      const tenth = (rest / 10) | 0;
      if (tenth * 10 !== rest) break;
      rest = tenth;
      places--;
    }
    if (places === 0) {
      this.#digits(rest, digitsOf(rest));
      return;
    }
    const bytes = this.#bytes;
    const end = this.#length + Math.max(1, digitsOf(rest) - places) + 1 + places;
    let at = end;
    for (; places > 0; places--) {
      const next = (rest / 10) | 0;
      bytes[--at] = ZERO + rest - next * 10;
      rest = next;
    }
    bytes[--at] = POINT;
    while (at > this.#length) {
      const next = (rest / 10) | 0;
      bytes[--at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.#length = end;
  }

  /** `count` digits, zeros in front. */
  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    let rest = value | 0;
    const start = this.#length;
    for (let at = start + count - 1; at >= start; at--) {
      const next = (rest / 10) | 0;
      bytes[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.#length = start + count;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function digitsOf(value: number): number {
  let digits = 1;
  while (digits < POWERS.length && value >= POWERS[digits]!) digits++;
  return digits;
}
