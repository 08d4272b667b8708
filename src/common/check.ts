import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { type ErrorCode, type Problem, SightlineError } from './errors.ts';
import { didYouMean } from './near.ts';
import { redactUrl } from './redact-url.ts';
import {
  asTagged,
  isSecret,
  propertySchema,
  type TaggedSchema,
  usualVariant,
  variantsByTag,
} from './schema.ts';

/** A problem before it has a position. `at` says which token of the document it is about. Default `value`. */
export interface ValueProblem {
  readonly pointer: string;
  readonly message: string;
  readonly at?: 'key' | 'value';
}

/** More problems than this are summed up in one line: nobody reads them, and a hostile body may cause thousands. */
const MAX_PROBLEMS = 100;

type Fields = Record<string, unknown>;

interface Check {
  readonly problems: ValueProblem[];
  /** Pointers whose values must not be quoted (they came from the environment). */
  readonly hidden: ReadonlySet<string>;
}

/** The pointer one step further down (RFC 6901 escapes). */
export function childPointer(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * All problems of a value, and the value with the schema's defaults (a copy: the input is left alone). Objects, arrays
 * and tagged unions are walked here, for positions and good messages; single values are TypeBox' to judge.
 */
export function findProblems(
  value: unknown,
  schema: TSchema,
  hidden: ReadonlySet<string> = new Set(),
): { value: unknown; problems: readonly ValueProblem[] } {
  const check: Check = { problems: [], hidden };
  const checked = visit(value, schema, '', check);
  if (check.problems.length <= MAX_PROBLEMS) return { value: checked, problems: check.problems };
  const more = check.problems.length - MAX_PROBLEMS;
  const last = { pointer: '', message: `and ${more} more problems` };
  return { value: checked, problems: [...check.problems.slice(0, MAX_PROBLEMS), last] };
}

/**
 * Checks a value that did not come from a file (a request body). Returns it with defaults applied.
 *
 * @throws SightlineError `SL_SPEC_INVALID` (or `code`) with every problem and its JSON pointer.
 */
export function checkValue<T extends TSchema>(
  value: unknown,
  schema: T,
  options: { code?: ErrorCode; subject?: string } = {},
): Static<T> {
  const { code = 'SL_SPEC_INVALID', subject = 'the value' } = options;
  const found = findProblems(value, schema);
  if (found.problems.length > 0) throw problemsError(found.problems, { code, subject });
  return found.value as Static<T>;
}

/** The error that carries a list of problems; the message names the first and counts the rest. */
export function problemsError(
  problems: readonly (Problem | ValueProblem)[],
  options: { code?: ErrorCode; subject: string },
): SightlineError {
  const { code = 'SL_SPEC_INVALID', subject } = options;
  const plain = problems.map(({ pointer, message, ...rest }) => {
    const { line, column } = rest as Partial<Problem>;
    return line === undefined || column === undefined
      ? { pointer, message }
      : { pointer, message, line, column };
  });
  const first = plain[0];
  const where =
    first === undefined
      ? ''
      : `${first.pointer === '' ? '' : `${first.pointer}: `}${first.message}`;
  const rest = plain.length > 1 ? ` (and ${plain.length - 1} more)` : '';
  return new SightlineError(code, `Cannot use ${subject}: ${where}${rest}`, { problems: plain });
}

function visit(value: unknown, schema: TSchema, pointer: string, check: Check): unknown {
  const union = asTagged(schema);
  if (union !== undefined) return visitTagged(value, union, pointer, check);
  const { type, items } = schema as { type?: unknown; items?: TSchema };
  if (type === 'object') return visitObject(value, schema, pointer, check);
  if (type === 'array') return visitArray(value, schema, items ?? {}, pointer, check);
  reportLeaf(value, schema, pointer, check);
  return value;
}

function visitTagged(value: unknown, union: TaggedSchema, pointer: string, check: Check): unknown {
  const key = union.discriminator.propertyName;
  const variants = variantsByTag(union);
  const known = [...variants.keys()];
  if (!isObject(value)) {
    check.problems.push({
      pointer,
      message: `must be an object with "${key}", not ${kindOf(value)}`,
    });
    return value;
  }
  if (!Object.hasOwn(value, key)) {
    const usual = usualVariant(union);
    if (usual !== undefined) return visitObject(value, usual, pointer, check);
    check.problems.push({ pointer, message: `"${key}" is missing: ${listed(known)}` });
    return value;
  }
  const tag = value[key];
  const variant = typeof tag === 'string' ? variants.get(tag) : undefined;
  if (variant !== undefined) return visitObject(value, variant, pointer, check);
  const at = childPointer(pointer, key);
  const hint = typeof tag === 'string' ? didYouMean(tag, known) : '';
  check.problems.push({
    pointer: at,
    message: `must be ${listed(known)}${got(tag, at, check)}${hint}`,
  });
  return value;
}

function visitObject(value: unknown, schema: TSchema, pointer: string, check: Check): unknown {
  if (!isObject(value)) {
    check.problems.push({ pointer, message: `must be an object, not ${kindOf(value)}` });
    return value;
  }
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, TSchema>;
    required?: readonly string[];
  };
  const checked: [string, unknown][] = [];
  // A key whose value is undefined (only a program can make one) counts as left out.
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  const names = new Set(given.map(([key]) => key));
  for (const [key, item] of given) {
    const at = childPointer(pointer, key);
    const itemSchema = propertySchema(schema, key);
    if (itemSchema === undefined) {
      const free = Object.keys(properties).filter((name) => !names.has(name));
      const message = `unknown key ${shortQuote(key)}${didYouMean(key, free)}`;
      check.problems.push({ pointer: at, message, at: 'key' });
    } else {
      checked.push([key, visit(item, itemSchema, at, check)]);
    }
  }
  for (const [key, item] of Object.entries(properties)) {
    if (names.has(key)) continue;
    const { default: fallback } = item as { default?: unknown };
    if (fallback !== undefined) {
      checked.push([
        key,
        visit(structuredClone(fallback), item, childPointer(pointer, key), check),
      ]);
    } else if (required.includes(key)) {
      check.problems.push({ pointer, message: `"${key}" is missing` });
    }
  }
  const { minProperties, maxProperties } = schema as {
    minProperties?: number;
    maxProperties?: number;
  };
  reportCount(names.size, minProperties, maxProperties, 'key', pointer, check);
  // fromEntries defines own properties, so a key such as __proto__ stays a plain key.
  return Object.fromEntries(checked);
}

