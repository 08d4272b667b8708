import type { Answer, Seen, ServiceLimits } from './limits.ts';

/** The body of an error in the JSON protocol 1.1. */
export function jsonError(
  code: string,
  status = 400,
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    body: JSON.stringify({ __type: code, message: code }),
    headers: { 'content-type': 'application/x-amz-json-1.1', ...headers },
  };
}

type Fields = Readonly<Record<string, unknown>>;

export interface EntryRules {
  readonly action: string;
  /** Of the entries in the request, and of their fates in the answer. */
  readonly list: string;
  readonly fates: string;
  readonly failed: string;
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** As the service counts it. */
  readonly bytesOf: (entry: Fields) => number;
  /** Why the whole request is refused for an entry, or that entry alone with `isOwn`. */
  readonly problemOf: (
    entry: Fields,
  ) => { readonly code: string; readonly isOwn?: boolean } | undefined;
  /** What names an entry in a test: its data as text. */
  readonly textOf: (entry: Fields) => string;
}

/**
 * Requests of many entries, each with a fate of its own: refuses what the service refuses, and fails the entries that a test
 * names. Those alone do not reach the emulator; their fates are put into its answer.
 */
export class EntryLimits implements ServiceLimits {
  readonly #rules: EntryRules;
  readonly #codes = new WeakMap<Buffer, (string | undefined)[]>();
  /** The error of an entry by its text; undefined: none. */
  failing: (text: string) => string | undefined = () => undefined;

  constructor(rules: EntryRules) {
    this.#rules = rules;
  }

  refuse(seen: Seen): Answer | undefined {
    const { action, maxEntries, maxBytes, bytesOf, problemOf } = this.#rules;
    if (seen.action !== action) return undefined;
    const entries = this.entriesOf(seen);
    let bytes = 0;
    for (const entry of entries) {
      const problem = problemOf(entry);
      if (problem !== undefined && problem.isOwn !== true) return jsonError(problem.code);
      bytes += bytesOf(entry);
    }
    const isTooMuch = entries.length === 0 || entries.length > maxEntries || bytes > maxBytes;
    if (isTooMuch) return jsonError('ValidationException');
    return undefined;
  }

  onward(seen: Seen): Buffer {
    if (seen.action !== this.#rules.action) return seen.body;
    const body = JSON.parse(seen.body.toString()) as Record<string, unknown>;
    const codes = this.#codesOf(seen);
    const open = this.entriesOf(seen).filter((_, at) => codes[at] === undefined);
    return Buffer.from(JSON.stringify({ ...body, [this.#rules.list]: open }));
  }

  /** The answer as the service would have given it to all entries. */
  rewrite(seen: Seen, answer: Buffer): Buffer {
    if (seen.action !== this.#rules.action) return answer;
    const { fates, failed } = this.#rules;
    const said = JSON.parse(answer.toString()) as Record<string, unknown>;
    const taken = [...((said[fates] ?? []) as unknown[])];
    let failures = 0;
    const all = this.#codesOf(seen).map((code) => {
      if (code === undefined) return taken.shift();
      failures++;
      return { ErrorCode: code, ErrorMessage: code };
    });
    return Buffer.from(JSON.stringify({ ...said, [fates]: all, [failed]: failures }));
  }

  entriesOf(seen: Seen): Fields[] {
    return (JSON.parse(seen.body.toString()) as Record<string, Fields[]>)[this.#rules.list] ?? [];
  }

  /** Decided once a request. */
  #codesOf(seen: Seen): (string | undefined)[] {
    const kept = this.#codes.get(seen.body);
    if (kept !== undefined) return kept;
    const codes = this.entriesOf(seen).map(
      (entry) => this.#rules.problemOf(entry)?.code ?? this.failing(this.#rules.textOf(entry)),
    );
    this.#codes.set(seen.body, codes);
    return codes;
  }
}

/** Bytes of base64. */
export function dataOf(entry: Fields): Buffer {
  return Buffer.from(String(entry['Data'] ?? ''), 'base64');
}
