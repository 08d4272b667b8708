import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type YAMLError,
  type Document as YamlDocument,
} from 'yaml';
import type { ValueProblem } from './check.ts';
import type { Problem } from './errors.ts';

/** A parsed text: its plain value, its syntax problems, and where each part stands. */
export interface ParsedText {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Line and column (from 1) of the value, or the key, at a pointer; of the nearest part above it that exists. */
  locate(pointer: string, at?: ValueProblem['at']): { line: number; column: number };
}

/** Documents nest a handful of levels; deeper ones are an attack on the recursive composer. */
const MAX_DEPTH = 64;
/** Uses of an anchor's content, counted through nested anchors, before the text is refused. */
const MAX_ALIASES = 100;
const START = { line: 1, column: 1 };

/**
 * Parses YAML 1.2 (of which JSON is a part) with the core schema: no custom tags, no merge keys, no directives,
 * one document, each key once. Never throws.
 */
export function parseText(text: string): ParsedText {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = findTooDeep(tokens);
  if (tooDeep !== undefined) {
    return failed(position(lines, tooDeep), `is nested more than ${MAX_DEPTH} levels deep`);
  }
  const composer = new Composer({
    lineCounter: lines,
    schema: 'core',
    version: '1.2',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const [document, second] = [...composer.compose(tokens, true, text.length)];
  if (document === undefined) return failed(START, 'is empty');
  if (second !== undefined) {
    return failed(
      position(lines, second.range[0]),
      'has a second document (---); only one is allowed',
    );
  }
  return read(document, lines);
}

function read(document: YamlDocument.Parsed, lines: LineCounter): ParsedText {
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    pointer: '',
    message: describe(error),
    ...position(lines, error.pos[0]),
  }));
  const yaml = document.directives.yaml;
  if (yaml.explicit === true && yaml.version !== '1.2') {
    problems.push({ pointer: '', message: `must be YAML 1.2, not ${yaml.version}`, ...START });
  }
  let value: unknown = null;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    problems.push({ pointer: '', message, ...START });
  }
  return {
    value,
    problems,
    locate: (pointer, at = 'value') => locateNode(document, lines, pointer, at),
  };
}

function describe(error: YAMLError): string {
  if (error.code === 'DUPLICATE_KEY') return 'the key is there twice';
  if (error.code === 'TAG_RESOLVE_FAILED') return `${error.message} (tags are not allowed)`;
  return error.message;
}

function failed(where: { line: number; column: number }, message: string): ParsedText {
  return { value: null, problems: [{ pointer: '', message, ...where }], locate: () => START };
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Offset of the first token nested too deeply. Walks with a list of its own: the call stack is what is at risk. */
function findTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) return 'offset' in token ? token.offset : 0;
    if (token.type === 'document' && token.value !== undefined) {
      open.push({ token: token.value, depth: depth + 1 });
    } else if ('items' in token) {
      for (const item of token.items) {
        if ('key' in item && item.key) open.push({ token: item.key, depth: depth + 1 });
        if ('value' in item && item.value) open.push({ token: item.value, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

function locateNode(
  document: YamlDocument.Parsed,
  lines: LineCounter,
  pointer: string,
  at: ValueProblem['at'],
): { line: number; column: number } {
  let node: unknown = document.contents;
  let offset = offsetOf(node) ?? 0;
  const steps = pointer.split('/').slice(1);
  for (const [index, step] of steps.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const child = childOf(node, key);
    if (child === undefined) break;
    node = child.value;
    const keyWanted = at === 'key' && index === steps.length - 1;
    const found = keyWanted ? offsetOf(child.key) : offsetOf(node);
    offset = found ?? offsetOf(child.key) ?? offset;
  }
  return position(lines, offset);
}

function childOf(node: unknown, key: string): { key: unknown; value: unknown } | undefined {
  if (isMap(node)) {
    return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  }
  if (isSeq(node)) {
    const value = node.items[Number(key)];
    return value === undefined ? undefined : { key: value, value };
  }
  return undefined;
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
