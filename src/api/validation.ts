import type { FastifySchemaCompiler } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { checkValue } from '../common/check.ts';
import { SightlineError } from '../common/errors.ts';

const SUBJECTS: Readonly<Record<string, string>> = {
  body: 'the body',
  querystring: 'the query',
  params: 'the path',
  headers: 'the headers',
};

/**
 * Requests are checked as files are: unknown keys refused, nothing converted, all problems at once, defaults filled in.
 */
export const checkRequest: FastifySchemaCompiler<TSchema> =
  ({ schema, httpPart }) =>
  (data) => {
    const subject = SUBJECTS[httpPart ?? 'body'] ?? 'the request';
    try {
      return { value: checkValue(data, schema, { code: 'SL_REQUEST_INVALID', subject }) };
    } catch (error) {
      return { error: error as Error };
    }
  };

/** A path with the id of a stream, pipeline... What does not fit is not there: the answer is 404. */
export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) });

export const NO_QUERY = Type.Object({}, { additionalProperties: false });

/** A query parameter that is one of a few words. */
export function filter(values: readonly string[], description: string) {
  return Type.Optional(Type.Unsafe<string>({ type: 'string', enum: [...values], description }));
}

/** A query parameter that is an id. */
export function idFilter(description: string) {
  return Type.Optional(
    Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$', description }),
  );
}

/** The id in the body is that of the path. */
export function checkSameId(path: string, body: string): void {
  if (path === body) return;
  throw new SightlineError(
    'SL_REQUEST_INVALID',
    `Cannot use the body: its id is "${body}", that of the path is "${path}"`,
    { problems: [{ pointer: '/id', message: 'must be the id of the path' }] },
  );
}
