import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SinkSpec } from '../../sinks/specs.ts';
import type { ApiContext } from '../dependencies.ts';
import {
  etagOf,
  IfMatch,
  IfMatchOrNew,
  ifThere,
  readPreconditions,
  sendTagged,
} from '../preconditions.ts';
import { problemResponses } from '../problem.ts';
import { OutboxSchema, SinkSchema } from '../schemas/delivery.ts';
import { AnyObject, listOf, ref } from '../schemas/shared.ts';
import { checkSameId, IdParams } from '../validation.ts';

const CHANGE_PROBLEMS = problemResponses(400, 404, 409, 412, 413, 415, 422, 428, 503);

/** Where records go. Sinks of the configuration file can be looked at, paused and resumed; others changed, too. */
export function sinkRoutes({ delivery }: ApiContext): FastifyPluginAsyncTypebox {
  const there = (id: string) => ifThere(() => delivery.sink(id));

  return async (app) => {
    app.get(
      '/sinks',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Every sink with its counters, lag and last error',
          response: {
            200: Type.Object(
              { items: listOf(ref(SinkSchema)), outbox: ref(OutboxSchema) },
              { additionalProperties: false },
            ),
          },
        },
      },
      async () => {
        const { state, bytes, refused, deadLettersDropped, corruptRecords, lastError } =
          delivery.outbox();
        const shown = { state, bytes, refused, deadLettersDropped, corruptRecords };
        return {
          items: delivery.sinks(),
          outbox: { ...shown, ...(lastError && { lastError }) },
        };
      },
    );

    app.get(
      '/sinks/:id',
      {
        schema: {
          tags: ['delivery'],
          summary: 'One sink: its spec, and how it fares',
          params: IdParams,
          response: { 200: ref(SinkSchema), ...problemResponses(404) },
        },
      },
      async ({ params }, reply) => sendTagged(reply, delivery.sink(params.id)),
    );

    app.put(
      '/sinks/:id',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Make a sink, or change it; what waits for it goes to the changed one',
          description:
            'Needs `If-None-Match: *` to create, `If-Match` to change. `***` where a secret is kept stands for that secret. 409 for sinks of the configuration file.',
          params: IdParams,
          headers: IfMatchOrNew,
          body: SinkSpec,
          response: { 200: ref(SinkSchema), 201: ref(SinkSchema), ...CHANGE_PROBLEMS },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        checkSameId(id, request.body.id);
        const asked = readPreconditions(request, () => there(id), { mayCreate: true });
        const { view, created } = await delivery.putSink(request.body, asked);
        reply.header('etag', etagOf(view)).status(created ? 201 : 200);
        if (created) reply.header('location', `/v1/sinks/${encodeURIComponent(id)}`);
        return view;
      },
    );

    app.patch(
      '/sinks/:id',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Change parts of a sink',
          description: 'A JSON Merge Patch (RFC 7396): null takes a key away; lists are replaced.',
          consumes: ['application/merge-patch+json'],
          params: IdParams,
          headers: IfMatch,
          body: AnyObject('What to change of the spec'),
          response: { 200: ref(SinkSchema), ...CHANGE_PROBLEMS },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        delivery.sink(id);
        const asked = readPreconditions(request, () => there(id));
        return sendTagged(reply, await delivery.patchSink(id, request.body, asked));
      },
    );

    app.delete(
      '/sinks/:id',
      {
        schema: {
          tags: ['delivery'],
          summary: 'End a sink; what waits for it is kept until it is forgotten or too old',
          params: IdParams,
          headers: IfMatch,
          response: {
            204: Type.Null({ description: 'It is gone' }),
            ...problemResponses(400, 404, 409, 412, 428, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        delivery.sink(id);
        await delivery.removeSink(
          id,
          readPreconditions(request, () => there(id)),
        );
        return reply.status(204).send(null);
      },
    );

    for (const [verb, summary, act] of [
      ['pause', 'Send nothing until it is resumed, also after a restart', delivery.pauseSink],
      ['resume', 'Go on at once, also where a failing sink is left alone', delivery.resumeSink],
    ] as const) {
      app.post(
        `/sinks/:id/${verb}`,
        {
          schema: {
            tags: ['delivery'],
            summary,
            params: IdParams,
            response: { 200: ref(SinkSchema), ...problemResponses(400, 404, 413, 415, 422, 503) },
          },
        },
        async ({ params }) => act((params as { id: string }).id),
      );
    }

    app.post(
      '/sinks/:id/forget',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Give up what a sink that is gone left behind',
          params: IdParams,
          response: {
            204: Type.Null({ description: 'It is given up' }),
            ...problemResponses(400, 404, 409, 413, 415, 422, 503),
          },
        },
      },
      async ({ params }, reply) => {
        await delivery.forgetSink(params.id);
        return reply.status(204).send(null);
      },
    );
  };
}
