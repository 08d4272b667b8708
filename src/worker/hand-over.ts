import { SightlineError } from '../common/errors.ts';
import { deferred } from '../common/waits.ts';
import type { Run } from './run.ts';

export interface HandOverOptions {
  readonly next: Run;
  /** The run whose streams the phases speak of now; undefined between two sessions. */
  readonly current: () => Run | undefined;
  readonly timeoutMs: number;
}

/** Starts a run beside the current one and waits until it can take over. */
export class HandOver {
  readonly #options: HandOverOptions;
  readonly #ready = deferred<void>();

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the next run has pictures of every stream that the current one has some of, and of one at least.
   * Throws `SL_TIMEOUT`, or why the next run ended; it is over by then.
   */
  async wait(): Promise<void> {
    const { next, timeoutMs } = this.#options;
    const { session, graph } = next;
    void session.ended.then((end) => {
      const gone = new SightlineError('SL_CLOSED', `Graph "${graph.id}" was stopped`);
      this.#ready.reject(end.cause === 'failed' ? end.error : gone);
    });
    const timer = setTimeout(() => {
      const message = `The new graph "${graph.id}" had no picture within ${timeoutMs} ms; the old one runs on`;
      this.#ready.reject(new SightlineError('SL_TIMEOUT', message));
    }, timeoutMs);
    try {
      void session.start();
      await this.#ready.promise;
    } catch (error) {
      session.stop();
      await session.ended;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A stream of one of both changed its phase. */
  check(): void {
    const { next, current } = this.#options;
    const { streams } = next.graph;
    const missing = streams.filter((id) => current()?.hasPictures(id) && !next.hasPictures(id));
    if (missing.length === 0 && streams.some((id) => next.hasPictures(id))) this.#ready.resolve();
  }

  /** Nothing is to be taken over any more. */
  cancel(): void {
    this.#options.next.session.stop();
  }
}
