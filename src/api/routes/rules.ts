import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { RuleCountsSchema, RuleEventSchema, RuleSchema } from '../schemas/rules.ts';
import { listOf, pageOf, ref } from '../schemas/shared.ts';
import { IdParams, idFilter } from '../validation.ts';

const NO_COUNTS = { frames: 0, late: 0, unusable: 0, stale: 0, unreadable: 0, waiting: 0 };

const moment = (description: string) =>
  Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description }));

const ListQuery = Type.Object(
  {
    ...pageQuery,
    streamId: idFilter('Only events of this stream'),
    rule: idFilter('Only events of this rule'),
    from: moment('From this time on (RFC 3339)'),
    to: moment('Before this time (RFC 3339)'),
  },
  { additionalProperties: false },
);

/** Rules, and the interesting events they found. */
export function ruleRoutes({ rules, cursors }: ApiContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/rules',
      {
        schema: {
          tags: ['rules'],
          summary: 'Every rule with its counters',
          response: {
            200: Type.Object(
              { items: listOf(ref(RuleSchema)), counts: RuleCountsSchema },
              { additionalProperties: false },
            ),
          },
        },
      },
      async () => ({ items: rules?.list() ?? [], counts: rules?.counts() ?? NO_COUNTS }),
    );

    app.get(
      '/rule-events',
      {
        schema: {
          tags: ['rules'],
          summary: 'Interesting events, newest first',
          querystring: ListQuery,
          response: { 200: pageOf(ref(RuleEventSchema)), ...problemResponses(400, 503) },
        },
      },
      async ({ query }, reply) => {
        const { streamId, rule, from, to } = query;
        const list = listName('/v1/rule-events', query);
        const page = await cursors.pageFrom({
          list,
          query,
          read: async (after, limit) =>
            (await rules?.events({
              ...(streamId === undefined ? {} : { streamId }),
              ...(rule === undefined ? {} : { rule }),
              ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
              ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
              ...(after === undefined
                ? {}
                : { after: { time: String(after[0]), id: String(after[1]) } }),
              limit,
            })) ?? [],
          positionOf: ({ time, id }) => [time, id],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/rule-events/:id',
      {
        schema: {
          tags: ['rules'],
          summary: 'One interesting event, and where its clip lies in the recording',
          params: IdParams,
          response: { 200: ref(RuleEventSchema), ...problemResponses(404, 503) },
        },
      },
      async ({ params }) => {
        const event = await rules?.event(params.id);
        if (event !== undefined) return event;
        throw new SightlineError('SL_NOT_FOUND', `There is no event "${params.id}"`);
      },
    );
  };
}
