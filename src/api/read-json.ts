import type { FastifyInstance } from 'fastify';
import { childPointer } from '../common/check.ts';
import { SightlineError } from '../common/errors.ts';

/** Limits of every body. What a schema says comes on top. */
const MAX_DEPTH = 32;
const MAX_ITEMS = 1_000;
const MAX_TEXT = 4_096;
/** Keys by which one object could reach the prototype of others. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Strings and the signs between them, of a text that is JSON already. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs;

export const MERGE_PATCH = 'application/merge-patch+json';

function refuse(pointer: string, message: string): never {
  const where = pointer === '' ? 'it' : pointer;
  throw new SightlineError('SL_REQUEST_INVALID', `Cannot read the body: ${where} ${message}`, {
    problems: [{ pointer, message }],
  });
}

/**
 * The value of a JSON text from outside. Throws `SL_REQUEST_INVALID` for what is not JSON, and for what readers of JSON
 * understand in different ways or cannot hold: keys given twice, `__proto__`, numbers beyond a double, more than 32
 * levels, more than 1000 items of a list or keys of an object, texts of more than 4096 characters, and for null alone.
 */
export function readJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SightlineError('SL_REQUEST_INVALID', 'Cannot read the body: it is not JSON');
  }
  if (value === null) refuse('', 'is null');
  checkKeys(text);
  checkValues(value, '');
  return value;
}

interface Level {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  expectsKey: boolean;
}

/** JSON.parse keeps the last of two equal keys without a word: the text is looked at again. */
function checkKeys(text: string): void {
  const levels: Level[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      if (levels.length === MAX_DEPTH) refuse('', `is nested deeper than ${MAX_DEPTH} levels`);
      levels.push({ keys: token === '{' ? new Set() : undefined, expectsKey: token === '{' });
    } else if (token === '}' || token === ']') {
      levels.pop();
    } else if (level === undefined) {
      return;
    } else if (token === ',') {
      level.expectsKey = level.keys !== undefined;
    } else if (token === ':') {
      level.expectsKey = false;
    } else if (level.expectsKey) {
      const key = JSON.parse(token) as string;
      if (key.length > MAX_TEXT) refuse('', `has a key of more than ${MAX_TEXT} characters`);
      if (FORBIDDEN_KEYS.has(key)) refuse('', `has the key "${key}", which is not allowed`);
      if (level.keys!.has(key)) refuse('', `has the key ${JSON.stringify(key.slice(0, 64))} twice`);
      level.keys!.add(key);
    }
  }
}

function checkValues(value: unknown, pointer: string): void {
  if (typeof value === 'string' && value.length > MAX_TEXT) {
    refuse(pointer, `is a text of more than ${MAX_TEXT} characters`);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    refuse(pointer, 'is a number beyond what a double can hold');
  }
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  if (entries.length > MAX_ITEMS) refuse(pointer, `has more than ${MAX_ITEMS} entries`);
  for (const [key, item] of entries) checkValues(item, childPointer(pointer, key));
}

function unsupported(message: string): SightlineError & { statusCode: number } {
  return Object.assign(new SightlineError('SL_REQUEST_INVALID', message), { statusCode: 415 });
}

/**
 * JSON is all the API reads, and a merge patch where it is a PATCH; both as UTF-8, not compressed. An empty body is none.
 */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', MERGE_PATCH],
    { parseAs: 'string' },
    (_request, body, done) => {
      try {
        done(null, body === '' ? undefined : readJson(String(body)));
      } catch (error) {
        done(error as Error);
      }
    },
  );
  app.addHook('onRequest', async (request, reply) => {
    const { headers, method } = request;
    const given = headers['content-type'];
    const type = given?.split(';', 1)[0]?.trim().toLowerCase();
    if (method === 'PATCH' && !request.is404 && type !== MERGE_PATCH) {
      reply.header('accept-patch', MERGE_PATCH);
      throw unsupported(`A PATCH is read as ${MERGE_PATCH} (RFC 7396) alone`);
    }
    if (method !== 'PATCH' && type === MERGE_PATCH) {
      throw unsupported(`${MERGE_PATCH} is for PATCH alone`);
    }
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(given ?? '')?.[1]?.toLowerCase();
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
      throw unsupported('JSON is read as UTF-8 alone');
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw unsupported('Compressed bodies are not read');
    }
  });
  app.addHook('preValidation', async ({ body, routeOptions }) => {
    if (body !== undefined && routeOptions.schema?.body === undefined) {
      throw new SightlineError('SL_REQUEST_INVALID', 'This request takes no body');
    }
  });
}
