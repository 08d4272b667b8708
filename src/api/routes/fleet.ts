import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import { ID_PATTERN } from '../../common/schema.ts';
import { linkNext, pageQuery } from '../cursors.ts';
import type { ApiContext } from '../dependencies.ts';
import { IfMatch, IfMatchOrNew, readPreconditions, sendTagged } from '../preconditions.ts';
import { problemResponses } from '../problem.ts';
import { FleetSchema, FleetStreamSchema } from '../schemas/fleet.ts';
import { AnyObject, pageOf, ref } from '../schemas/shared.ts';

const StreamParams = Type.Object({ id: Type.String({ pattern: ID_PATTERN }) });

/** The boxes that share streams, who runs what, and the streams they share. */
export function fleetRoutes({ fleet, cursors }: ApiContext): FastifyPluginAsyncTypebox {
  const joined = () => {
    if (fleet !== undefined) return fleet;
    throw new SightlineError(
      'SL_NOT_FOUND',
      'This server is in no fleet: see "fleet" in docs/fleet.md',
    );
  };
  return async (app) => {
    app.get(
      '/fleet',
      {
        schema: {
          tags: ['fleet'],
          summary: 'Nodes, assignments, epochs and the leader, as the store has them now',
          response: { 200: ref(FleetSchema), ...problemResponses(404, 503, 504) },
        },
      },
      async () => joined().view(),
    );

    app.get(
      '/fleet/streams',
      {
        schema: {
          tags: ['fleet'],
          summary: 'Streams the fleet is to run, by id',
          querystring: Type.Object(pageQuery, { additionalProperties: false }),
          response: {
            200: pageOf(ref(FleetStreamSchema)),
            ...problemResponses(400, 404, 503, 504),
          },
        },
      },
      async ({ query }, reply) => {
        const list = '/v1/fleet/streams';
        const items = await joined().streams();
        const page = cursors.page({ list, query, items, positionOf: ({ id }) => [id] });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/fleet/streams/:id',
      {
        schema: {
          tags: ['fleet'],
          summary: 'A stream the fleet is to run',
          params: StreamParams,
          response: { 200: ref(FleetStreamSchema), ...problemResponses(404, 503, 504) },
        },
      },
      async ({ params }, reply) => {
        const found = await joined().stream(params.id);
        if (found === undefined) throw unknown(params.id);
        return sendTagged(reply, found);
      },
    );

    app.put(
      '/fleet/streams/:id',
      {
        schema: {
          tags: ['fleet'],
          summary: 'Let the fleet run a stream, or change it',
          description:
            'If-Match and If-None-Match are heeded where they are given; without them the last writer wins. `***` where a secret is kept stands for that secret.',
          params: StreamParams,
          headers: IfMatchOrNew,
          body: AnyObject('A StreamSpec; its id is that of the path'),
          response: {
            200: ref(FleetStreamSchema),
            201: ref(FleetStreamSchema),
            ...problemResponses(400, 404, 412, 413, 415, 422, 503, 504),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const now = await joined().stream(id);
        const asked = readPreconditions(request, () => now, { optional: true, mayCreate: true });
        const { created, view } = await joined().putStream(id, request.body, asked);
        const at = `/v1/fleet/streams/${encodeURIComponent(id)}`;
        if (created) reply.status(201).header('location', at);
        return sendTagged(reply, view);
      },
    );

    app.delete(
      '/fleet/streams/:id',
      {
        schema: {
          tags: ['fleet'],
          summary: 'The fleet is to run it no longer',
          description: 'If-Match is heeded where it is given; without it, the stream goes.',
          params: StreamParams,
          headers: IfMatch,
          response: { 204: Type.Null(), ...problemResponses(400, 404, 412, 503, 504) },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const now = await joined().stream(id);
        if (now === undefined) throw unknown(id);
        const asked = readPreconditions(request, () => now, { optional: true });
        if (!(await joined().removeStream(id, asked))) throw unknown(id);
        reply.status(204);
        return null;
      },
    );
  };
}

function unknown(id: string): SightlineError {
  return new SightlineError('SL_NOT_FOUND', `There is no stream '${id}' in the fleet`);
}
