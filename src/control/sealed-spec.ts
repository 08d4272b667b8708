import { Secret } from '../common/secret.ts';
import { MASK, redactText } from './scrubber.ts';
import type { Json, JsonObject } from './types.ts';

const SECRET_KEY =
  /^(?:password|passphrase|secret|token|credentials?|authorization|apikey|accesskey|secretkey|secretaccesskey|sessiontoken|privatekey)$/i;

/** Whether a value under this name is a secret as a whole. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** A spec in two parts: what anyone may see, and what was taken out, by JSON pointer. */
export interface SealedSpec {
  readonly open: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Splits a spec: values under secret names, `Secret`s and texts with credentials in them go to `secrets` whole. */
export function sealSpec(spec: object): SealedSpec {
  const secrets: Record<string, string> = {};
  return { open: seal(spec, '', '', secrets) as JsonObject, secrets };
}

/** Puts both parts together again. A pointer that leads nowhere is ignored: the spec is checked after this anyway. */
export function unsealSpec(sealed: SealedSpec): JsonObject {
  const spec = structuredClone(sealed.open) as Record<string, unknown>;
  for (const [pointer, secret] of Object.entries(sealed.secrets)) {
    const keys = pointer.split('/').slice(1).map(unescapeKey);
    const last = keys.pop();
    let holder: unknown = spec;
    for (const key of keys) holder = (holder as Record<string, unknown> | undefined)?.[key];
    if (last !== undefined && holder !== null && typeof holder === 'object') {
      (holder as Record<string, unknown>)[last] = secret;
    }
  }
  return spec as JsonObject;
}

/** The text at a pointer, taken out or not; undefined where there is none. */
export function textAt(sealed: SealedSpec, pointer: string): string | undefined {
  if (Object.hasOwn(sealed.secrets, pointer)) return sealed.secrets[pointer];
  let value: unknown = sealed.open;
  for (const key of pointer.split('/').slice(1).map(unescapeKey)) {
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  return typeof value === 'string' ? value : undefined;
}

function seal(value: unknown, pointer: string, key: string, secrets: Record<string, string>): Json {
  if (value instanceof Secret) return take(value.reveal(), MASK, pointer, secrets);
  if (typeof value === 'string') {
    const open = isSecretKey(key) ? MASK : redactText(value);
    return open === value ? value : take(value, open, pointer, secrets);
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => seal(item, `${pointer}/${index}`, '', secrets));
  }
  if (value === null || typeof value !== 'object') return value as Json;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      seal(item, `${pointer}/${escapeKey(name)}`, name, secrets),
    ]),
  );
}

function take(
  secret: string,
  open: string,
  pointer: string,
  secrets: Record<string, string>,
): Json {
  secrets[pointer] = secret;
  return open;
}

function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescapeKey(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}
