import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import { defaulted, strictObject } from '../../common/schema.ts';
import { MAX_PARAMETERS, MAX_SQL_CHARACTERS, ROWS } from '../../query/request.ts';
import type { ApiContext } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { QueryAnswerSchema } from '../schemas/query.ts';
import { ref } from '../schemas/shared.ts';

const Parameter = Type.Unsafe<string | number | boolean | null>({
  type: ['string', 'number', 'boolean', 'null'],
});

const Body = strictObject({
  sql: Type.String({
    minLength: 1,
    maxLength: MAX_SQL_CHARACTERS,
    description: 'One SELECT over `detections` and `detections_once` (docs/query.md)',
  }),
  parameters: defaulted(
    Type.Array(Parameter, { maxItems: MAX_PARAMETERS, description: 'For each ? in order' }),
    [],
  ),
  limit: defaulted(
    Type.Integer({ minimum: 1, maximum: ROWS.most, description: 'Rows of the answer' }),
    ROWS.default,
  ),
});

/** SQL over what the file sinks keep; where the configuration allows it. */
export function queryRoutes({ query }: ApiContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/query',
      {
        schema: {
          tags: ['query'],
          summary: 'Read what the file sinks keep as Parquet, by one SELECT',
          body: Body,
          response: {
            200: ref(QueryAnswerSchema),
            ...problemResponses(400, 404, 413, 415, 422, 503, 504),
          },
        },
      },
      async ({ body }, reply) => {
        if (query === undefined) {
          throw new SightlineError('SL_NOT_FOUND', 'Queries are off: query.api is not set');
        }
        const { sql, parameters, limit } = body;
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        return query.run({ sql, parameters, maxRows: limit }, gone.signal);
      },
    );
  };
}
