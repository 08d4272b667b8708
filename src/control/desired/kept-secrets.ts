import { childPointer, problemsError, type ValueProblem } from '../../common/check.ts';
import { Secret } from '../../common/secret.ts';
import { MASK, redactText } from '../scrubber.ts';
import { isSecretKey } from '../sealed-spec.ts';
import type { Json, JsonObject } from '../types.ts';

/** A mask where a secret may stand: the whole text, a URL's user part, the value of a parameter. */
const MASKED = /^\*{3}$|:\/\/\*{3}@|=\*{3}(?=[&;\s/?#]|$)/;
const AUTHORITY = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/]*@)?([^/?#]*)/i;
const CREDENTIALS = /^[a-z][a-z0-9+.-]*:\/\/([^\s/]+)@/i;

/**
 * The spec with the secrets of `kept` in the places where it says `***`, so that what was read can be changed and sent
 * back; in `kept` a secret may stand as `Secret`. Items of lists are the same where their `id` is, else where their place is. Credentials stay with their host: a
 * spec that sends them to another one must hold them itself. Throws `SL_SPEC_INVALID` for a mask without a secret.
 */
export function withKeptSecrets(
  spec: JsonObject,
  kept: JsonObject | undefined,
  subject: string,
): JsonObject {
  const problems: ValueProblem[] = [];
  const filled = fill(spec, kept, '', '', problems) as JsonObject;
  if (problems.length > 0) throw problemsError(problems, { subject });
  return filled;
}

function fill(
  value: Json,
  kept: Json,
  pointer: string,
  key: string,
  problems: ValueProblem[],
): Json {
  if (typeof value === 'string') return fillText(value, kept, pointer, key, problems);
  if (Array.isArray(value)) {
    const before: readonly Json[] = Array.isArray(kept) ? kept : [];
    return value.map((item: Json, index) =>
      fill(item, counterpart(item, before, index), childPointer(pointer, index), '', problems),
    );
  }
  if (!isObject(value)) return value;
  const before = isObject(kept) ? kept : {};
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      fill(item, before[name], childPointer(pointer, name), name, problems),
    ]),
  );
}

function counterpart(item: Json, before: readonly Json[], index: number): Json {
  if (!isObject(item) || typeof item['id'] !== 'string') return before[index];
  return before.find((other) => isObject(other) && other['id'] === item['id']);
}

function fillText(
  text: string,
  kept: Json,
  pointer: string,
  key: string,
  problems: ValueProblem[],
): string {
  if (!text.includes(MASK)) return text;
  if (text === MASK && (kept as unknown) instanceof Secret)
    return (kept as never as Secret).reveal();
  const filled = typeof kept === 'string' ? restored(text, kept, key) : text;
  if (MASKED.test(filled) && (isSecretKey(key) || filled !== MASK)) {
    const message = `has "${MASK}" where no secret is kept for it (a new address needs its credentials, too): give the secret itself`;
    problems.push({ pointer, message });
  }
  return filled;
}

function restored(text: string, secret: string, key: string): string {
  const open = isSecretKey(key) ? MASK : redactText(secret);
  if (text === open) return secret;
  if (hostOf(text) !== hostOf(secret)) return text;
  const credentials = CREDENTIALS.exec(secret)?.[1];
  const withUser =
    credentials === undefined ? text : text.replace(`://${MASK}@`, () => `://${credentials}@`);
  return withUser.replace(/\b([\w-]+)=\*{3}(?=[&;\s/?#]|$)/g, (all, name: string) => {
    const value = new RegExp(`\\b${name}=([^&;\\s/?#]+)`, 'i').exec(secret)?.[1];
    return value === undefined ? all : `${name}=${value}`;
  });
}

/** Scheme, host and port of a URL; undefined for another text. */
function hostOf(text: string): string | undefined {
  const found = AUTHORITY.exec(text);
  return found === null ? undefined : `${found[1]}${found[2]}`.toLowerCase();
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
