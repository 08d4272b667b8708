import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifySchemaCompiler } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { checkValue } from '../../common/check.ts';
import { SightlineError } from '../../common/errors.ts';
import type { LatestImage } from '../../control/types.ts';
import { StreamSpec } from '../../pipeline/spec.ts';
import { annotate } from '../annotate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';

const StreamParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64, description: 'Stream id' }),
});

/** Picture routes take any `v`, so that a page can ask past its cache. */
const PictureQuery = Type.Object(
  { v: Type.Optional(Type.String({ maxLength: 128 })) },
  { additionalProperties: false },
);

/** Bodies are checked as files are: unknown keys refused, all problems at once, defaults filled in. */
const checkBody: FastifySchemaCompiler<TSchema> =
  ({ schema }) =>
  (data) => {
    try {
      return {
        value: checkValue(data, schema, { code: 'SL_REQUEST_INVALID', subject: 'the stream' }),
      };
    } catch (error) {
      return { error: error as Error };
    }
  };

export function streamRoutes(deps: ApiDependencies): FastifyPluginAsyncTypebox {
  const { orchestrator } = deps;

  const latestImage = (id: string): LatestImage => {
    const image = orchestrator.getLatestImage(id);
    if (image !== undefined) return image;
    throw new SightlineError(
      'SL_NOT_FOUND',
      `Stream "${id}" has no picture yet: its state is ${orchestrator.getStream(id).status.state}, and pictures need "images" in its spec`,
    );
  };

  return async (app) => {
    app.post(
      '/streams',
      {
        schema: {
          tags: ['streams'],
          summary: 'Start a stream; it is kept and starts again with the server',
          description:
            'Answers as soon as the start has begun. The state is `connecting` until a frame was decoded.',
          body: StreamSpec,
          response: { 201: Type.Ref('Stream'), ...problemResponses(400, 409, 422, 503) },
        },
        validatorCompiler: checkBody,
      },
      async (request, reply) => {
        const stream = await orchestrator.createStream(request.body as StreamSpec);
        return reply.status(201).header('location', `/v1/streams/${stream.id}`).send(stream);
      },
    );

    app.get(
      '/streams',
      {
        schema: {
          tags: ['streams'],
          summary: 'All streams, oldest first',
          response: { 200: Type.Object({ items: Type.Array(Type.Ref('Stream')) }) },
        },
      },
      async (_request, reply) => reply.send({ items: [...orchestrator.listStreams()] }),
    );

    app.get(
      '/streams/:id',
      {
        schema: {
          tags: ['streams'],
          summary: 'One stream: its spec, state, reason and counters',
          params: StreamParams,
          response: { 200: Type.Ref('Stream'), ...problemResponses(404) },
        },
      },
      async (request, reply) => reply.send(orchestrator.getStream(request.params.id)),
    );

    app.delete(
      '/streams/:id',
      {
        schema: {
          tags: ['streams'],
          summary: 'Drain and forget a stream; answers when no process of it is left',
          params: StreamParams,
          response: { 204: Type.Null(), ...problemResponses(404, 409) },
        },
      },
      async (request, reply) => {
        await orchestrator.removeStream(request.params.id);
        return reply.status(204).send(null);
      },
    );

    app.get(
      '/streams/:id/frame',
      {
        schema: {
          tags: ['streams'],
          summary: 'The newest frame message, as proto3 JSON of sightline.v1.Frame',
          params: StreamParams,
          response: {
            200: Type.Object({}, { additionalProperties: true }),
            ...problemResponses(404),
          },
        },
      },
      async (request, reply) => {
        const latest = orchestrator.getLatestFrame(request.params.id);
        if (latest === undefined) {
          throw new SightlineError(
            'SL_NOT_FOUND',
            `Stream "${request.params.id}" has sent no frame yet`,
          );
        }
        return reply.send(latest.frame);
      },
    );

    app.get(
      '/streams/:id/snapshot.jpg',
      {
        schema: {
          tags: ['streams'],
          summary: 'The newest chosen picture, as the camera saw it',
          params: StreamParams,
          querystring: PictureQuery,
          response: {
            200: {
              content: {
                'image/jpeg': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) },
              },
            },
            ...problemResponses(404),
          },
        },
      },
      async (request, reply) => {
        const image = latestImage(request.params.id);
        return reply
          .type(image.contentType)
          .headers({
            'cache-control': 'no-store',
            'x-frame-sequence': image.frameSequence,
            'x-session': image.session,
          })
          .send(Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength));
      },
    );

    app.get(
      '/streams/:id/snapshot.svg',
      {
        schema: {
          tags: ['streams'],
          summary: 'The newest chosen picture with its objects drawn on it',
          params: StreamParams,
          querystring: PictureQuery,
          response: {
            200: { content: { 'image/svg+xml': { schema: Type.String() } } },
            ...problemResponses(404),
          },
        },
      },
      async (request, reply) =>
        reply
          .type('image/svg+xml')
          .header('cache-control', 'no-store')
          .send(annotate(latestImage(request.params.id))),
    );
  };
}
