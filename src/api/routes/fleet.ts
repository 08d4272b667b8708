import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import { ID_PATTERN } from '../../common/schema.ts';
import type { ApiContext } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { FleetSchema, FleetStreamSchema } from '../schemas/fleet.ts';
import { AnyObject, ref } from '../schemas/shared.ts';

const StreamParams = Type.Object({ id: Type.String({ pattern: ID_PATTERN }) });

/** The boxes that share streams, who runs what, and the streams they share. */
export function fleetRoutes({ fleet }: ApiContext): FastifyPluginAsyncTypebox {
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
      '/fleet/streams/:id',
      {
        schema: {
          tags: ['fleet'],
          summary: 'A stream the fleet is to run',
          params: StreamParams,
          response: { 200: ref(FleetStreamSchema), ...problemResponses(404, 503, 504) },
        },
      },
      async ({ params }) => joined().stream(params.id),
    );

    app.put(
      '/fleet/streams/:id',
      {
        schema: {
          tags: ['fleet'],
          summary: 'Let the fleet run a stream, or change it; the last writer wins',
          params: StreamParams,
          body: AnyObject('A StreamSpec; its id is that of the path'),
          response: {
            200: ref(FleetStreamSchema),
            201: ref(FleetStreamSchema),
            ...problemResponses(400, 404, 413, 415, 422, 503, 504),
          },
        },
      },
      async ({ params, body }, reply) => {
        const { created, view } = await joined().putStream(params.id, body);
        const at = `/v1/fleet/streams/${encodeURIComponent(params.id)}`;
        if (created) reply.status(201).header('location', at);
        return view;
      },
    );

    app.delete(
      '/fleet/streams/:id',
      {
        schema: {
          tags: ['fleet'],
          summary: 'The fleet is to run it no longer',
          params: StreamParams,
          response: { 204: Type.Null(), ...problemResponses(404, 503, 504) },
        },
      },
      async ({ params }, reply) => {
        await joined().removeStream(params.id);
        reply.status(204);
        return null;
      },
    );
  };
}
