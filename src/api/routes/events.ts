import { once } from 'node:events';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import type { ControlEvent, EventSubscription } from '../../control/types.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';

const HEARTBEAT_MS = 15_000;
const MAX_CLIENTS = 100;
const EVENT_ID = /^\d{1,15}$/;

function lastEventId(
  header: string | string[] | undefined,
  since: number | undefined,
): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return since;
  if (!EVENT_ID.test(text)) {
    throw new SightlineError(
      'SL_REQUEST_INVALID',
      'Cannot resume: Last-Event-ID must be the id of an event',
    );
  }
  return Number(text);
}

function toText(event: ControlEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Server-sent events (WHATWG HTML, 9.2): what happens to streams and workers, resumable by Last-Event-ID. */
export function eventRoutes(deps: ApiDependencies): FastifyPluginAsyncTypebox {
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
            'Resumes after `Last-Event-ID` (or `since`). When those events are gone, a `reset` event comes first: read the state anew. A client that does not keep up is cut off.',
          querystring: Type.Object(
            {
              since: Type.Optional(
                Type.String({ pattern: '^\\d{1,15}$', description: 'Id of an event' }),
              ),
            },
            { additionalProperties: false },
          ),
          response: {
            200: { content: { 'text/event-stream': { schema: Type.String() } } },
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
        const { since } = request.query;
        const afterId = lastEventId(
          request.headers['last-event-id'],
          since === undefined ? undefined : Number(since),
        );
        const abort = new AbortController();
        request.raw.once('close', () => abort.abort());
        const subscription = deps.orchestrator.events.subscribe({
          signal: abort.signal,
          ...(afterId === undefined ? {} : { afterId }),
        });
        open.add(subscription);
        reply.hijack();
        const { raw } = reply;
        const heartbeat = setInterval(() => raw.write(': \n\n'), HEARTBEAT_MS);
        try {
          raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
          raw.write(subscription.reset ? 'event: reset\ndata: {}\n\n' : ': open\n\n');
          for await (const event of subscription) {
            if (!raw.write(toText(event))) await once(raw, 'drain', { signal: abort.signal });
          }
        } catch (error) {
          if (!abort.signal.aborted) request.log.warn({ err: error }, 'events.failed');
        } finally {
          clearInterval(heartbeat);
          open.delete(subscription);
          subscription.close();
          raw.end();
        }
      },
    );
  };
}
