import type { OutboxRecord } from './delivery.ts';

const DEFAULT_MAX_QUEUED = 100;

/** Frames of one stream, or of all, as they come; the oldest are left out when the reader is slow. */
export interface LiveSubscription {
  /** The next record; undefined once it is closed. One call at a time. */
  next(): Promise<OutboxRecord | undefined>;
  /** Records left out because the reader was slow. */
  readonly dropped: number;
  /** Idempotent. */
  close(): void;
}

/**
 * Hands records on to whoever watches now, beside the outbox: nothing is kept and nobody is waited for. Each watcher has
 * a queue of `maxQueued` (default 100) records, of which the oldest go first; they are counted.
 */
export class LiveRecords {
  readonly #subscriptions = new Set<Subscription>();
  #dropped = 0;

  /** Watchers now, and records left out for slow ones since the start. */
  get stats(): { readonly watchers: number; readonly dropped: number } {
    return { watchers: this.#subscriptions.size, dropped: this.#dropped };
  }

  offer(records: readonly OutboxRecord[]): void {
    if (this.#subscriptions.size === 0) return;
    for (const record of records) {
      if (record.kind !== 'frame') continue;
      for (const subscription of this.#subscriptions) {
        if (!subscription.offer(record)) this.#dropped++;
      }
    }
  }

  subscribe({
    streamId,
    maxQueued = DEFAULT_MAX_QUEUED,
  }: {
    readonly streamId?: string | undefined;
    readonly maxQueued?: number;
  }): LiveSubscription {
    const subscription = new Subscription(streamId, maxQueued, () =>
      this.#subscriptions.delete(subscription),
    );
    this.#subscriptions.add(subscription);
    return subscription;
  }
}

class Subscription implements LiveSubscription {
  dropped = 0;
  readonly #streamId: string | undefined;
  readonly #maxQueued: number;
  readonly #forget: () => void;
  readonly #queue: OutboxRecord[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(streamId: string | undefined, maxQueued: number, forget: () => void) {
    this.#streamId = streamId;
    this.#maxQueued = maxQueued;
    this.#forget = forget;
  }

  /** False when an older record had to go for it. */
  offer(record: OutboxRecord): boolean {
    if (this.#streamId !== undefined && record.streamId !== this.#streamId) return true;
    const isFull = this.#queue.length >= this.#maxQueued;
    if (isFull) {
      this.#queue.shift();
      this.dropped++;
    }
    this.#queue.push(record);
    this.#wake?.();
    return !isFull;
  }

  async next(): Promise<OutboxRecord | undefined> {
    while (this.#queue.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#isClosed ? undefined : this.#queue.shift();
  }

  close(): void {
    this.#isClosed = true;
    this.#forget();
    this.#wake?.();
  }
}
