import { didYouMean } from '../../common/near.ts';
import type { PropertyValue } from '../graph.ts';
import { parseCaps } from './caps.ts';
import type { PropertyEntry } from './catalogue.ts';

/** Why a value is not one the property takes, as `takes ...`; undefined where it is. The addon is as strict. */
export function valueProblem(property: PropertyEntry, value: PropertyValue): string | undefined {
  switch (property.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'takes true or false';
    case 'float':
    case 'double':
      return numberProblem(property, value, 'a number');
    case 'string':
      if (typeof value !== 'string') return 'takes text';
      return value.includes('\0') ? 'takes text without a zero byte' : undefined;
    case 'enum':
      return enumProblem(property, value);
    case 'flags':
      return flagsProblem(property, value);
    case 'caps':
      if (typeof value === 'string' && parseCaps(value) !== undefined) return undefined;
      return 'takes caps, such as "video/x-raw,format=RGB"';
    case 'fraction':
      if (typeof value === 'string' && /^\d+\/[1-9]\d*$/.test(value)) return undefined;
      return 'takes a fraction, such as "30/1"';
    case 'object':
      return 'takes no value a graph could hold';
    default:
      return integerProblem(property, value);
  }
}

function numberProblem(
  { min, max }: PropertyEntry,
  value: PropertyValue,
  noun: string,
): string | undefined {
  const takes = `takes ${noun}${range(min, max)}`;
  if (typeof value !== 'number' || !Number.isFinite(value)) return takes;
  const low = min !== undefined && value < Number(min);
  const high = max !== undefined && value > Number(max);
  return low || high ? takes : undefined;
}

function range(min: number | string | undefined, max: number | string | undefined): string {
  if (min === undefined && max === undefined) return '';
  if (max === undefined) return ` of at least ${min}`;
  return min === undefined ? ` of at most ${max}` : ` from ${min} to ${max}`;
}

/** Least and greatest integers of the types that list no bounds. */
const LIMITS: Readonly<Record<string, readonly [string, string]>> = {
  int: ['-2147483648', '2147483647'],
  uint: ['0', '4294967295'],
  long: ['-9223372036854775808', '9223372036854775807'],
  ulong: ['0', '18446744073709551615'],
  int64: ['-9223372036854775808', '9223372036854775807'],
  uint64: ['0', '18446744073709551615'],
};

function integerProblem(property: PropertyEntry, value: PropertyValue): string | undefined {
  const [least = '', greatest = ''] = LIMITS[property.type] ?? [];
  const { min = least, max = greatest } = property;
  const takes = `takes a whole number${range(min, max)}`;
  if (typeof value !== 'number' || !Number.isInteger(value)) return takes;
  const exact = BigInt(value);
  return exact < BigInt(min) || exact > BigInt(max) ? takes : undefined;
}

function enumProblem({ values }: PropertyEntry, value: PropertyValue): string | undefined {
  // The catalogue does not know this enum: only that a nick or a number is taken.
  if (values === undefined)
    return typeof value === 'boolean' ? 'takes a name or number' : undefined;
  const known = Object.entries(values);
  if (typeof value === 'string' && Object.hasOwn(values, value)) return undefined;
  if (known.some(([, number]) => number === value)) return undefined;
  const listed = known.map(([nick, number]) => `${nick} (${number})`).join(', ');
  const hint = typeof value === 'string' ? didYouMean(value, Object.keys(values)) : '';
  return `takes one of ${listed}${hint}`;
}

function flagsProblem({ values = {} }: PropertyEntry, value: PropertyValue): string | undefined {
  const listed = `takes any of ${Object.keys(values).join(', ')}, joined with "+"`;
  if (typeof value === 'string') {
    const unknown = value.split('+').find((nick) => !Object.hasOwn(values, nick));
    return unknown === undefined
      ? undefined
      : `${listed}${didYouMean(unknown, Object.keys(values))}`;
  }
  const mask = Object.values(values).reduce((all, bit) => all | bit, 0);
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= 0;
  return fits && value <= 0xffff_ffff && (value & ~mask) === 0 ? undefined : listed;
}
