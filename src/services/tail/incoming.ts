import { type SightlineError, toSightlineError } from '../../common/errors.ts';
import type { SightlineRecord } from '../../consumer/index.ts';
import type { ReadOptions } from './tail.ts';

/** Messages that wait to be printed; beyond it new ones are passed over, and counted. */
const MAX_WAITING = 1000;

/** Messages of a client that pushes them, for a reader that takes its time. */
export class Incoming {
  readonly #options: Pick<ReadOptions, 'signal' | 'tell'>;
  readonly #waiting: (readonly SightlineRecord[])[] = [];
  readonly failed: Promise<never>;
  #fail: (error: SightlineError) => void = () => undefined;
  #failure: SightlineError | undefined;
  #wake: () => void = () => undefined;
  #passedOver = 0;

  constructor(options: Pick<ReadOptions, 'signal' | 'tell'>) {
    this.#options = options;
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
    options.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** @param from where it came from, for a message that cannot be read */
  take(from: string, decode: () => readonly SightlineRecord[]): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#passedOver++;
      return;
    }
    try {
      this.#waiting.push(decode());
    } catch (error) {
      this.#options.tell(`${from}: ${toSightlineError(error).message}`);
    }
    this.#wake();
  }

  fail(error: SightlineError): void {
    this.#failure ??= error;
    this.#fail(error);
    this.#wake();
  }

  async *records(): AsyncGenerator<readonly SightlineRecord[], void, undefined> {
    const { signal, tell } = this.#options;
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (this.#passedOver > 0) {
        tell(`${this.#passedOver} messages came faster than they could be shown`);
        this.#passedOver = 0;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (signal.aborted) resolve();
      });
    }
  }
}
