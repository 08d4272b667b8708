import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ApiDependencies } from '../dependencies.ts';

/** Where the metadata goes and how each destination fares. */
export function sinkRoutes(deps: ApiDependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/sinks',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Every sink with its counters, lag and last error',
          response: {
            200: Type.Object({
              items: Type.Array(Type.Ref('Sink')),
              outbox: Type.Object({
                state: Type.String(),
                bytes: Type.Number(),
                refused: Type.Record(Type.String(), Type.Number()),
              }),
            }),
          },
        },
      },
      async (_request, reply) => reply.send({ items: [...deps.sinks()], outbox: deps.outbox() }),
    );
  };
}
