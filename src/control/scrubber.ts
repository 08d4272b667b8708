import type { Graph, GraphNode } from '../pipeline/graph.ts';

/** What stands in place of a secret. */
export const MASK = '***';
/** Shorter values would mask ordinary words; credentials of a URL are masked by their place, whatever their length. */
const MIN_SECRET_LENGTH = 4;
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/'"<>]+@/gi;
/** Some cameras take them as parameters, in the query or even in the path. */
const PARAMETERS =
  /\b((?:user_?)?(?:password|passwd|pwd|pass|token|secret|api_?key|auth|signature)=)[^&;\s/?#'"<>]+/gi;

/** The text without what stands where credentials stand in URLs. */
export function redactText(text: string): string {
  return text.replace(URL_CREDENTIALS, `$1${MASK}@`).replace(PARAMETERS, `$1${MASK}`);
}

/**
 * Takes secrets out of text that others wrote (GStreamer's messages, a worker's log lines): known values of the graphs
 * wherever they stand, and the credentials of any URL.
 */
export class Scrubber {
  #secrets: readonly string[] = [];

  constructor(secrets: Iterable<string> = []) {
    this.learn(secrets);
  }

  /** Takes these out too, from now on. */
  learn(secrets: Iterable<string>): void {
    // Longest first, so that a secret that contains another one leaves nothing behind.
    this.#secrets = [...new Set([...this.#secrets, ...[...secrets].flatMap(spellings)])]
      .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
      .sort((a, b) => b.length - a.length);
  }

  text(value: string): string {
    let result = redactText(value);
    for (const secret of this.#secrets) result = result.replaceAll(secret, MASK);
    return result;
  }

  /** The same for every string inside a JSON value. */
  json(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.json(item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.text(key), this.json(item)]),
    );
  }
}

/** Every secret the graphs hold: properties named as such, and the passwords of URLs. */
export function secretsOfGraphs(graphs: readonly Graph[]): ReadonlySet<string> {
  const secrets = new Set<string>();
  for (const node of graphs.flatMap(allNodes)) {
    for (const [name, value] of Object.entries(node.properties)) {
      if (node.secret?.includes(name)) secrets.add(String(value));
      const password = passwordOf(String(value));
      if (password !== undefined) secrets.add(password);
    }
  }
  return secrets;
}

/** The password in a URL, as written there. */
export function passwordOf(text: string): string | undefined {
  if (!text.includes('://') || !URL.canParse(text)) return undefined;
  const { password } = new URL(text);
  return password === '' ? undefined : password;
}

/** As given, percent-encoded and decoded, and as a string literal: libraries print each of them. */
function spellings(secret: string): string[] {
  const plain = [secret, decoded(secret)];
  const encoded = [...plain, ...plain.map(encodeURIComponent)].flatMap((text) => [
    text,
    text.replace(/%[0-9a-f]{2}/gi, (code) => code.toLowerCase()),
    text.replace(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase()),
  ]);
  return encoded.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function allNodes(graph: Graph): readonly GraphNode[] {
  const chains = graph.choices.flatMap((choice) => choice.alternatives.map((a) => a.chain));
  return [...graph.nodes, ...chains.flat()];
}
