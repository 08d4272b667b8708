import { type Caps, type CapsRange, type CapsStructure, type CapsValue, numberOf } from './caps.ts';

/** Two wide sets of structures would make a product nobody needs: the rest is dropped. */
const MAX_STRUCTURES = 64;
const known = new WeakMap<Caps, WeakMap<Caps, Caps>>();

/** What both allow. Structures of equal media type and equal (or any) memory meet; a missing field allows everything. */
export function intersectCaps(a: Caps, b: Caps): Caps {
  if (a.any) return b;
  if (b.any || a === b) return a;
  let row = known.get(a);
  if (row === undefined) {
    row = new WeakMap();
    known.set(a, row);
  }
  let result = row.get(b);
  if (result === undefined) {
    result = intersect(a, b);
    row.set(b, result);
  }
  return result;
}

export function isEmptyCaps(caps: Caps): boolean {
  return !caps.any && caps.structures.length === 0;
}

/** Everything any of them allows. */
export function unionCaps(all: readonly Caps[]): Caps {
  const [first, ...others] = [...new Set(all)];
  if (first === undefined) return { any: false, structures: [] };
  if (others.length === 0) return first;
  const any = all.find((caps) => caps.any);
  if (any !== undefined) return any;
  const structures = [...new Set(all.flatMap((caps) => caps.structures))];
  return { any: false, structures: structures.slice(0, MAX_STRUCTURES) };
}

/** The caps with only some of their fields: what an element that changes the others leaves as it was. */
export function keepFields(caps: Caps, names: readonly string[]): Caps {
  if (caps.any) return caps;
  const structures = caps.structures.map(({ media, features, fields }) => ({
    media,
    features,
    fields: new Map([...fields].filter(([name]) => names.includes(name))),
  }));
  return { any: false, structures };
}

function intersect(a: Caps, b: Caps): Caps {
  const structures: CapsStructure[] = [];
  for (const one of a.structures) {
    for (const other of b.structures) {
      const both = meet(one, other);
      if (both !== undefined && structures.length < MAX_STRUCTURES) structures.push(both);
    }
  }
  return { any: false, structures };
}

function meet(a: CapsStructure, b: CapsStructure): CapsStructure | undefined {
  if (a.media !== b.media) return undefined;
  if (a.features !== b.features && a.features !== '*' && b.features !== '*') return undefined;
  const fields = new Map(a.fields);
  for (const [name, value] of b.fields) {
    const other = fields.get(name);
    const both = other === undefined ? value : meetValues(other, value);
    if (both.items.size === 0 && both.ranges.length === 0) return undefined;
    fields.set(name, both);
  }
  return { media: a.media, features: a.features === '*' ? b.features : a.features, fields };
}

function meetValues(a: CapsValue, b: CapsValue): CapsValue {
  const items = new Set<string>();
  for (const item of a.items) if (b.items.has(item) || fits(item, b.ranges)) items.add(item);
  for (const item of b.items) if (fits(item, a.ranges)) items.add(item);
  const ranges = a.ranges.flatMap((one) =>
    b.ranges.flatMap((other) => {
      const low = Math.max(one.low, other.low);
      const high = Math.min(one.high, other.high);
      return one.kind === other.kind && low <= high ? [{ kind: one.kind, low, high }] : [];
    }),
  );
  return { items, ranges };
}

function fits(item: string, ranges: readonly CapsRange[]): boolean {
  const number = numberOf(item);
  if (number === undefined) return false;
  const { kind, value } = number;
  return ranges.some((range) => range.kind === kind && range.low <= value && value <= range.high);
}
