import type { KeyEntry } from '../keys.ts';

const INTEGER = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Why a key cannot have a value, as `takes ...`; undefined where it can. Numbers of files are 32 bits wide. */
export function keyProblem(entry: KeyEntry, value: string): string | undefined {
  const { type, oneOf, maxLength } = entry;
  if (type.endsWith(' list')) return listProblem(entry, value);
  switch (type) {
    case 'bool':
      return value === '0' || value === '1' ? undefined : 'takes 0 or 1';
    case 'int':
    case 'uint':
    case 'float':
      return numberProblem(entry, value);
    case 'path':
      return value === '' ? 'takes a path' : undefined;
    case 'string':
      if (oneOf !== undefined && !oneOf.includes(value)) return `takes one of ${oneOf.join(', ')}`;
      if (maxLength !== undefined && value.length > maxLength) {
        return `takes at most ${maxLength} characters`;
      }
      return undefined;
    default:
      return undefined;
  }
}

function numberProblem({ type, min, max, oneOf }: KeyEntry, value: string): string | undefined {
  const whole = type !== 'float' && type !== 'float list';
  const least = min ?? (type === 'uint' ? 0 : whole ? -2_147_483_648 : undefined);
  const most = max ?? (type === 'uint' ? 4_294_967_295 : whole ? 2_147_483_647 : undefined);
  const noun = whole ? 'a whole number' : 'a number';
  if (!(whole ? INTEGER : NUMBER).test(value)) return `takes ${noun}${bounds(min, max)}`;
  const number = Number(value);
  if (oneOf !== undefined) {
    return oneOf.includes(number) ? undefined : `takes one of ${oneOf.join(', ')}`;
  }
  const outside = (least !== undefined && number < least) || (most !== undefined && number > most);
  return outside ? `takes ${noun}${bounds(least, most)}` : undefined;
}

function bounds(min: number | undefined, max: number | undefined): string {
  if (min === undefined) return max === undefined ? '' : ` of at most ${max}`;
  return max === undefined ? ` of at least ${min}` : ` from ${min} to ${max}`;
}

/** Items of a list, as GLib splits it: an empty one behind the last separator does not count. */
export function listItems(value: string): string[] {
  const items = value.split(';').map((item) => item.trim());
  if (items.at(-1) === '') items.pop();
  return items;
}

function listProblem(entry: KeyEntry, value: string): string | undefined {
  const items = listItems(value);
  if (items.length === 0) return 'takes a list and is empty';
  if (entry.type !== 'string list') {
    const wrong = items.find((item) => numberProblem(entry, item) !== undefined);
    if (wrong !== undefined) {
      const separator = /[:,]/.test(wrong) ? '; its separator is ";"' : '';
      const each = numberProblem(entry, wrong)?.replace('takes', 'takes a list, each item');
      return `${each}, not ${JSON.stringify(wrong.slice(0, 40))}${separator}`;
    }
  }
  return countProblem(entry, items.length);
}

function countProblem({ count, points }: KeyEntry, found: number): string | undefined {
  if (points !== undefined && found % 2 !== 0) {
    return `takes pairs x;y, and has ${found} numbers`;
  }
  const [limits, have, noun] =
    points === undefined ? [count, found, 'items'] : [points, found / 2, 'points'];
  if (limits === undefined) return undefined;
  const [least, most] = limits;
  if (have >= least && (most === null || have <= most)) return undefined;
  const wanted =
    most === null ? `at least ${least}` : least === most ? least : `${least} to ${most}`;
  return `takes ${wanted} ${noun}, and has ${have}`;
}
