import type { PendingRecord } from '../../common/delivery.ts';
import type { When } from './spec.ts';

/** Streams that are remembered; beyond it the one that came first starts anew. */
const MAX_STREAMS = 4096;

interface Sent {
  /** Objects of the last frame sent. */
  set: string | undefined;
  /** Capture time of the last frame sent, ms since the Unix epoch. */
  sentMs: number;
  /** Frames that may go at `countedMs`. */
  tokens: number;
  countedMs: number;
}

/**
 * How often a stream's frames go. It counts in capture time: after an outage a backlog is thinned as it would have been
 * live. A clock that steps back gives nothing and costs nothing.
 */
export class StreamPace {
  readonly #perSecond: number | undefined;
  readonly #capacity: number;
  readonly #heartbeatMs: number;
  readonly #streams = new Map<string, Sent>();

  constructor({ maxPerSecond, heartbeatMs }: Pick<When, 'maxPerSecond' | 'heartbeatMs'>) {
    this.#perSecond = maxPerSecond;
    this.#capacity = Math.max(1, maxPerSecond ?? 1);
    this.#heartbeatMs = heartbeatMs ?? Number.POSITIVE_INFINITY;
  }

  /** @param set what must have changed since the stream's last frame sent; undefined: nothing must */
  admit({ streamId, atMs }: PendingRecord, set: string | undefined): boolean {
    const sent = this.#streams.get(streamId);
    if (sent === undefined) {
      this.#remember(streamId, { set, sentMs: atMs, tokens: this.#capacity - 1, countedMs: atMs });
      return true;
    }
    const isDue = Math.abs(atMs - sent.sentMs) >= this.#heartbeatMs;
    if (set !== undefined && set === sent.set && !isDue) return false;
    if (!this.#takeToken(sent, atMs)) return false;
    sent.set = set;
    sent.sentMs = atMs;
    return true;
  }

  #takeToken(sent: Sent, atMs: number): boolean {
    if (this.#perSecond === undefined) return true;
    const passedMs = Math.max(0, atMs - sent.countedMs);
    sent.tokens = Math.min(this.#capacity, sent.tokens + (passedMs * this.#perSecond) / 1000);
    sent.countedMs = atMs;
    if (sent.tokens < 1) return false;
    sent.tokens--;
    return true;
  }

  #remember(streamId: string, sent: Sent): void {
    if (this.#streams.size >= MAX_STREAMS) {
      const [first] = this.#streams.keys();
      this.#streams.delete(first!);
    }
    this.#streams.set(streamId, sent);
  }
}
