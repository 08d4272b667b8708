import { setImmediate as nextTurn } from 'node:timers/promises';
import { ERROR_CODES, type ErrorCode, SightlineError } from '../common/errors.ts';
import type { ReplyEvent } from './events.ts';

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface RequestOptions {
  /** What is asked, for the error: `state playing`. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Requests to the addon that wait for their reply. */
export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  /** Sends a request. Throws `SL_PIPELINE_TIMEOUT` at its limit, the signal's reason when aborted, or the reply's error. */
  async send<T>(send: (id: number) => void, options: RequestOptions): Promise<T> {
    const { what, timeoutMs, signal } = options;
    signal?.throwIfAborted();
    const id = this.#nextId++;
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    const expire = async () => {
      // After a busy spell the reply may be waiting behind this timer: it counts.
      await nextTurn();
      const message = `GStreamer did not finish ${what} within ${timeoutMs} ms`;
      this.#reject(id, new SightlineError('SL_PIPELINE_TIMEOUT', message));
    };
    const timer = setTimeout(expire, timeoutMs);
    const onAbort = () => this.#reject(id, signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      send(id);
      return (await reply) as T;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#pending.delete(id);
    }
  }

  /** Hands a reply to its request; one that came too late is ignored. */
  settle(reply: ReplyEvent): void {
    const { error } = reply;
    if (error === undefined) {
      this.#pending.get(reply.id)?.resolve(reply.result);
      return;
    }
    const code = Object.hasOwn(ERROR_CODES, error.code)
      ? (error.code as ErrorCode)
      : 'SL_PIPELINE_FAILED';
    this.#reject(reply.id, new SightlineError(code, error.message, { details: error.details }));
  }

  /** Fails everything that waits. */
  failAll(error: SightlineError): void {
    for (const id of [...this.#pending.keys()]) this.#reject(id, error);
  }

  #reject(id: number, error: unknown): void {
    this.#pending.get(id)?.reject(error);
  }
}
