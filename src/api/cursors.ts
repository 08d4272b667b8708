import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { SightlineError } from '../common/errors.ts';

const DEFAULT_LIMIT = 50;
const CURSOR_LIFE_MS = 3_600_000;
const MAC_BYTES = 16;

/** What every list takes; filters of a list come beside it. */
export const pageQuery = {
  limit: Type.Optional(
    Type.String({
      pattern: '^(?:[1-9]\\d?|1\\d\\d|200)$',
      description: 'Items of a page, 1 to 200; default 50',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 1024, description: '`next` of the page before; holds for an hour' }),
  ),
};

/** Place of an item in its list: compared from left to right. */
export type Position = readonly (string | number)[];

interface Kept {
  readonly list: string;
  readonly after: Position;
  readonly until: number;
}

export interface PageRequest<T> {
  /** Path and filters: a cursor of one list is refused for another. */
  readonly list: string;
  readonly query: { readonly limit?: string; readonly cursor?: string };
  readonly items: readonly T[];
  readonly positionOf: (item: T) => Position;
}

/**
 * Cuts lists into pages. A cursor names the last item given, so items that come or go in between move no other; it is
 * signed with a key that lives as long as the process, and holds for an hour.
 */
export class Cursors {
  readonly #key = randomBytes(32);

  /** Throws `SL_REQUEST_INVALID` for a cursor that this process did not give for this list, or that is too old. */
  page<T>({ list, query, items, positionOf }: PageRequest<T>): { items: T[]; next?: string } {
    const limit = query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit);
    const after = query.cursor === undefined ? undefined : this.#read(query.cursor, list);
    const ordered = items
      .map((item) => ({ item, position: positionOf(item) }))
      .filter(({ position }) => after === undefined || compare(position, after) > 0)
      .sort((a, b) => compare(a.position, b.position));
    const page = ordered.slice(0, limit);
    return {
      items: page.map(({ item }) => item),
      ...(ordered.length > limit ? { next: this.#write(list, page.at(-1)!.position) } : {}),
    };
  }

  /** A page of a list that is read from where the last one ended: `read` gives what comes after a position. */
  async pageFrom<T>({
    list,
    query,
    read,
    positionOf,
  }: Omit<PageRequest<T>, 'items'> & {
    readonly read: (after: Position | undefined, limit: number) => Promise<readonly T[]>;
  }): Promise<{ items: T[]; next?: string }> {
    const limit = query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit);
    const after = query.cursor === undefined ? undefined : this.#read(query.cursor, list);
    const found = await read(after, limit + 1);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const hasMore = found.length > limit && last !== undefined;
    return { items, ...(hasMore ? { next: this.#write(list, positionOf(last)) } : {}) };
  }

  #write(list: string, after: Position): string {
    const kept: Kept = { list, after, until: Date.now() + CURSOR_LIFE_MS };
    const text = Buffer.from(JSON.stringify(kept)).toString('base64url');
    return `${text}.${this.#mac(text).toString('base64url')}`;
  }

  #read(cursor: string, list: string): Position {
    const [text = '', mac = ''] = cursor.split('.');
    const given = Buffer.from(mac, 'base64url');
    if (given.byteLength === MAC_BYTES && timingSafeEqual(given, this.#mac(text))) {
      const kept = JSON.parse(Buffer.from(text, 'base64url').toString()) as Kept;
      if (kept.list === list && kept.until > Date.now()) return kept.after;
    }
    throw new SightlineError(
      'SL_REQUEST_INVALID',
      'Cannot go on with this cursor: it is too old, or of another list. Begin the list anew',
    );
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, MAC_BYTES);
  }
}

function compare(a: Position, b: Position): number {
  for (const [index, value] of a.entries()) {
    const other = b[index]!;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** The path of a list with its filters, in one order. */
export function listName(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): string {
  const filters = Object.entries(query)
    .filter(([name, value]) => name !== 'cursor' && name !== 'limit' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `${path}?${new URLSearchParams(filters as [string, string][])}`;
}

/** `Link: rel="next"` (RFC 8288) for the page that follows. */
export function linkNext(
  reply: FastifyReply,
  list: string,
  page: { readonly next?: string },
  limit: string | undefined,
): void {
  if (page.next === undefined) return;
  const url = new URL(list, 'http://localhost');
  if (limit !== undefined) url.searchParams.set('limit', limit);
  url.searchParams.set('cursor', page.next);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}
