import type { Caps, CapsStructure, CapsValue } from './caps.ts';

/** Fields that decide whether two elements understand each other; sizes and rates seldom do. */
const TOLD = ['format', 'stream-format', 'alignment', 'encoding-name', 'mpegversion', 'message'];
const MAX_ITEMS = 8;
const MAX_STRUCTURES = 4;

/** Caps as a reader wants them: media, memory and the fields that matter. */
export function describeCaps(caps: Caps): string {
  if (caps.any) return 'anything';
  const texts = [...new Set(caps.structures.map(describeStructure))];
  if (texts.length === 0) return 'nothing';
  const more = texts.length > MAX_STRUCTURES ? ' or others' : '';
  return `${texts.slice(0, MAX_STRUCTURES).join(' or ')}${more}`;
}

function describeStructure({ media, features, fields }: CapsStructure): string {
  const memory = features === '' ? '' : `(${features === '*' ? 'any memory' : features})`;
  const told = TOLD.flatMap((name) => {
    const value = fields.get(name);
    return value === undefined ? [] : [` ${name} ${describeValue(value)}`];
  });
  return `${media}${memory}${told.join(',')}`;
}

function describeValue({ items, ranges }: CapsValue): string {
  const texts = [
    ...[...items].map((item) => item.slice(2)),
    ...ranges.map(({ low, high }) => `${low} to ${high}`),
  ];
  const more = texts.length > MAX_ITEMS ? '|...' : '';
  return `${texts.slice(0, MAX_ITEMS).join('|')}${more}`;
}
