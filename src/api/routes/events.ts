import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import type { ControlEvent, EventSubscription } from '../../control/types.ts';
import type { ApiContext } from '../dependencies.ts';
import { writeEvents } from '../event-stream.ts';
import { problemResponses } from '../problem.ts';
import { idFilter } from '../validation.ts';

const MAX_CLIENTS = 100;
/** Ids are numbers that JavaScript counts exactly. */
const EVENT_ID = /^\d{1,16}$/;

const EventQuery = Type.Object(
  {
    since: Type.Optional(
      Type.String({ pattern: '^\\d{1,16}$', description: 'Id of an event: those after it' }),
    ),
    types: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z-]*\\.(?:[a-z-]+|\\*)(?:,[a-z][a-z-]*\\.(?:[a-z-]+|\\*)){0,31}$',
        maxLength: 1024,
        description: 'Only these types, with commas between; `stream.*`: all of streams',
      }),
    ),
    streamId: idFilter('Only events of this stream'),
    pipelineId: idFilter('Only events of this pipeline'),
  },
  { additionalProperties: false },
);

function readId(text: string | undefined, where: string): number | undefined {
  if (text === undefined) return undefined;
  const id = Number(text);
  if (EVENT_ID.test(text) && Number.isSafeInteger(id)) return id;
  throw new SightlineError(
    'SL_REQUEST_INVALID',
    `Cannot resume: ${where} must be the id of an event`,
  );
}

function wants(query: {
  readonly types?: string;
  readonly streamId?: string;
  readonly pipelineId?: string;
}): (event: ControlEvent) => boolean {
  const types = query.types?.split(',');
  const isWanted = (type: string) =>
    types === undefined ||
    types.some((wanted) =>
      wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted,
    );
  return (event) =>
    isWanted(event.type) &&
    (query.streamId === undefined || event.streamId === query.streamId) &&
    (query.pipelineId === undefined || event.pipelineId === query.pipelineId);
}

/** Server-sent events (WHATWG HTML, 9.2): what happens to streams and workers, resumable by Last-Event-ID. */
export function eventRoutes({ orchestrator }: ApiContext): FastifyPluginAsyncTypebox {
  const open = new Set<EventSubscription>();
  return async (app) => {
    app.addHook('preClose', async () => {
      for (const subscription of open) subscription.close();
    });

    app.get(
      '/events',
      {
        schema: {
          tags: ['operations'],
          summary: 'Events as they happen (text/event-stream)',
          description:
            'Resumes after `Last-Event-ID` (or `since`). When those events are gone, a `reset` event comes first: read the state anew. A client that does not keep up (1000 events, or 30 s without reading) is cut off, and resumes.',
          querystring: EventQuery,
          headers: Type.Object({
            'last-event-id': Type.Optional(Type.String({ description: 'Id of an event' })),
          }),
          response: {
            200: {
              description: 'Events, without end',
              content: { 'text/event-stream': { schema: Type.String() } },
            },
            ...problemResponses(400, 503),
          },
        },
      },
      async (request, reply) => {
        if (open.size >= MAX_CLIENTS) {
          throw new SightlineError(
            'SL_UNAVAILABLE',
            `Cannot open another event stream: ${MAX_CLIENTS} are open`,
          );
        }
        const header = request.headers['last-event-id'];
        const afterId = readId(header, 'Last-Event-ID') ?? readId(request.query.since, 'since');
        const subscription = orchestrator.events.subscribe(
          afterId === undefined ? {} : { afterId },
        );
        const { lastId } = orchestrator.events;
        const startId = subscription.reset ? lastId : (afterId ?? lastId);
        open.add(subscription);
        reply.hijack();
        try {
          await writeEvents(reply.raw, subscription, wants(request.query), startId);
        } catch (error) {
          request.log.warn({ err: error }, 'events.failed');
        } finally {
          open.delete(subscription);
          subscription.close();
        }
      },
    );
  };
}
