import type { ServerResponse } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { SightlineError } from '../../common/errors.ts';
import type { LiveSubscription } from '../../common/live-records.ts';
import { frameToJson } from '../../metadata/frame.ts';
import type { ApiContext } from '../dependencies.ts';
import { problemResponses } from '../problem.ts';
import { SseLine } from '../sse-line.ts';
import { idFilter } from '../validation.ts';

const MAX_CLIENTS = 50;
const MetadataQuery = Type.Object(
  { streamId: idFilter('Only frames of this stream') },
  { additionalProperties: false },
);

/** Frames as they come, for pages and people: what a client missed is gone. Who must miss nothing takes a sink. */
export function metadataRoutes({ live }: ApiContext): FastifyPluginAsyncTypebox {
  const open = new Set<LiveSubscription>();
  return async (app) => {
    app.addHook('preClose', async () => {
      for (const subscription of open) subscription.close();
    });

    app.get(
      '/metadata',
      {
        schema: {
          tags: ['delivery'],
          summary: 'Frames as they come (text/event-stream)',
          description:
            'Events of the type `frame`: sightline.v1.Frame in its JSON mapping. A client that does not keep up (100 frames) loses the oldest and is told how many in a `dropped` event; after 30 s without reading it is cut off. Nothing is sent again: who must miss nothing takes a sink.',
          querystring: MetadataQuery,
          response: {
            200: {
              description: 'Frames, without end',
              content: { 'text/event-stream': { schema: Type.String() } },
            },
            ...problemResponses(400, 503),
          },
        },
      },
      async (request, reply) => {
        if (open.size >= MAX_CLIENTS) {
          const message = `Cannot open another stream of metadata: ${MAX_CLIENTS} are open`;
          throw new SightlineError('SL_UNAVAILABLE', message);
        }
        const subscription = live.subscribe({ streamId: request.query.streamId });
        open.add(subscription);
        reply.hijack();
        try {
          await writeFrames(reply.raw, subscription);
        } catch (error) {
          request.log.warn({ err: error }, 'metadata.failed');
        } finally {
          open.delete(subscription);
          subscription.close();
        }
      },
    );
  };
}

async function writeFrames(raw: ServerResponse, subscription: LiveSubscription): Promise<void> {
  if (raw.destroyed) return;
  const line = new SseLine(raw, {
    heartbeat: () => ': \n\n',
    onGone: () => subscription.close(),
  });
  let told = 0;
  try {
    await line.write(': \n\n');
    for (;;) {
      const record = await subscription.next();
      if (record === undefined) return;
      const { dropped } = subscription;
      const loss = dropped === told ? '' : `event: dropped\ndata: {"frames":${dropped - told}}\n\n`;
      told = dropped;
      const frame = JSON.stringify(frameToJson(record.payload));
      await line.write(`${loss}event: frame\ndata: ${frame}\n\n`);
    }
  } finally {
    line.end();
  }
}
