import type { StreamEvent, StreamWait } from '../worker/protocol.ts';
import type { Clock } from './stream-state.ts';

/** What a person has to mend. Trying often may lock the camera's account. */
const TRIED_RARELY: ReadonlySet<string> = new Set([
  'SL_SOURCE_UNAUTHORIZED',
  'SL_SOURCE_REDIRECTED',
]);

/**
 * A camera's refusal that is to be tried again rarely, whichever worker runs the stream by then: a worker that starts
 * knows nothing of the tries of the one before it.
 */
export class Refusal {
  readonly #monotonicMs: Clock['monotonicMs'];
  #reason: Omit<StreamWait, 'retryInMs'> | undefined;
  #everyMs = 0;
  #dueMs = 0;

  constructor({ monotonicMs }: Pick<Clock, 'monotonicMs'>) {
    this.#monotonicMs = monotonicMs;
  }

  /** Takes a worker's word. */
  note({ phase, code = '', message = '', retryInMs = 0 }: StreamEvent): void {
    if (phase === 'live' || (phase === 'backoff' && !TRIED_RARELY.has(code))) this.forget();
    else if (phase === 'backoff') {
      // One that was told to wait says the rest of the interval, not the whole.
      this.#everyMs = this.#reason === undefined ? retryInMs : Math.max(this.#everyMs, retryInMs);
      this.#reason = { code, message };
      this.#dueMs = this.#monotonicMs() + retryInMs;
    }
    // A try is spent when it begins: the worker may die before the answer.
    else if (phase === 'connecting') this.#dueMs = this.#monotonicMs() + this.#everyMs;
  }

  /** How long the next try has to wait, and why; undefined when it has not. */
  get wait(): StreamWait | undefined {
    const retryInMs = Math.round(this.#dueMs - this.#monotonicMs());
    if (this.#reason === undefined || retryInMs <= 0) return undefined;
    return { ...this.#reason, retryInMs };
  }

  /** The spec is another one, or a person asks for a try. */
  forget(): void {
    this.#reason = undefined;
  }
}
