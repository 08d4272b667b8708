/**
 * Caps as GStreamer writes them, as far as graphs need it: structures with memory features, and fields that are single
 * values, lists `{a,b}` or ranges `[low,high]` of integers, fractions or floats. Arrays `<...>` and the step of a range
 * are compared as text. Types in parentheses are read, and else guessed in GStreamer's order.
 */
export interface Caps {
  readonly any: boolean;
  readonly structures: readonly CapsStructure[];
}

export interface CapsStructure {
  /** Media type, such as `video/x-raw`. */
  readonly media: string;
  /** Sorted and joined; '' is system memory, '*' any. */
  readonly features: string;
  readonly fields: ReadonlyMap<string, CapsValue>;
}

/** A value fits when it is one of `items` or lies in one of `ranges`. */
export interface CapsValue {
  readonly items: ReadonlySet<string>;
  readonly ranges: readonly CapsRange[];
}

export interface CapsRange {
  /** Kind of number: a fraction is never an integer. */
  readonly kind: 'i' | 'f' | 'd';
  readonly low: number;
  readonly high: number;
}

const ANY: Caps = { any: true, structures: [] };
const SYSTEM_MEMORY = 'memory:SystemMemory';
const parsed = new Map<string, Caps | undefined>();
/** Texts of a catalogue repeat; those of specs do not, and a long-lived process must not keep them all. */
const MAX_KEPT = 2000;

/** The caps of a text; undefined where it is none. */
export function parseCaps(text: string): Caps | undefined {
  if (!parsed.has(text)) {
    if (parsed.size >= MAX_KEPT) parsed.clear();
    parsed.set(text, parse(text));
  }
  return parsed.get(text);
}

function parse(text: string): Caps | undefined {
  const trimmed = text.trim().replace(/;\s*$/, '');
  if (trimmed === 'ANY') return ANY;
  if (trimmed === 'EMPTY' || trimmed === 'NONE') return { any: false, structures: [] };
  const structures = split(trimmed, ';').map(parseStructure);
  const sound = structures.filter((structure) => structure !== undefined);
  return sound.length === structures.length ? { any: false, structures: sound } : undefined;
}

const HEAD = /^([A-Za-z][\w.+-]*\/[\w.+-]+)\s*(?:\(([^()]*)\))?$/;
const FIELD = /^([A-Za-z_][\w:/-]*)\s*=\s*(.+)$/s;

function parseStructure(text: string): CapsStructure | undefined {
  const [head = '', ...rest] = split(text, ',').map((part) => part.trim());
  const match = HEAD.exec(head);
  if (match === null) return undefined;
  const fields = new Map<string, CapsValue>();
  for (const part of rest) {
    const field = FIELD.exec(part);
    const value = field === null ? undefined : parseValue(field[2]!.trim());
    if (value === undefined) return undefined;
    fields.set(field![1]!, value);
  }
  return { media: match[1]!, features: featuresOf(match[2]), fields };
}

function featuresOf(text: string | undefined): string {
  if (text === undefined) return '';
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('ANY')) return '*';
  return names
    .filter((name) => name !== SYSTEM_MEMORY)
    .sort()
    .join(',');
}

const TYPED = /^\(\s*([A-Za-z0-9_]+)\s*\)\s*(.+)$/s;

function parseValue(text: string, inherited = ''): CapsValue | undefined {
  const typed = TYPED.exec(text);
  const type = typed?.[1] ?? inherited;
  const body = (typed?.[2] ?? text).trim();
  if (body.startsWith('{')) return parseList(body, type);
  if (body.startsWith('[')) return parseRange(body, type);
  const item = scalar(body, type);
  return item === undefined ? undefined : { items: new Set([item]), ranges: [] };
}

function parseList(body: string, type: string): CapsValue | undefined {
  if (!body.endsWith('}')) return undefined;
  const items = new Set<string>();
  const ranges: CapsRange[] = [];
  for (const part of split(body.slice(1, -1), ',')) {
    const text = part.trim();
    // A list in a list says nothing more, and any depth of them could be written.
    const value = text.includes('{') ? undefined : parseValue(text, type);
    if (value === undefined) return undefined;
    for (const item of value.items) items.add(item);
    ranges.push(...value.ranges);
  }
  return { items, ranges };
}

function parseRange(body: string, type: string): CapsValue | undefined {
  const [low, high] = body.endsWith(']') ? split(body.slice(1, -1), ',') : [];
  const from = low === undefined ? undefined : numberOf(scalar(low.trim(), type));
  const to = high === undefined ? undefined : numberOf(scalar(high.trim(), type));
  if (from === undefined || to === undefined || from.kind !== to.kind) return undefined;
  return { items: new Set(), ranges: [{ kind: from.kind, low: from.value, high: to.value }] };
}

/** A single value with its kind before it: `i:5`, `f:30/1`, `d:0.5`, `b:true`, `s:NV12`. */
function scalar(text: string, type: string): string | undefined {
  if (text === '') return undefined;
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(text);
  if (quoted !== null) return `s:${quoted[1]!.replaceAll(/\\(.)/g, '$1')}`;
  if (/^(string|s)$/.test(type)) return `s:${text}`;
  if (/^[+-]?(?:\d+|0x[0-9a-f]+)$/i.test(text)) return `i:${Number(text)}`;
  const fraction = /^([+-]?\d+)\/(\d+)$/.exec(text);
  if (fraction !== null) return reduced(Number(fraction[1]), Number(fraction[2]));
  if (/^[+-]?\d*\.?\d+(?:e[+-]?\d+)?$/i.test(text)) return `d:${Number(text)}`;
  if (/^(true|yes|false|no)$/i.test(text)) return `b:${/^(true|yes)$/i.test(text)}`;
  return /["{}[\]();=]/.test(text) ? undefined : `s:${text}`;
}

function reduced(top: number, bottom: number): string | undefined {
  if (bottom === 0) return undefined;
  const divisor = gcd(Math.abs(top), bottom) || 1;
  return `f:${top / divisor}/${bottom / divisor}`;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** The number a single value is, or undefined. */
export function numberOf(
  item: string | undefined,
): { kind: CapsRange['kind']; value: number } | undefined {
  const kind = item?.[0];
  if (item === undefined || (kind !== 'i' && kind !== 'f' && kind !== 'd')) return undefined;
  const [top, bottom = '1'] = item.slice(2).split('/');
  return { kind, value: Number(top) / Number(bottom) };
}

/** Splits at a character that stands outside of brackets and quotes. */
function split(text: string, at: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\') i++;
    else if (char === '"') quoted = !quoted;
    else if (quoted) continue;
    else if ('{[(<'.includes(char)) depth++;
    else if ('}])>'.includes(char)) depth--;
    else if (char === at && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
