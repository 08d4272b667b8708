import Fastify, { type FastifyInstance } from 'fastify';
import type { Histogram } from '../../outbox/histogram.ts';
import { renderInferMetrics } from './metrics.ts';
import type { Inference } from './service.ts';

/** Health, metrics and what a scaler asks for. It changes nothing, so that nobody needs to log in. */
export function inferApp(
  inference: Inference,
  ages: ReadonlyMap<string, Histogram>,
  version: string,
): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get('/healthz', async () => ({ status: 'ok', version }));
  app.get('/readyz', async (_request, reply) => {
    const { state } = inference.delivery.control.outbox();
    if (state === 'ok') return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', because: `the outbox is ${state}` });
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await renderInferMetrics(inference, ages);
    return reply.type(contentType).send(text);
  });
  app.get('/v1/infer', async () => status(inference));
  return app;
}

function status({ intake, queue, runners, hasRoom, signal }: Inference) {
  return {
    hasRoom: hasRoom(),
    queue: { name: queue.what, ...queue.counts },
    frames: { ...intake.counts, inFlight: intake.working.frames },
    models: runners.map(({ model, pid, accelerator, restarts, cameras, inside, counts }) => ({
      ...{ model, pid, accelerator, restarts, cameras, inside },
      ...counts,
    })),
    load: signal(),
  };
}
