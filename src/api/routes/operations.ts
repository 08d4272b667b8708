import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { ModelSchema } from '../schemas/operations.ts';
import { CapacitySchema, JobSchema, WorkerSchema } from '../schemas/pipelines.ts';
import { pageOf, ref } from '../schemas/shared.ts';
import { filter, IdParams, idFilter } from '../validation.ts';

const JOB_STATES = ['running', 'succeeded', 'failed'];
const JobQuery = Type.Object(
  {
    ...pageQuery,
    state: filter(JOB_STATES, 'Jobs in this state'),
    subject: idFilter('Jobs of this pipeline or stream'),
  },
  { additionalProperties: false },
);
const WorkerQuery = Type.Object(
  { ...pageQuery, pipelineId: idFilter('Workers of this pipeline') },
  { additionalProperties: false },
);
const ModelQuery = Type.Object(pageQuery, { additionalProperties: false });

/** What runs, what it costs, what it can run: jobs, workers, the box, models. */
export function operationRoutes(context: ApiContext): FastifyPluginAsyncTypebox {
  const { orchestrator, cursors } = context;
  return async (app) => {
    app.get(
      '/jobs',
      {
        schema: {
          tags: ['operations'],
          summary: 'Long operations, newest first: the last 1000, in memory',
          querystring: JobQuery,
          response: { 200: pageOf(ref(JobSchema)), ...problemResponses(400) },
        },
      },
      async ({ query }, reply) => {
        const list = listName('/v1/jobs', query);
        const page = cursors.page({
          list,
          query,
          items: orchestrator
            .listJobs()
            .filter(
              ({ state, subject }) =>
                (query.state ?? state) === state && (query.subject ?? subject) === subject,
            ),
          positionOf: ({ createdAt, id }) => [-Date.parse(createdAt), id],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/jobs/:id',
      {
        schema: {
          tags: ['operations'],
          summary: 'One long operation: how far it is, what it meant for each stream',
          params: IdParams,
          response: { 200: ref(JobSchema), ...problemResponses(404) },
        },
      },
      async ({ params }) => orchestrator.getJob(params.id),
    );

    app.get(
      '/workers',
      {
        schema: {
          tags: ['operations'],
          summary: 'Worker processes with their use of the machine and the reason of the last exit',
          querystring: WorkerQuery,
          response: { 200: pageOf(ref(WorkerSchema)), ...problemResponses(400) },
        },
      },
      async ({ query }, reply) => {
        const list = listName('/v1/workers', query);
        const page = cursors.page({
          list,
          query,
          items: orchestrator
            .workers()
            .filter(({ pipelineId }) => (query.pipelineId ?? pipelineId) === pipelineId),
          positionOf: ({ pipelineId, lane, startedAt }) => [
            ...[pipelineId, lane ?? '', startedAt ?? ''],
          ],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/capacity',
      {
        schema: {
          tags: ['operations'],
          summary: 'What the streams cost this box, and how much is left',
          response: { 200: ref(CapacitySchema) },
        },
      },
      async () => orchestrator.capacity(),
    );

    app.get(
      '/models',
      {
        schema: {
          tags: ['models'],
          summary: 'Installed models, by name',
          querystring: ModelQuery,
          response: { 200: pageOf(ref(ModelSchema)), ...problemResponses(400) },
        },
      },
      async ({ query }, reply) => {
        const list = listName('/v1/models', query);
        const page = cursors.page({
          list,
          query,
          items: await context.models.list(),
          positionOf: ({ name }) => [name],
        });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/models/:id',
      {
        schema: {
          tags: ['models'],
          summary: 'One model: what it can find, and whether it can be used',
          params: IdParams,
          response: { 200: ref(ModelSchema), ...problemResponses(404) },
        },
      },
      async ({ params }) => context.models.get(params.id),
    );
  };
}
