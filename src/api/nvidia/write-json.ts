import { byName, printReal, Real } from './json-value.ts';

/** What an answer can hold. A number prints as a whole one; `Real` prints a real. */
export type Answer =
  | null
  | boolean
  | string
  | number
  | Real
  | readonly Answer[]
  | { readonly [name: string]: Answer };

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** As jsoncpp's StreamWriterBuilder writes it: tabs, members by name, ` : `, everything beyond ASCII escaped. */
export function writeJson(value: Answer): string {
  return write(value, '');
}

/** A nested object or list starts on a line of its own, behind the blank of the colon. */
function write(value: Answer, indent: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return String(Math.trunc(value));
  if (typeof value === 'string') return quote(value);
  if (value instanceof Real) return printReal(value.value);
  const inner = `${indent}\t`;
  if (Array.isArray(value)) {
    const items = (value as readonly Answer[]).map((item) => `${inner}${write(item, inner)}`);
    return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`;
  }
  const members = Object.entries(value as { readonly [name: string]: Answer }).sort(byName);
  if (members.length === 0) return '{}';
  const lines = members.map(([name, item]) => {
    const text = write(item, inner);
    const gap = text.startsWith('{\n') || text.startsWith('[\n') ? `\n${inner}` : '';
    return `${inner}${quote(name)} : ${gap}${text}`;
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function quote(text: string): string {
  let quoted = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const code = text.charCodeAt(at);
    quoted += ESCAPES[char] ?? (code < 0x20 || code > 0x7f ? escapeUnit(code) : char);
  }
  return `"${quoted}"`;
}

function escapeUnit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
