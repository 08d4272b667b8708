import { byName, Int, Real, type Value } from './json-value.ts';

/** Deeper nesting is refused; jsoncpp ends its process at 1000. */
const MAX_DEPTH = 200;
const SPACE = new Set([' ', '\t', '\n', '\r']);
const NUMBER = /-?\d+(\.\d*)?([eE][+-]?\d*)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '/': '/',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);

class Unreadable extends Error {}

/**
 * Reads what jsoncpp's default reader reads: JSON, also with comments, a comma behind the last item, and anything behind
 * the first value. Undefined for what it refuses.
 */
export function readJson(text: string): Value | undefined {
  try {
    return new Reader(text.startsWith('\ufeff') ? text.slice(1) : text).value(0);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) throw new Unreadable();
    this.#skip();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  /** Blanks and comments. */
  #skip(): void {
    for (;;) {
      while (SPACE.has(this.#text[this.#at] ?? '')) this.#at += 1;
      const two = this.#text.slice(this.#at, this.#at + 2);
      if (two === '//') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end < 0 ? this.#text.length : end + 1;
      } else if (two === '/*') {
        const end = this.#text.indexOf('*/', this.#at + 2);
        if (end < 0) throw new Unreadable();
        this.#at = end + 2;
      } else {
        return;
      }
    }
  }

  #take(expected: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== expected) return false;
    this.#at += 1;
    return true;
  }

  #object(depth: number): Value {
    this.#at += 1;
    const members = new Map<string, Value>();
    while (!this.#take('}')) {
      if (this.#text[this.#at] !== '"') throw new Unreadable();
      const name = this.#string();
      if (!this.#take(':')) throw new Unreadable();
      members.set(name, this.value(depth + 1));
      if (this.#take('}')) break;
      if (!this.#take(',')) throw new Unreadable();
    }
    return new Map([...members].sort(byName));
  }

  #array(depth: number): Value {
    this.#at += 1;
    const items: Value[] = [];
    while (!this.#take(']')) {
      items.push(this.value(depth + 1));
      if (this.#take(']')) break;
      if (!this.#take(',')) throw new Unreadable();
    }
    return items;
  }

  #string(): string {
    let text = '';
    for (this.#at += 1; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === undefined) throw new Unreadable();
      if (char === '"') break;
      text += char === '\\' ? this.#escape() : char;
    }
    this.#at += 1;
    return text;
  }

  #escape(): string {
    this.#at += 1;
    const char = this.#text[this.#at] ?? '';
    if (char !== 'u') {
      const plain = ESCAPES[char];
      if (plain === undefined) throw new Unreadable();
      return plain;
    }
    const digits = this.#text.slice(this.#at + 1, this.#at + 5);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) throw new Unreadable();
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): Value {
    NUMBER.lastIndex = this.#at;
    const [all, fraction, exponent] = NUMBER.exec(this.#text) ?? [];
    if (all === undefined) throw new Unreadable();
    this.#at += all.length;
    if (fraction === undefined && exponent === undefined) {
      const value = BigInt(all.replace(/^(-?)0+(?=\d)/, '$1').replace(/^-/, '')) * sign(all);
      if (value <= MAX_UINT64 && value >= MIN_INT64) return new Int(value);
    }
    const value = Number(all);
    if (Number.isNaN(value)) throw new Unreadable();
    return new Real(value);
  }
}

function sign(text: string): bigint {
  return text.startsWith('-') ? -1n : 1n;
}
