import { Int, type Members, printReal, Real, type Value } from './json-value.ts';

/** A value that cannot be read as asked. The message is the text that jsoncpp throws, byte for byte. */
export class ConversionError extends Error {}

const NO_OBJECT = 'in Json::Value::find(begin, end): requires objectValue or nullValue';
const NO_ARRAY = 'in Json::Value::operator[](ArrayIndex)const: requires arrayValue';
const UINT_MAX = 0xffff_ffff;
const INT_MAX = 0x7fff_ffff;
const INT_MIN = -0x8000_0000;

export function isMembers(value: Value): value is Members {
  return value instanceof Map;
}

/** The member, or undefined when there is none. Throws ConversionError for what has no members. */
export function find(value: Value, name: string): Value | undefined {
  if (value === null) return undefined;
  if (!isMembers(value)) throw new ConversionError(NO_OBJECT);
  return value.get(name);
}

/** The members of an object by name; none for a value that has none; an array throws, as its elements have no names. */
export function eachMember(value: Value): readonly (readonly [name: string, value: Value])[] {
  if (isMembers(value)) return [...value];
  if (Array.isArray(value) && value.length > 0) throw new ConversionError(NO_OBJECT);
  return [];
}

/** The elements as an index reaches them. Throws for an object that is not empty; a text has none. */
export function eachElement(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value as readonly Value[];
  if (isMembers(value) && value.size > 0) throw new ConversionError(NO_ARRAY);
  return [];
}

export function asString(value: Value | undefined, otherwise = ''): string {
  if (value === undefined) return otherwise;
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Int) return String(value.value);
  if (value instanceof Real) return printReal(value.value);
  throw new ConversionError('Type is not convertible to string');
}

export function asUInt(value: Value | undefined, otherwise = 0): number {
  return whole(value, otherwise, 'UInt', 0, UINT_MAX);
}

export function asInt(value: Value | undefined, otherwise = 0): number {
  return whole(value, otherwise, 'Int', INT_MIN, INT_MAX);
}

export function asBool(value: Value | undefined, otherwise = false): boolean {
  if (value === undefined) return otherwise;
  if (value === null) return false;
  if (typeof value === 'boolean') return value;
  if (value instanceof Int) return value.value !== 0n;
  if (value instanceof Real) return value.value !== 0;
  throw new ConversionError('Value is not convertible to bool.');
}

function whole(
  value: Value | undefined,
  otherwise: number,
  type: 'Int' | 'UInt',
  least: number,
  most: number,
): number {
  if (value === undefined) return otherwise;
  if (value === null) return 0;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Int) {
    if (value.value >= least && value.value <= most) return Number(value.value);
    // jsoncpp's reader keeps what fits a signed number as one.
    const kind = value.value >= 2n ** 63n ? 'UInt' : 'Int';
    throw new ConversionError(`Largest${kind} out of ${type} range`);
  }
  if (value instanceof Real) {
    if (value.value >= least && value.value <= most) return Math.trunc(value.value);
    throw new ConversionError(`double out of ${type} range`);
  }
  throw new ConversionError(`Value is not convertible to ${type}.`);
}

/** C++'s std::stoi: blanks, a sign, digits; what follows is not looked at. Throws ConversionError with its text. */
export function stoi(text: string): number {
  const [digits] = /^[ \t\n\v\f\r]*[+-]?\d+/.exec(text) ?? [];
  const value = digits === undefined ? Number.NaN : Number(digits);
  if (!(value >= INT_MIN && value <= INT_MAX)) throw new ConversionError('stoi');
  return value;
}
