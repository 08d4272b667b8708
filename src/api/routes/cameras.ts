import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { checkValue } from '../../common/check.ts';
import { SightlineError } from '../../common/errors.ts';
import { mergePatch } from '../../common/merge-patch.ts';
import type { JsonObject } from '../../control/types.ts';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext } from '../dependencies.ts';
import { IfMatch, IfMatchOrNew, ifThere, readPreconditions, sendTagged } from '../preconditions.ts';
import { problemResponses } from '../problem.ts';
import { CAMERA_ID_PATTERN, CameraSchema, CameraSpecSchema } from '../schemas/cameras.ts';
import { AnyObject, pageOf, ref } from '../schemas/shared.ts';
import { checkRequest, IdParams } from '../validation.ts';

const ListQuery = Type.Object(pageQuery, { additionalProperties: false });
const NewParams = Type.Object({
  id: Type.String({ pattern: CAMERA_ID_PATTERN, description: 'As in `sensorId` of its streams' }),
});
const MAX_REPORT_CHARACTERS = 4_096;

/** Cameras: devices that say themselves how they are. */
export function cameraRoutes({ orchestrator, cursors }: ApiContext): FastifyPluginAsyncTypebox {
  const there = (id: string) => ifThere(() => orchestrator.cameras.get(id));

  return async (app) => {
    app.get(
      '/cameras',
      {
        schema: {
          tags: ['cameras'],
          summary: 'Declared cameras, oldest first',
          querystring: ListQuery,
          response: { 200: pageOf(ref(CameraSchema)), ...problemResponses(400) },
        },
      },
      async ({ query }, reply) => {
        const list = listName('/v1/cameras', query);
        const page = cursors.page({
          list,
          query,
          items: orchestrator.cameras.list(),
          positionOf: ({ createdAt, id }) => [createdAt, id],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/cameras/:id',
      {
        schema: {
          tags: ['cameras'],
          summary: 'One camera: its streams, and whether it reports in time',
          params: IdParams,
          response: { 200: ref(CameraSchema), ...problemResponses(404) },
        },
      },
      async ({ params }, reply) => sendTagged(reply, orchestrator.cameras.get(params.id)),
    );

    app.put(
      '/cameras/:id',
      {
        schema: {
          tags: ['cameras'],
          summary: 'Declare a camera, or change what was declared',
          description: 'Needs `If-None-Match: *` to declare it, `If-Match` to change it.',
          params: NewParams,
          headers: IfMatchOrNew,
          body: CameraSpecSchema,
          response: {
            200: ref(CameraSchema),
            201: ref(CameraSchema),
            ...problemResponses(400, 412, 413, 415, 428),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const asked = readPreconditions(request, () => there(id), { mayCreate: true });
        const { view, created } = orchestrator.cameras.put(id, request.body, asked);
        if (created) reply.status(201).header('location', `/v1/cameras/${encodeURIComponent(id)}`);
        return sendTagged(reply, view);
      },
    );

    app.patch(
      '/cameras/:id',
      {
        schema: {
          tags: ['cameras'],
          summary: 'Change parts of what was declared',
          description: 'A JSON Merge Patch (RFC 7396): null takes a key away.',
          consumes: ['application/merge-patch+json'],
          params: IdParams,
          headers: IfMatch,
          body: AnyObject('What to change of the spec'),
          response: {
            200: ref(CameraSchema),
            ...problemResponses(400, 404, 412, 413, 415, 422, 428),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const now = orchestrator.cameras.get(id);
        const asked = readPreconditions(request, () => now);
        const merged = mergePatch({ ...now.spec } as JsonObject, request.body);
        const spec = checkValue(merged, CameraSpecSchema, { subject: 'the patched camera' });
        return sendTagged(reply, orchestrator.cameras.put(id, spec, asked).view);
      },
    );

    app.delete(
      '/cameras/:id',
      {
        schema: {
          tags: ['cameras'],
          summary: 'Forget a camera; its streams stay',
          params: IdParams,
          headers: IfMatch,
          response: {
            204: Type.Null({ description: 'It is gone' }),
            ...problemResponses(400, 404, 412, 428),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        orchestrator.cameras.get(id);
        const { generation } = readPreconditions(request, () => there(id));
        orchestrator.cameras.remove(id, generation === undefined ? {} : { generation });
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/cameras/:id/heartbeat',
      {
        schema: {
          tags: ['cameras'],
          summary: 'The camera says that it works',
          description:
            'The body is optional: what it reports, at most 4096 characters. A beat never changes the state of a stream.',
          params: IdParams,
          body: Type.Optional(AnyObject('What the camera reports')),
          response: { 200: ref(CameraSchema), ...problemResponses(400, 404, 409, 413, 415, 422) },
        },
        validatorCompiler: (part) => (part.httpPart === 'body' ? checkReport : checkRequest(part)),
      },
      async ({ params, body }, reply) => {
        const report = body as JsonObject | undefined;
        return sendTagged(reply, orchestrator.cameras.heartbeat(params.id, report));
      },
    );
  };
}

/** Fastify gives null for no body (a body that is null does not come here): then there is nothing to check. */
function checkReport(data: unknown) {
  if (data === null) return { value: undefined };
  if (typeof data === 'object' && !Array.isArray(data)) {
    if (JSON.stringify(data).length <= MAX_REPORT_CHARACTERS) return { value: data };
  }
  return {
    error: new SightlineError(
      'SL_REQUEST_INVALID',
      `Cannot use the report: it must be an object of at most ${MAX_REPORT_CHARACTERS} characters of JSON`,
    ),
  };
}
