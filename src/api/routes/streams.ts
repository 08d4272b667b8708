import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import { STREAM_STATES } from '../../control/types.ts';
import { StreamSpec } from '../../pipeline/spec.ts';
import { answerChange } from '../changes.ts';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext } from '../dependencies.ts';
import { IfMatch, ifThere, readPreconditions, sendTagged } from '../preconditions.ts';
import { problemResponses } from '../problem.ts';
import { AnyObject, pageOf, ref } from '../schemas/shared.ts';
import { StreamSchema } from '../schemas/streams.ts';
import { filter, IdParams, idFilter } from '../validation.ts';

const ListQuery = Type.Object(
  {
    ...pageQuery,
    state: filter(STREAM_STATES, 'Streams in this state'),
    pipelineId: idFilter('Streams of this pipeline'),
    source: filter(['config', 'folder', 'api', 'fleet'], 'Streams that came from there'),
  },
  { additionalProperties: false },
);

/** Streams: what is wanted of a camera, and how it fares. */
export function streamRoutes({ orchestrator, cursors }: ApiContext): FastifyPluginAsyncTypebox {
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
          response: { 201: ref(StreamSchema), ...problemResponses(400, 409, 413, 415, 422, 503) },
        },
      },
      async ({ body }, reply) => {
        const stream = await orchestrator.createStream(body);
        reply.status(201).header('location', `/v1/streams/${stream.id}`);
        return sendTagged(reply, stream);
      },
    );

    app.get(
      '/streams',
      {
        schema: {
          tags: ['streams'],
          summary: 'Streams, oldest first',
          querystring: ListQuery,
          response: { 200: pageOf(ref(StreamSchema)), ...problemResponses(400) },
        },
      },
      async ({ query }, reply) => {
        const list = listName('/v1/streams', query);
        const page = cursors.page({
          list,
          query,
          items: orchestrator
            .listStreams()
            .filter(
              ({ status, pipelineId, source }) =>
                (query.state ?? status.state) === status.state &&
                (query.pipelineId ?? pipelineId) === pipelineId &&
                (query.source ?? source) === source,
            ),
          positionOf: ({ createdAt, id }) => [createdAt, id],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/streams/:id',
      {
        schema: {
          tags: ['streams'],
          summary: 'One stream: its spec, state, reason and counters',
          params: IdParams,
          response: { 200: ref(StreamSchema), ...problemResponses(404) },
        },
      },
      async ({ params }, reply) => sendTagged(reply, orchestrator.getStream(params.id)),
    );

    app.patch(
      '/streams/:id',
      {
        schema: {
          tags: ['streams'],
          summary: 'Change the spec of a stream with as little disturbance as the engine can',
          description:
            'A JSON Merge Patch (RFC 7396): null takes a key away. `{"enabled": false}` switches it off. 202 with a job in `Location` while the change is under way.',
          consumes: ['application/merge-patch+json'],
          params: IdParams,
          headers: IfMatch,
          body: AnyObject('What to change of the spec'),
          response: {
            200: ref(StreamSchema),
            202: ref(StreamSchema),
            ...problemResponses(400, 404, 409, 412, 413, 415, 422, 428, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        orchestrator.getStream(id);
        const asked = readPreconditions(request, () => orchestrator.getStream(id));
        const change = await orchestrator.patchStream(id, request.body, asked);
        return answerChange(reply, change, orchestrator.getStream(id), `/v1/streams/${id}`);
      },
    );

    app.delete(
      '/streams/:id',
      {
        schema: {
          tags: ['streams'],
          summary: 'Drain and forget a stream; answers when no process of it is left',
          description: 'If-Match is heeded where it is given; without it, the stream goes.',
          params: IdParams,
          headers: IfMatch,
          response: {
            204: Type.Null({ description: 'It is gone' }),
            ...problemResponses(400, 404, 409, 412),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        readPreconditions(request, () => ifThere(() => orchestrator.getStream(id)), {
          optional: true,
        });
        await orchestrator.removeStream(id);
        return reply.status(204).send(null);
      },
    );

    app.get(
      '/streams/:id/frame',
      {
        schema: {
          tags: ['streams'],
          summary: 'The newest frame message, as proto3 JSON of sightline.v1.Frame',
          params: IdParams,
          response: {
            200: Type.Object({}, { additionalProperties: true }),
            ...problemResponses(404),
          },
        },
      },
      async ({ params }, reply) => {
        const latest = orchestrator.getLatestFrame(params.id);
        if (latest === undefined) {
          throw new SightlineError('SL_NOT_FOUND', `Stream "${params.id}" has sent no frame yet`);
        }
        return reply.send(latest.frame);
      },
    );
  };
}
