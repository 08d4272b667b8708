import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import { PipelineSpec, PipelineStream } from '../../pipeline/spec.ts';
import { answerChange } from '../changes.ts';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext } from '../dependencies.ts';
import { IfMatch, IfMatchOrNew, ifThere, readPreconditions, sendTagged } from '../preconditions.ts';
import { problemResponses } from '../problem.ts';
import { JobSchema, PipelineSchema } from '../schemas/pipelines.ts';
import { AnyObject, pageOf, ref } from '../schemas/shared.ts';
import { StreamSchema } from '../schemas/streams.ts';
import { checkSameId, filter, IdParams } from '../validation.ts';

const ListQuery = Type.Object(
  {
    ...pageQuery,
    source: filter(['config', 'folder', 'api', 'fleet'], 'Pipelines that came from there'),
    kind: filter(['pipeline', 'stream'], 'stream: made by POST /v1/streams'),
  },
  { additionalProperties: false },
);
const CHANGE_PROBLEMS = problemResponses(400, 404, 409, 412, 413, 415, 422, 428, 503);

/** Pipelines: several streams with one set of settings and one worker. */
export function pipelineRoutes({ orchestrator, cursors }: ApiContext): FastifyPluginAsyncTypebox {
  const there = (id: string) => ifThere(() => orchestrator.getPipeline(id));

  return async (app) => {
    app.get(
      '/pipelines',
      {
        schema: {
          tags: ['pipelines'],
          summary: 'Pipelines, oldest first; a stream made alone is one too',
          querystring: ListQuery,
          response: { 200: pageOf(ref(PipelineSchema)), ...problemResponses(400) },
        },
      },
      async ({ query }, reply) => {
        const list = listName('/v1/pipelines', query);
        const page = cursors.page({
          list,
          query,
          items: orchestrator
            .listPipelines()
            .filter(
              ({ source, kind }) =>
                (query.source ?? source) === source && (query.kind ?? kind) === kind,
            ),
          positionOf: ({ createdAt, id }) => [createdAt, id],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.post(
      '/pipelines',
      {
        schema: {
          tags: ['pipelines'],
          summary: 'Start a pipeline; it is kept and starts again with the server',
          body: PipelineSpec,
          response: {
            201: ref(PipelineSchema),
            202: ref(PipelineSchema),
            ...problemResponses(400, 409, 413, 415, 422, 503),
          },
        },
      },
      async ({ body }, reply) => {
        if (there(body.id) !== undefined) {
          throw new SightlineError(
            'SL_CONFLICT',
            `Cannot create pipeline "${body.id}": there is one with this id already`,
          );
        }
        const change = await orchestrator.putPipeline(body, { create: true });
        return answerChange(reply, change, change.view, `/v1/pipelines/${change.view.id}`);
      },
    );

    app.get(
      '/pipelines/:id',
      {
        schema: {
          tags: ['pipelines'],
          summary: 'One pipeline: its spec, streams and workers',
          params: IdParams,
          response: { 200: ref(PipelineSchema), ...problemResponses(404) },
        },
      },
      async ({ params }, reply) => sendTagged(reply, orchestrator.getPipeline(params.id)),
    );

    app.put(
      '/pipelines/:id',
      {
        schema: {
          tags: ['pipelines'],
          summary:
            'Make it so: create the pipeline, or change it with as little disturbance as possible',
          description:
            'Needs `If-None-Match: *` to create, `If-Match` to change. `***` where a secret is kept stands for that secret. 202 with a job in `Location` while the change is under way.',
          params: IdParams,
          headers: IfMatchOrNew,
          body: PipelineSpec,
          response: {
            200: ref(PipelineSchema),
            201: ref(PipelineSchema),
            202: ref(PipelineSchema),
            ...CHANGE_PROBLEMS,
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        checkSameId(id, request.body.id);
        const asked = readPreconditions(request, () => there(id), { mayCreate: true });
        const change = await orchestrator.putPipeline(request.body, asked);
        return answerChange(reply, change, change.view, `/v1/pipelines/${id}`);
      },
    );

    app.patch(
      '/pipelines/:id',
      {
        schema: {
          tags: ['pipelines'],
          summary: 'Change parts of the spec',
          description: 'A JSON Merge Patch (RFC 7396): null takes a key away; lists are replaced.',
          consumes: ['application/merge-patch+json'],
          params: IdParams,
          headers: IfMatch,
          body: AnyObject('What to change of the spec'),
          response: { 200: ref(PipelineSchema), 202: ref(PipelineSchema), ...CHANGE_PROBLEMS },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        orchestrator.getPipeline(id);
        const asked = readPreconditions(request, () => there(id));
        const change = await orchestrator.patchPipeline(id, request.body, asked);
        return answerChange(reply, change, change.view, `/v1/pipelines/${id}`);
      },
    );

    app.delete(
      '/pipelines/:id',
      {
        schema: {
          tags: ['pipelines'],
          summary: 'Drain and forget a pipeline with its streams',
          params: IdParams,
          headers: IfMatch,
          response: {
            204: Type.Null({ description: 'It is gone' }),
            ...problemResponses(400, 404, 409, 412, 428),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        orchestrator.getPipeline(id);
        const { generation } = readPreconditions(request, () => there(id));
        await orchestrator.removePipeline(id, generation === undefined ? {} : { generation });
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/pipelines/:id/restart',
      {
        schema: {
          tags: ['pipelines'],
          summary: 'Go over to a fresh worker, without a gap',
          params: IdParams,
          response: { 202: ref(JobSchema), ...problemResponses(400, 404, 409, 413, 415, 422, 503) },
        },
      },
      async ({ params }, reply) => {
        const job = orchestrator.restartPipeline(params.id);
        reply.status(202).header('location', `/v1/jobs/${encodeURIComponent(job.id)}`);
        return job;
      },
    );

    app.post(
      '/pipelines/:id/streams',
      {
        schema: {
          tags: ['pipelines'],
          summary: 'Add a stream to a pipeline that runs; the others are not disturbed',
          description: 'If-Match is heeded where it is given.',
          params: IdParams,
          headers: IfMatch,
          body: PipelineStream,
          response: {
            201: ref(StreamSchema),
            202: ref(StreamSchema),
            ...problemResponses(400, 404, 409, 412, 413, 415, 422, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        orchestrator.getPipeline(id);
        const asked = readPreconditions(request, () => there(id), { optional: true });
        const change = await orchestrator.addStream(id, request.body, asked);
        const stream = orchestrator.getStream(request.body.id);
        // The pipeline is changed, the stream is new.
        const made = { ...change, created: true };
        return answerChange(reply, made, stream, `/v1/streams/${stream.id}`);
      },
    );
  };
}
