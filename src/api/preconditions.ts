import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { SightlineError } from '../common/errors.ts';

/** One entity tag of a list (RFC 9110, 8.8.3). */
const TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/** The ETag of a thing with a generation: strong, of what its owner wrote, not of its status. */
export function etagOf({ generation }: { readonly generation: number }): string {
  return `"${generation}"`;
}

export function sendTagged<T extends { readonly generation: number }>(
  reply: FastifyReply,
  view: T,
): T {
  reply.header('etag', etagOf(view));
  return view;
}

/** The header as OpenAPI shows it; what it may hold is checked by `readPreconditions`. */
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'ETag of the last read, or *', maxLength: 1024 }),
  ),
});
export const IfMatchOrNew = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'ETag of the last read, or *: change what is there' }),
  ),
  'if-none-match': Type.Optional(Type.String({ description: '*: make it, if there is none' })),
});

export interface Preconditions {
  /** It must have this generation. */
  readonly generation?: number;
  /** There must be none yet. */
  readonly create?: boolean;
}

/**
 * What `If-Match` and `If-None-Match` of a request ask (RFC 9110, 13.1), to be handed on with the change. `now` gives
 * what is there, undefined for nothing.
 *
 * @throws SightlineError `SL_PRECONDITION_REQUIRED` without either, unless `optional`; `SL_PRECONDITION_FAILED` for a
 * stale or weak tag, or for nothing there; `SL_REQUEST_INVALID` for what is no list of tags.
 */
export function readPreconditions(
  request: FastifyRequest,
  now: () => { readonly generation: number } | undefined,
  { optional = false, mayCreate = false }: { optional?: boolean; mayCreate?: boolean } = {},
): Preconditions {
  const match = request.headers['if-match'];
  const noneMatch = request.headers['if-none-match'];
  if (noneMatch !== undefined && (!mayCreate || noneMatch.trim() !== '*' || match !== undefined)) {
    throw new SightlineError(
      'SL_REQUEST_INVALID',
      mayCreate
        ? 'If-None-Match of a change can only be *, without If-Match'
        : 'If-None-Match is for a PUT that makes something',
    );
  }
  if (noneMatch !== undefined) return { create: true };
  if (match === undefined) {
    if (optional) return {};
    throw new SightlineError(
      'SL_PRECONDITION_REQUIRED',
      `Cannot ${request.method} without If-Match: give the ETag of your last read${mayCreate ? ', or If-None-Match: * to make it' : ''}`,
    );
  }
  const wanted = match.trim() === '*' ? undefined : tagsOf(match);
  const current = now();
  if (current === undefined) {
    throw new SightlineError('SL_PRECONDITION_FAILED', 'Cannot change it: there is none');
  }
  if (wanted === undefined) return {};
  // A weak tag never matches here: it does not say that nothing was changed.
  if (!wanted.includes(String(current.generation))) {
    throw new SightlineError(
      'SL_PRECONDITION_FAILED',
      `Cannot change it: it was changed since it was read; its ETag is ${etagOf(current)} now`,
    );
  }
  return { generation: current.generation };
}

/** The strong tags of a list. */
function tagsOf(header: string): string[] {
  const parts = header.split(',').map((part) => TAG.exec(part.trim()));
  if (parts.length > 64 || parts.some((part) => part === null)) {
    throw new SightlineError(
      'SL_REQUEST_INVALID',
      'If-Match must be * or ETags in quotation marks, as the API gave them',
    );
  }
  return parts.flatMap((part) => (part![1] === undefined ? [part![2]!] : []));
}

/** `read`, or undefined where it throws `SL_NOT_FOUND`. */
export function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SightlineError && error.code === 'SL_NOT_FOUND') return undefined;
    throw error;
  }
}
