/**
 * JSON as jsoncpp sees it: the library behind the server this facade stands in for. Whole numbers and reals are two
 * kinds, which decides what is printed and what an error says.
 */
export type Value = null | boolean | string | Int | Real | readonly Value[] | Members;

/** The members of an object, in the order of their names, as jsoncpp keeps them. */
export type Members = ReadonlyMap<string, Value>;

/** A number that was written without fraction and exponent and fits 64 bits. */
export class Int {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** Any other number. */
export class Real {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Byte order of UTF-8, which is the order of code points. */
export function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A real as jsoncpp prints it: 17 digits at most, and always recognisable as a real. */
export function printReal(value: number): string {
  const text = printDigits(value, 17);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** C's `%.<digits>g`. */
export function printDigits(value: number, digits: number): string {
  if (Object.is(value, -0)) return '-0';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const [mantissa = '', exponent = '0'] = value.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < digits) {
    const fixed = value.toFixed(Math.min(100, Math.max(0, digits - 1 - power)));
    return withoutZeros(fixed);
  }
  const sign = power < 0 ? '-' : '+';
  return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
