import { SightlineError } from '../common/errors.ts';

interface Waiter {
  readonly target: number;
  readonly unstoredBefore: number;
  resolve(): void;
  reject(error: Error): void;
}

/** What was appended, what of it the disk has answered for, and who waits for that. Counts are since the start. */
export class Flushes {
  appended = 0;
  #processed = 0;
  #unstored = 0;
  #waiters: Waiter[] = [];

  /** Appended and neither on the disk nor given up. */
  get queued(): number {
    return this.appended - this.#processed;
  }

  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  stored(count: number): void {
    this.#processed += count;
  }

  gaveUp(count: number): void {
    this.#processed += count;
    this.#unstored += count;
  }

  /**
   * Resolves when everything appended so far was answered for.
   * @throws SightlineError `SL_OUTBOX_DISK_FULL` when a part of it was given up
   */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({
        target: this.appended,
        unstoredBefore: this.#unstored,
        resolve,
        reject,
      });
    });
  }

  settle(): void {
    while (this.#waiters.length > 0 && this.#waiters[0]!.target <= this.#processed) {
      const waiter = this.#waiters.shift()!;
      const lost = this.#unstored - waiter.unstoredBefore;
      if (lost === 0) waiter.resolve();
      else {
        waiter.reject(
          new SightlineError(
            'SL_OUTBOX_DISK_FULL',
            `Cannot store ${lost} records: the disk of the outbox is full or fails`,
          ),
        );
      }
    }
  }

  failAll(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters = [];
  }
}
