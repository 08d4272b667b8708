/**
 * Reads protobuf's text format: fields `name: value`, messages `name { ... }` (also with `:` or `<...>`), lists
 * `[a, b]`, joined strings, comments. Extensions and Any are not read.
 */
export interface ProtoMessage {
  readonly fields: readonly ProtoEntry[];
}

export interface ProtoEntry {
  readonly name: string;
  readonly line: number;
  readonly value: ProtoValue;
}

export type ProtoValue =
  | { readonly kind: 'message'; readonly message: ProtoMessage }
  | { readonly kind: 'string'; readonly text: string }
  /** A number, a boolean or the name of an enum's value. */
  | { readonly kind: 'word'; readonly text: string };

export class ProtoSyntaxError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

interface Token {
  readonly text: string;
  readonly line: number;
  readonly string?: string;
}

/** Deeper nesting is a mistake or an attack on the recursion. */
const MAX_DEPTH = 32;
const TOKEN =
  /[ \t\r,;]+|#[^\n]*|(\n)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([{}<>[\]:])|([A-Za-z0-9_.+-]+)|(.)/gy;

/** @throws ProtoSyntaxError */
export function parseTextProto(text: string): ProtoMessage {
  const reader = new Reader(tokenize(text));
  const message = reader.message(undefined, 0);
  return message;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const [, newline, quoted, mark, word, other] of text.matchAll(TOKEN)) {
    if (newline !== undefined) line++;
    else if (quoted !== undefined) tokens.push({ text: quoted, line, string: unquote(quoted) });
    else if (other !== undefined) {
      throw new ProtoSyntaxError(line, `unexpected ${JSON.stringify(other)}`);
    } else if (mark !== undefined || word !== undefined) tokens.push({ text: mark ?? word!, line });
  }
  return tokens;
}

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Fields up to the closing mark, or to the end of the text. */
  message(closing: string | undefined, depth: number): ProtoMessage {
    if (depth > MAX_DEPTH) this.#fail(`is nested more than ${MAX_DEPTH} levels deep`);
    const fields: ProtoEntry[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined) {
        if (closing === undefined) return { fields };
        this.#fail(`"${closing}" is missing at the end`);
      }
      this.#at++;
      if (token.text === closing) return { fields };
      if (!/^[A-Za-z_]\w*$/.test(token.text))
        this.#fail(`expected a field, not ${token.text}`, token);
      this.#field(token, fields, depth);
    }
  }

  #field({ text: name, line }: Token, fields: ProtoEntry[], depth: number): void {
    const colon = this.#tokens[this.#at]?.text === ':';
    if (colon) this.#at++;
    const next = this.#next(`a value for "${name}"`);
    if (next.text === '[' && next.string === undefined) {
      while (this.#tokens[this.#at]?.text !== ']') {
        const item = this.#next(`"]" behind the list of "${name}"`);
        fields.push({ name, line: item.line, value: this.#value(item, true, depth) });
      }
      this.#at++;
      return;
    }
    fields.push({ name, line, value: this.#value(next, colon, depth) });
  }

  #value(token: Token, colon: boolean, depth: number): ProtoValue {
    const closing = token.string === undefined ? { '{': '}', '<': '>' }[token.text] : undefined;
    if (closing !== undefined)
      return { kind: 'message', message: this.message(closing, depth + 1) };
    if (!colon) this.#fail('":" is missing before the value', token);
    if (token.string !== undefined) {
      let text = token.string;
      for (let more = this.#tokens[this.#at]; more?.string !== undefined; ) {
        text += more.string;
        this.#at++;
        more = this.#tokens[this.#at];
      }
      return { kind: 'string', text };
    }
    if (/^[}>\]:[]$/.test(token.text)) this.#fail(`expected a value, not ${token.text}`, token);
    return { kind: 'word', text: token.text };
  }

  #next(wanted: string): Token {
    const token = this.#tokens[this.#at++];
    return token ?? this.#fail(`${wanted} is missing`);
  }

  #fail(message: string, token = this.#tokens.at(-1)): never {
    throw new ProtoSyntaxError(token?.line ?? 1, message);
  }
}
