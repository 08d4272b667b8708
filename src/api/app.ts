import { randomUUID } from 'node:crypto';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { PATHS } from '../common/paths.ts';
import { Cursors } from './cursors.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { acceptIdempotencyKeys } from './idempotency.ts';
import { answerClientError, handleError, ProblemSchema } from './problem.ts';
import { readBodies } from './read-json.ts';
import { cameraRoutes } from './routes/cameras.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { eventRoutes } from './routes/events.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { healthRoutes } from './routes/health.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { metadataRoutes } from './routes/metadata.ts';
import { operationRoutes } from './routes/operations.ts';
import { pictureRoutes } from './routes/pictures.ts';
import { pipelineRoutes } from './routes/pipelines.ts';
import { queryRoutes } from './routes/query.ts';
import { recordingRoutes } from './routes/recordings.ts';
import { ruleRoutes } from './routes/rules.ts';
import { sinkRoutes } from './routes/sinks.ts';
import { streamRoutes } from './routes/streams.ts';
import { SCHEMAS } from './schemas.ts';
import { serializeAnswer } from './serialization.ts';
import { answerUnknown, MAX_NAME } from './unknown-route.ts';
import { checkRequest } from './validation.ts';

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
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: MAX_NAME },
    // Requests that fail are logged by the error handler; one line for each that succeeds is noise.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    clientErrorHandler: answerClientError,
    // Paths that cannot be decoded never reach a route.
    frameworkErrors: (error, request, reply) => handleError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(checkRequest);
  app.setSerializerCompiler(serializeAnswer);
  app.setErrorHandler(handleError);
  answerUnknown(app);
  readBodies(app);
  acceptIdempotencyKeys(app);
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    // What is shown is how things are now.
    if (request.url.startsWith('/v1/')) reply.header('cache-control', 'no-store');
  });
  await documentApi(app, deps.version);
  for (const schema of [ProblemSchema, ...SCHEMAS]) app.addSchema(schema);

  const context: ApiContext = { ...deps, cursors: new Cursors() };
  await app.register(healthRoutes(context));
  const routes = [
    streamRoutes,
    pictureRoutes,
    pipelineRoutes,
    incidentRoutes,
    cameraRoutes,
    sinkRoutes,
    deadLetterRoutes,
    metadataRoutes,
    ruleRoutes,
    recordingRoutes,
    queryRoutes,
    operationRoutes,
    fleetRoutes,
    eventRoutes,
  ];
  for (const make of routes) await app.register(make(context), { prefix: '/v1' });
  await app.register(fastifyStatic, {
    root: PATHS.web,
    index: ['index.html'],
    cacheControl: false,
  });
  // The client as one file for browsers (scripts/bundle.mjs makes it).
  app.get('/client.js', { schema: { hide: true } }, (_request, reply) =>
    reply.sendFile('client.js', PATHS.webDist),
  );
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
        { name: 'pipelines', description: 'Several streams with one set of settings' },
        { name: 'cameras', description: 'Devices that say themselves how they are' },
        { name: 'incidents', description: 'What was kept of workers that died or hung' },
        { name: 'fleet', description: 'Boxes that share streams' },
        { name: 'models', description: 'What can look at frames' },
        { name: 'recordings', description: 'Video that was recorded, and what is missing of it' },
        { name: 'delivery', description: 'Where the metadata goes' },
        { name: 'rules', description: 'What makes interesting events of what is seen' },
        { name: 'query', description: 'SQL over what was delivered to files' },
        { name: 'operations', description: 'Health, metrics, workers, capacity, jobs, events' },
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
