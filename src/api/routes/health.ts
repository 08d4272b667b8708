import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { EventCounts } from '../event-counts.ts';
import { LoopDelay } from '../loop-delay.ts';
import { renderMetrics } from '../metrics.ts';
import { problemResponses } from '../problem.ts';

/** Liveness says that the process answers, readiness that it can take streams and store what they give. */
export function healthRoutes(deps: ApiDependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    const watched = { counts: new EventCounts(deps.orchestrator.events), loop: new LoopDelay() };
    app.addHook('onClose', async () => {
      watched.counts[Symbol.dispose]();
      watched.loop[Symbol.dispose]();
    });

    app.get(
      '/healthz',
      {
        schema: {
          tags: ['operations'],
          summary: 'Liveness: the process answers. A camera that is down does not change it.',
          response: { 200: Type.Object({ status: Type.Literal('ok'), version: Type.String() }) },
        },
      },
      async () => ({ status: 'ok' as const, version: deps.version }),
    );

    app.get(
      '/readyz',
      {
        schema: {
          tags: ['operations'],
          summary: 'Readiness: streams can be started and what they give can be stored',
          response: {
            200: Type.Object({ status: Type.Literal('ready') }),
            ...problemResponses(503),
          },
        },
      },
      async () => {
        const problems = deps.notReadyBecause();
        if (problems.length > 0) {
          throw new SightlineError('SL_UNAVAILABLE', `Not ready: ${problems.join('; ')}`);
        }
        return { status: 'ready' as const };
      },
    );

    app.get(
      '/metrics',
      {
        schema: {
          tags: ['operations'],
          summary: 'Metrics in the Prometheus text format',
          response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
        },
      },
      async (_request, reply) => {
        const { contentType, text } = await renderMetrics(deps, watched);
        return reply.type(contentType).send(text);
      },
    );
  };
}
