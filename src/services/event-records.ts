import type { OutboxRecord } from '../common/delivery.ts';
import type { ControlEvent, Events } from '../control/types.ts';

/** What a consumer of metadata wants to know too: that a camera is away and why, not how records fare on their way. */
const TOLD = /^(?:stream|pipeline|camera|worker|incident|config)\./;
/** Who has no stream, pipeline or camera in it. */
const SERVER = 'sightline';

/**
 * Hands events on as records of the kind `event`, for the sinks that take them: JSON, with the event's id in the record's
 * own, so that a consumer can tell a second delivery. Ends when the log of events is closed.
 */
export async function recordEvents(
  events: Events,
  accept: (records: readonly OutboxRecord[]) => void | Promise<void>,
): Promise<void> {
  let afterId = events.lastId;
  for (;;) {
    const subscription = events.subscribe({ afterId });
    for await (const event of subscription) {
      afterId = event.id;
      if (TOLD.test(event.type)) await accept([recordOf(event)]);
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
