import { SightlineApiError } from './errors.ts';
import { parseSse } from './sse.ts';
import { pause, type Transport } from './transport.ts';
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

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 15_000;
/** The server writes at least every 15 s. */
const SILENCE_MS = 40_000;

/**
 * Events as they happen, until `signal` aborts (it ends without an error then) or the caller breaks the loop. When the
 * line is lost it connects again, with growing pauses, and goes on where it was. Throws SightlineApiError for what the
 * server refuses.
 */
export async function* watchEvents(
  transport: Transport,
  options: EventOptions,
): AsyncGenerator<SightlineEvent> {
  const { signal, types, streamId, pipelineId, onConnection } = options;
  const query = { types: types?.join(','), streamId, pipelineId };
  let lastId = options.since?.toString();
  for (let failures = 0; signal?.aborted !== true; failures += 1) {
    const line = new AbortController();
    const end = () => line.abort();
    signal?.addEventListener('abort', end, { once: true });
    let silence = setTimeout(end, SILENCE_MS);
    try {
      const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
      const response = await transport.open('/v1/events', { query, headers }, line.signal);
      onConnection?.(true);
      for await (const message of parseSse(response.body as ReadableStream<Uint8Array>)) {
        failures = 0;
        clearTimeout(silence);
        silence = setTimeout(end, SILENCE_MS);
        lastId = message.id ?? lastId;
        if (message.event === 'reset') {
          yield { id: Number(lastId ?? 0), time: new Date().toISOString(), type: 'reset' };
        } else if (message.data !== undefined) {
          yield JSON.parse(message.data) as SightlineEvent;
        }
      }
    } catch (error) {
      if (error instanceof SightlineApiError && !error.retryable) throw error;
    } finally {
      clearTimeout(silence);
      signal?.removeEventListener('abort', end);
      line.abort();
      onConnection?.(false);
    }
    const bound = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** failures);
    await pause(Math.random() * bound, signal);
  }
}
