import type { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { pack } from 'tar-stream';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import type { Incidents, IncidentView } from '../../control/types.ts';
import { linkNext, listName, pageQuery } from '../cursors.ts';
import type { ApiContext } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { IncidentSchema } from '../schemas/pipelines.ts';
import { pageOf, ref } from '../schemas/shared.ts';
import { IdParams } from '../validation.ts';

const ListQuery = Type.Object(pageQuery, { additionalProperties: false });
const OneParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 128 }),
  n: Type.String({ pattern: '^[1-9]\\d{0,8}$', description: 'Number of the incident' }),
});
const FileParams = Type.Object({
  ...OneParams.properties,
  name: Type.String({ minLength: 1, maxLength: 128, description: 'As in `files`' }),
});

/** What the flight recorder kept of workers that died, hung or were replaced. */
export function incidentRoutes({ orchestrator, cursors }: ApiContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/pipelines/:id/incidents',
      {
        schema: {
          tags: ['incidents'],
          summary: 'Incidents of a pipeline, newest first',
          params: IdParams,
          querystring: ListQuery,
          response: { 200: pageOf(ref(IncidentSchema)), ...problemResponses(400, 404) },
        },
      },
      async ({ params, query }, reply) => {
        const path = `/v1/pipelines/${encodeURIComponent(params.id)}/incidents`;
        const list = listName(path, query);
        const items = orchestrator.incidents.list(params.id);
        const page = cursors.page({ list, query, items, positionOf: ({ n }) => [-n] });
        linkNext(reply, list, page, query.limit);
        return page;
      },
    );

    app.get(
      '/pipelines/:id/incidents/:n',
      {
        schema: {
          tags: ['incidents'],
          summary: 'One incident: what happened, and which files were kept',
          params: OneParams,
          response: { 200: ref(IncidentSchema), ...problemResponses(400, 404) },
        },
      },
      async ({ params }) => orchestrator.incidents.get(params.id, Number(params.n)),
    );

    app.get(
      '/pipelines/:id/incidents/:n/files/:name',
      {
        schema: {
          tags: ['incidents'],
          summary: 'One file of an incident; every text has lost its secrets',
          params: FileParams,
          response: {
            200: {
              description: 'The text',
              content: { 'text/plain': { schema: Type.String() } },
            },
            ...problemResponses(400, 404),
          },
        },
      },
      async ({ params }, reply) => {
        const incident = orchestrator.incidents.get(params.id, Number(params.n));
        const text = await readKept(orchestrator.incidents, incident, params.name);
        return reply.type('text/plain; charset=utf-8').send(text);
      },
    );

    app.get(
      '/pipelines/:id/incidents/:n/download',
      {
        schema: {
          tags: ['incidents'],
          summary: 'All files of an incident in one archive (tar, gzip)',
          params: OneParams,
          response: {
            200: {
              description: 'The archive',
              content: {
                'application/gzip': {
                  schema: Type.Unsafe<Readable>({ type: 'string', format: 'binary' }),
                },
              },
            },
            ...problemResponses(400, 404),
          },
        },
      },
      async ({ params }, reply) => {
        const incident = orchestrator.incidents.get(params.id, Number(params.n));
        const name = `${incident.pipelineId}-incident-${incident.n}`;
        return reply
          .headers({ 'content-disposition': `attachment; filename="${name}.tar.gz"` })
          .type('application/gzip')
          .send(await archive(orchestrator.incidents, incident, name));
      },
    );
  };
}

/** Only names that the incident itself lists are read: a name from outside is no path. */
async function readKept(incidents: Incidents, of: IncidentView, name: string): Promise<string> {
  if (!of.files.some((file) => file.name === name)) {
    throw new SightlineError('SL_NOT_FOUND', `Incident ${of.n} has no file of this name`);
  }
  return incidents.read(of.pipelineId, of.n, name);
}

/** The files are small (the recorder bounds them): they are read first, so that an error is still an answer. */
async function archive(
  incidents: Incidents,
  incident: IncidentView,
  folder: string,
): Promise<Readable> {
  const tar = pack();
  const mtime = new Date(incident.at);
  const add = (name: string, text: string) => tar.entry({ name: `${folder}/${name}`, mtime }, text);
  add('incident.json', `${JSON.stringify(incident, null, 2)}\n`);
  for (const { name } of incident.files) add(name, await readKept(incidents, incident, name));
  tar.finalize();
  return tar.pipe(createGzip());
}