function visitArray(
  value: unknown,
  schema: TSchema,
  items: TSchema,
  pointer: string,
  check: Check,
): unknown {
  if (!Array.isArray(value)) {
    check.problems.push({ pointer, message: `must be a list, not ${kindOf(value)}` });
    return value;
  }
  const { minItems, maxItems, uniqueItems } = schema as {
    minItems?: number;
    maxItems?: number;
    uniqueItems?: boolean;
  };
  reportCount(value.length, minItems, maxItems, 'item', pointer, check);
  if (uniqueItems === true) reportRepeats(value, pointer, check);
  // Beyond the allowed length nothing is checked: the list is refused already.
  const limit = Math.min(value.length, maxItems ?? value.length);
  return value
    .slice(0, limit)
    .map((item, index) => visit(item, items, childPointer(pointer, index), check));
}

function reportRepeats(values: readonly unknown[], pointer: string, check: Check): void {
  const seen = new Set<unknown>();
  values.forEach((value, index) => {
    const key = typeof value === 'object' ? JSON.stringify(value) : value;
    const at = childPointer(pointer, index);
    if (seen.has(key)) check.problems.push({ pointer: at, message: 'is in the list twice' });
    seen.add(key);
  });
}

function reportCount(
  count: number,
  least: number | undefined,
  most: number | undefined,
  noun: string,
  pointer: string,
  check: Check,
): void {
  const plural = (n: number) => `${n} ${noun}${n === 1 ? '' : 's'}`;
  if (least !== undefined && count < least) {
    check.problems.push({ pointer, message: `must have at least ${plural(least)}, has ${count}` });
  }
  if (most !== undefined && count > most) {
    check.problems.push({ pointer, message: `must have at most ${plural(most)}, has ${count}` });
  }
}

/** One problem for a single value: the first reason TypeBox gives is enough. */
function reportLeaf(value: unknown, schema: TSchema, pointer: string, check: Check): void {
  if (Value.Check(schema, value)) return;
  const shown = isSecret(schema) ? '' : got(value, pointer, check);
  check.problems.push({ pointer, message: `${wanted(value, schema)}${shown}` });
}

function wanted(value: unknown, schema: TSchema): string {
  const words = allowedWords(schema);
  if (words !== undefined) {
    const hint = typeof value === 'string' && !isSecret(schema) ? didYouMean(value, words) : '';
    return `must be ${listed(words)}${hint === '' ? '' : hint.replace(/\?$/, '')}`;
  }
  const [error] = Value.Errors(schema, value);
  const { type, description } = schema as { type?: string; description?: string };
  if (error?.keyword === 'type') return `must be ${article(type ?? 'value')}`;
  const shaped = error?.keyword === 'pattern' || error?.keyword === 'format';
  if (shaped && description !== undefined) return `is not well formed (${description})`;
  return error?.message ?? 'is not valid';
}

/** The words a schema allows, for an enum, a literal or a union of literals. */
function allowedWords(schema: TSchema): string[] | undefined {
  const {
    enum: values,
    const: literal,
    anyOf,
  } = schema as {
    enum?: readonly unknown[];
    const?: unknown;
    anyOf?: readonly { const?: unknown }[];
  };
  if (values !== undefined) return values.map(String);
  if (literal !== undefined) return [String(literal)];
  if (anyOf?.every((item) => item.const !== undefined))
    return anyOf.map((item) => String(item.const));
  return undefined;
}

function listed(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word));
  return quoted.length === 1 ? `${quoted[0]}` : `one of ${quoted.join(', ')}`;
}

function got(value: unknown, pointer: string, check: Check): string {
  if (check.hidden.has(pointer)) return '';
  if (typeof value === 'string') return `, not ${shortQuote(redactUrl(value))}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `, not ${value}`;
  return `, not ${kindOf(value)}`;
}

/** A quoted text with control and bidirectional characters escaped, cut at 60. */
function shortQuote(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function article(type: string): string {
  if (type === 'integer') return 'a whole number';
  return type === 'object' || type === 'array' ? `an ${type}` : `a ${type}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty (null)';
  if (value === undefined) return 'missing';
  return Array.isArray(value) ? 'a list' : article(typeof value);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
