import { randomUUID } from 'node:crypto';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { PATHS } from '../common/paths.ts';
import type { ApiDependencies } from './dependencies.ts';
import { handleError, ProblemSchema, sendProblem } from './problem.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { sinkRoutes } from './routes/sinks.ts';
import { streamRoutes } from './routes/streams.ts';
import { workerRoutes } from './routes/workers.ts';
import { SCHEMAS } from './schemas.ts';

const MAX_BODY_BYTES = 256 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const REQUEST_ID = /^[\w.-]{1,64}$/;

/** The API as a Fastify instance that is not listening yet. The caller owns and closes it. */
export async function buildApp(deps: ApiDependencies) {
  const app = Fastify({
    loggerInstance: deps.logger as FastifyBaseLogger,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 128 },
    // Requests that fail are logged by the error handler; one line for each that succeeds is noise.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // Fastify's own defaults delete unknown body keys and turn "1" into 1: here both are the client's mistake.
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: false,
        allErrors: true,
        discriminator: true,
        strict: false,
      },
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  // JSON is all the API reads.
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(handleError);
  app.setNotFoundHandler((request, reply) => {
    sendProblem(request, reply, {
      status: 404,
      code: 'SL_NOT_FOUND',
      retryable: false,
      detail: `There is no ${request.method} ${request.url.split('?', 1)[0]}; /docs lists what there is`,
    });
  });
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
  });
  await documentApi(app, deps.version);
  for (const schema of [ProblemSchema, ...SCHEMAS]) app.addSchema(schema);

  await app.register(healthRoutes(deps));
  await app.register(streamRoutes(deps), { prefix: '/v1' });
  await app.register(sinkRoutes(deps), { prefix: '/v1' });
  await app.register(workerRoutes(deps), { prefix: '/v1' });
  await app.register(eventRoutes(deps), { prefix: '/v1' });
  await app.register(fastifyStatic, {
    root: PATHS.web,
    index: ['index.html'],
    cacheControl: false,
  });
  return app;
}

/** OpenAPI 3.1, generated from the route schemas: /openapi.json, and a page to browse it at /docs. */
async function documentApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sightline',
        version,
        description:
          'Starts and stops camera streams, and tells how they and their deliveries fare.',
      },
      tags: [
        { name: 'streams', description: 'Cameras that are decoded and analysed' },
        { name: 'delivery', description: 'Where the metadata goes' },
        { name: 'operations', description: 'Health, metrics, workers, events' },
      ],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `def-${index}`,
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
