import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';

/** One key of nvinfer's file, as configs/deepstream/keys-9.1.json has it. */
export interface NvinferKey {
  readonly type: string;
  readonly default?: string | number;
  readonly min?: number;
  readonly max?: number;
  readonly oneOf?: readonly number[];
  readonly count?: readonly [number, number];
  readonly meaning: string;
}

const { files } = JSON.parse(
  readFileSync(join(ROOT, 'configs/deepstream/keys-9.1.json'), 'utf8'),
) as {
  files: { nvinfer: { groups: Record<string, Record<string, NvinferKey>> } };
};
export const PROPERTY_KEYS = files.nvinfer.groups['property']!;
export const CLASS_KEYS = files.nvinfer.groups['class-attrs-all']!;

type Value = number | string | readonly (number | string)[];
type Group = ReadonlyMap<string, Value>;

/**
 * Reads a configuration by the rules of nvinfer's own reader (GLib key file, groups, types, limits, and what one key
 * means for others), stricter where nvinfer would only print a warning: an unknown key or group is an error too, as is
 * a boolean that is not 0 or 1, which its YAML reader could not take.
 */
export function readAsNvinfer(text: string): { property: Group; classes: Map<string, Group> } {
  const groups = parseGroups(text);
  const property = groups.get('property');
  if (property === undefined) throw new Error('no group [property]');
  const values = readGroup('property', property, PROPERTY_KEYS);
  const type = values.get('network-type') ?? 0;
  const classes = new Map<string, Group>();
  for (const [name, entries] of groups) {
    if (name === 'property') continue;
    const id = /^class-attrs-(all|\d+)$/.exec(name)?.[1];
    if (id === undefined) throw new Error(`unknown group [${name}]`);
    if (type !== 0 && type !== 3) throw new Error(`[${name}] is not read for network-type ${type}`);
    if (id !== 'all' && Number(id) >= Number(values.get('num-detected-classes') ?? 0)) {
      throw new Error(`[${name}]: no such class`);
    }
    classes.set(id, readGroup(name, entries, CLASS_KEYS));
  }
  return { property: values, classes };
}

function parseGroups(text: string): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  let group: Map<string, string> | undefined;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const header = /^\[([^[\]]+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      if (groups.has(header)) throw new Error(`[${header}] twice`);
      group = new Map();
      groups.set(header, group);
      continue;
    }
    const [, key, raw] = /^([A-Za-z-]+)=(.*)$/.exec(line) ?? [];
    if (group === undefined || key === undefined) throw new Error(`not understood: ${line}`);
    if (group.has(key)) throw new Error(`${key} twice`);
    group.set(key, raw!);
  }
  return groups;
}

function readGroup(
  name: string,
  entries: ReadonlyMap<string, string>,
  known: Readonly<Record<string, NvinferKey>>,
): Group {
  const values = new Map<string, Value>();
  for (const [key, raw] of entries) {
    const rule = known[key];
    if (rule === undefined) throw new Error(`[${name}] ${key}: unknown key`);
    try {
      values.set(key, readValue(raw, rule));
    } catch (error) {
      throw new Error(`[${name}] ${key}=${raw}: ${(error as Error).message}`);
    }
  }
  return values;
}

function readValue(raw: string, rule: NvinferKey): Value {
  const item = rule.type.replace(' list', '');
  if (!rule.type.endsWith(' list')) return readScalar(raw, item, rule);
  const items = raw.replace(/;$/, '').split(';');
  const [least, most] = rule.count ?? [1, Number.POSITIVE_INFINITY];
  if (items.length < least || items.length > most) throw new Error(`${items.length} items`);
  return items.map((text) => readScalar(text, item, rule));
}

function readScalar(raw: string, type: string, rule: NvinferKey): number | string {
  if (type === 'string' || type === 'path') {
    if (raw === '') throw new Error('empty');
    return withoutEscapes(raw);
  }
  const pattern = type === 'float' ? /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i : /^[+-]?\d+$/;
  if (!pattern.test(raw)) throw new Error(`is no ${type}`);
  const value = Number(raw);
  if (type === 'bool' && value !== 0 && value !== 1) throw new Error('is neither 0 nor 1');
  const { oneOf, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = rule;
  if (oneOf !== undefined && !oneOf.includes(value)) throw new Error(`not one of ${oneOf}`);
  if (value < min || value > max) throw new Error('out of range');
  if (type === 'int' && Math.abs(value) > 2 ** 31 - 1) throw new Error('does not fit 32 bits');
  return value;
}

function withoutEscapes(raw: string): string {
  return raw.replace(/\\(.)/g, (_, char: string) => {
    const known: Record<string, string> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' };
    const found = known[char];
    if (found === undefined) throw new Error(`escape \\${char}`);
    return found;
  });
}
