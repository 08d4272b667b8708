import type { ServerResponse } from 'node:http';
import type { ControlEvent, EventSubscription } from '../control/types.ts';
import { SseLine } from './sse-line.ts';

function toText(event: ControlEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/**
 * Writes a subscription to one client until it is gone, was cut off, or the subscription has ended. What waits for the
 * client is bounded by the queue of the subscription; who is cut off can resume by the last id it got.
 */
export async function writeEvents(
  raw: ServerResponse,
  subscription: EventSubscription,
  wants: (event: ControlEvent) => boolean,
  startId: number,
): Promise<void> {
  if (raw.destroyed) return;
  let lastId = startId;
  const line = new SseLine(raw, {
    // The id moves on also over events that the client did not ask for: it resumes where it really is.
    heartbeat: () => `id: ${lastId}\n\n`,
    mustEnd: () => subscription.ended === 'slow',
    onGone: () => subscription.close(),
  });
  try {
    // The id tells where the client is before the first event came: it misses none when the line breaks now.
    const start = subscription.reset ? 'event: reset\ndata: {}\n' : '';
    await line.write(`${start}id: ${lastId}\n\n`);
    for await (const event of subscription) {
      lastId = event.id;
      if (wants(event)) await line.write(toText(event));
    }
  } finally {
    line.end();
  }
}
