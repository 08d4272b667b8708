import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext, LetterChoice as Choice } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { DeadLetterSchema, LetterChoice } from '../schemas/delivery.ts';
import { Count, pageOf, ref } from '../schemas/shared.ts';
import { IdParams, idFilter } from '../validation.ts';

const MAX_IDS = 1_000;
const ListQuery = Type.Object(
  { ...pageQuery, sinkId: idFilter('Dead letters of this sink') },
  { additionalProperties: false },
);
const POST_PROBLEMS = problemResponses(400, 404, 409, 413, 415, 422, 503);

/** Records that a sink will never take: to look at, to send again once their cause is gone, to throw away. */
export function deadLetterRoutes({ delivery, cursors }: ApiContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/dead-letters',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Dead letters, newest first',
          querystring: ListQuery,
          response: { 200: pageOf(ref(DeadLetterSchema)), ...problemResponses(400) },
        },
      },
      async ({ query }, reply) => {
        const list = listName('/v1/dead-letters', query);
        const page = await cursors.pageFrom({
          list,
          query,
          read: (after, limit) =>
            delivery.deadLetters({
              sinkId: query.sinkId,
              beforeId: after === undefined ? undefined : Number(after[0]),
              limit,
            }),
          positionOf: ({ id }) => [Number(id)],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/dead-letters/:id',
      {
        schema: {
          tags: ['delivery'],
          summary: 'One dead letter with what its record says; of pictures the facts alone',
          params: IdParams,
          response: { 200: ref(DeadLetterSchema), ...problemResponses(404) },
        },
      },
      async ({ params }) => delivery.deadLetter(params.id),
    );

    app.post(
      '/dead-letters/retry',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Send them again: each becomes a record that waits for its sink',
          body: LetterChoice,
          response: {
            200: Type.Object(
              {
                retried: Count('Letters that wait for their sinks again'),
                kept: Count('Letters of sinks that are gone or take their kind no more'),
              },
              { additionalProperties: false },
            ),
            ...POST_PROBLEMS,
          },
        },
      },
      async ({ body }) => delivery.retryDeadLetters(choiceOf(body)),
    );

    app.post(
      '/dead-letters/purge',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Throw them away for good',
          body: LetterChoice,
          response: {
            200: Type.Object(
              { purged: Count('Letters that are gone now') },
              { additionalProperties: false },
            ),
            ...POST_PROBLEMS,
          },
        },
      },
      async ({ body }) => delivery.purgeDeadLetters(choiceOf(body)),
    );
  };
}

function choiceOf({
  ids,
  sinkId,
}: {
  readonly ids?: readonly string[];
  readonly sinkId?: string;
}): Choice {
  if (sinkId !== undefined && ids === undefined) return { sinkId };
  if (ids !== undefined && sinkId === undefined && ids.length <= MAX_IDS) return { ids };
  const message = `Cannot use the body: it must have "ids" (at most ${MAX_IDS}) or "sinkId", and not both`;
  throw new SightlineError('SL_REQUEST_INVALID', message);
}
