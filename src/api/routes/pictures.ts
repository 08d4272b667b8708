import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import type { LatestImage } from '../../control/types.ts';
import { annotate } from '../annotate.ts';
import type { ApiContext } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { IdParams } from '../validation.ts';

/** Picture routes take any `v`, so that a page can ask past its cache. */
const PictureQuery = Type.Object(
  { v: Type.Optional(Type.String({ maxLength: 128, description: 'Anything' })) },
  { additionalProperties: false },
);

/** The newest picture of a stream. */
export function pictureRoutes({ orchestrator }: ApiContext): FastifyPluginAsyncTypebox {
  const latestImage = (id: string): LatestImage => {
    const image = orchestrator.getLatestImage(id);
    if (image !== undefined) return image;
    throw new SightlineError(
      'SL_NOT_FOUND',
      `Stream "${id}" has no picture yet: its state is ${orchestrator.getStream(id).status.state}, and pictures need "images" in its spec`,
    );
  };

  return async (app) => {
    app.get(
      '/streams/:id/snapshot.jpg',
      {
        schema: {
          tags: ['streams'],
          summary: 'The newest chosen picture, as the camera saw it',
          params: IdParams,
          querystring: PictureQuery,
          response: {
            200: {
              description: 'The picture',
              content: {
                'image/jpeg': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) },
              },
            },
            ...problemResponses(400, 404),
          },
        },
      },
      async (request, reply) => {
        const image = latestImage(request.params.id);
        return reply
          .type(image.contentType)
          .headers({ 'x-frame-sequence': image.frameSequence, 'x-session': image.session })
          .send(Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength));
      },
    );

    app.get(
      '/streams/:id/snapshot.svg',
      {
        schema: {
          tags: ['streams'],
          summary: 'The newest chosen picture with its objects drawn on it',
          params: IdParams,
          querystring: PictureQuery,
          response: {
            200: {
              description: 'The picture',
              content: { 'image/svg+xml': { schema: Type.String() } },
            },
            ...problemResponses(400, 404),
          },
        },
      },
      async (request, reply) =>
        reply.type('image/svg+xml').send(annotate(latestImage(request.params.id))),
    );
  };
}
