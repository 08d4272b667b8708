import { float32ToJson } from '../metadata/float32.ts';

const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];
const ZERO = 48;
const MINUS = 45;
const POINT = 46;
/** No number is longer than this. */
export const NUMBER_BYTES = 32;
/** Above it integer arithmetic leaves 32 bits. */
const MAX_SCALED = 0x7fff_ffff;

/** Text as UTF-8 in one growing buffer, numbers written digit by digit: strings would cost most of the time. */
export class ByteWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(16 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** What was written so far, as a copy. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  text(text: string): void {
    this.reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Makes room: `byte`, `slice`, `integer` and `float32` (at most 32 bytes each) do not look. */
  reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
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

  /** An integer from 0 to 2^31 - 1. */
  integer(value: number): void {
    this.#digits(value, digitsOf(value));
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

  #decimal(scaled: number, decimals: number): void {
    const power = POWERS[decimals]!;
    const whole = Math.floor(scaled / power);
    let fraction = scaled - whole * power;
    this.#digits(whole, digitsOf(whole));
    if (fraction === 0) return;
    let count = decimals;
    while (fraction % 10 === 0) {
      fraction /= 10;
      count--;
    }
    this.#bytes[this.#length++] = POINT;
    this.#digits(fraction, count);
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

function digitsOf(value: number): number {
  let digits = 1;
  while (digits < POWERS.length && value >= POWERS[digits]!) digits++;
  return digits;
}
