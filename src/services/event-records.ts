import type { OutboxRecord } from '../common/delivery.ts';
import type { ControlEvent, Orchestrator } from '../control/types.ts';

/** What a consumer of metadata wants to know too: that a camera is away and why, not how records fare on their way. */
const TOLD = /^(?:stream|pipeline|camera|worker|incident|config|recording)\./;
/** Who has no stream, pipeline or camera in it. */
const SERVER = 'sightline';

/**
 * Hands events on as records of the kind `event`, for the sinks that take them: JSON, with the event's id in the record's
 * own, so that a consumer can tell a second delivery. Those of a stream go where its other records go. Ends when the log
 * of events is closed.
 */
export async function recordEvents(
  orchestrator: Pick<Orchestrator, 'events' | 'getStream'>,
  accept: (records: readonly OutboxRecord[]) => void | Promise<void>,
): Promise<void> {
  const { events } = orchestrator;
  let afterId = events.lastId;
  for (;;) {
    const subscription = events.subscribe({ afterId });
    for await (const event of subscription) {
      afterId = event.id;
      if (TOLD.test(event.type))
        await accept([{ ...recordOf(event), ...routeOf(event, orchestrator) }]);
    }
    // Who was too slow goes on where it was.
    if (subscription.ended !== 'slow') return;
  }
}

function recordOf(event: ControlEvent): OutboxRecord {
  const { id, time, streamId, pipelineId, ['cameraId']: cameraId } = event;
  return {
    kind: 'event',
    streamId: streamId ?? pipelineId ?? (typeof cameraId === 'string' ? cameraId : SERVER),
    recordId: `event/${id}`,
    atMs: Date.parse(time),
    payload: Buffer.from(JSON.stringify(event)),
  };
}

/** A stream that is gone has no wishes any more. */
export function routeOf(
  { streamId }: { readonly streamId?: string },
  orchestrator: Pick<Orchestrator, 'getStream'>,
): Pick<OutboxRecord, 'sinks'> {
  if (streamId === undefined) return {};
  try {
    const sinks = orchestrator.getStream(streamId).spec['sinks'] as readonly string[] | undefined;
    return sinks === undefined ? {} : { sinks };
  } catch {
    return {};
  }
}
