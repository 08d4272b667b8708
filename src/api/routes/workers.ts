import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ApiDependencies } from '../dependencies.ts';

/** The processes that run the pipelines. */
export function workerRoutes(deps: ApiDependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/workers',
      {
        schema: {
          tags: ['operations'],
          summary:
            'Worker processes: one a pipeline, with restarts and the reason of the last exit',
          response: { 200: Type.Object({ items: Type.Array(Type.Ref('Worker')) }) },
        },
      },
      async (_request, reply) => reply.send({ items: [...deps.orchestrator.workers()] }),
    );
  };
}
