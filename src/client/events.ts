import { follow } from './follow.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** Something that happened; `reset`: events were missed, read the state anew. */
export interface SightlineEvent {
  readonly id: number;
  readonly time: string;
  readonly type: string;
  readonly streamId?: string;
  readonly pipelineId?: string;
  readonly [fact: string]: unknown;
}

export interface EventOptions extends CallOptions {
  /** Only these; `stream.*`: all of streams. */
  readonly types?: readonly string[];
  readonly streamId?: string;
  readonly pipelineId?: string;
  /** Begin after this event. Default: with what comes from now on. */
  readonly since?: number;
  /** Called when the line is up (true) and when it is lost (false). */
  readonly onConnection?: (open: boolean) => void;
}

/**
 * Events as they happen, until `signal` aborts (it ends without an error then) or the caller breaks the loop. When the
 * line is lost it connects again, with growing pauses, and goes on where it was. Throws SightlineApiError for what the
 * server refuses.
 */
export async function* watchEvents(
  transport: Transport,
  options: EventOptions,
): AsyncGenerator<SightlineEvent> {
  const { signal, types, streamId, pipelineId, onConnection, since } = options;
  const query = { types: types?.join(','), streamId, pipelineId };
  let lastId = since?.toString();
  const line = { ...(signal && { signal }), query, since: lastId, onConnection };
  for await (const message of follow(transport, '/v1/events', line)) {
    lastId = message.id ?? lastId;
    if (message.event === 'reset') {
      yield { id: Number(lastId ?? 0), time: new Date().toISOString(), type: 'reset' };
    } else if (message.data !== undefined) {
      yield JSON.parse(message.data) as SightlineEvent;
    }
  }
}
