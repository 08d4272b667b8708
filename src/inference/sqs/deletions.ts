import { settlesWithin } from '../../common/waits.ts';
import type { MessageClient } from './message-client.ts';

/** How long deletions gather for a request of ten. */
const GATHER_MS = 20;
const RETRY_MS = 500;
const MAX_TRIES = 8;

interface Deletion {
  readonly handle: string;
  readonly done: (deleted: boolean) => void;
  tries: number;
}

/** Takes messages off the queue, many in a request; an entry that fails alone is tried again alone. */
export class Deletions {
  readonly #client: MessageClient;
  #waiting: Deletion[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #sending = new Set<Promise<void>>();

  constructor(client: MessageClient) {
    this.#client = client;
  }

  /** `done` hears whether it is gone; false: it comes again. */
  add(handle: string, done: (deleted: boolean) => void): void {
    this.#waiting.push({ handle, done, tries: 0 });
    this.#schedule(this.#waiting.length >= 10 ? 0 : GATHER_MS);
  }

  /** Sends what waits, and waits for it. */
  async flush(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (this.#waiting.length > 0 || this.#sending.size > 0) {
      this.#send();
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return;
      if (!(await settlesWithin(Promise.all(this.#sending), leftMs))) return;
    }
  }

  #schedule(afterMs: number): void {
    if (afterMs === 0) clearTimeout(this.#timer);
    else if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#send(), afterMs);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    const sending = this.#delete(batch).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #delete(batch: readonly Deletion[]): Promise<void> {
    const failed = await this.#client.delete(batch.map(({ handle }) => handle));
    const fates = new Map(failed.map(({ handle, lost }) => [handle, lost]));
    for (const deletion of batch) {
      const lost = fates.get(deletion.handle);
      deletion.tries += 1;
      if (lost === undefined) deletion.done(true);
      else if (lost || deletion.tries >= MAX_TRIES) deletion.done(false);
      else this.#waiting.push(deletion);
    }
    if (this.#waiting.length > 0) this.#schedule(RETRY_MS);
  }
}
