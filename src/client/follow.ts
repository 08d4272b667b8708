import { SightlineApiError } from './errors.ts';
import { parseSse, type SseMessage } from './sse.ts';
import { pause, type Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 15_000;
/** The server writes at least every 15 s. */
const SILENCE_MS = 40_000;

export interface FollowOptions extends CallOptions {
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Begin after this id. */
  readonly since?: string | undefined;
  /** Called when the line is up (true) and when it is lost (false). */
  readonly onConnection?: ((open: boolean) => void) | undefined;
}

/**
 * The messages of a stream of server-sent events, until `signal` aborts (it ends without an error then) or the caller
 * breaks the loop. When the line is lost it connects again, with growing pauses, after the last id it got. Throws
 * SightlineApiError for what the server refuses.
 */
export async function* follow(
  transport: Transport,
  path: string,
  { signal, query, since, onConnection }: FollowOptions,
): AsyncGenerator<SseMessage> {
  let lastId = since;
  for (let failures = 0; signal?.aborted !== true; failures += 1) {
    const line = new AbortController();
    const end = () => line.abort();
    signal?.addEventListener('abort', end, { once: true });
    let silence = setTimeout(end, SILENCE_MS);
    try {
      const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
      const response = await transport.open(path, { query, headers }, line.signal);
      onConnection?.(true);
      for await (const message of parseSse(response.body as ReadableStream<Uint8Array>)) {
        failures = 0;
        clearTimeout(silence);
        silence = setTimeout(end, SILENCE_MS);
        lastId = message.id ?? lastId;
        yield message;
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
