import type { PendingRecord, SinkLimits } from '../common/delivery.ts';

/** A record that was read and waits for its fate. Times are monotonic (performance.now). */
export interface Entry {
  readonly record: PendingRecord;
  readonly arrivedMs: number;
  /** Attempts that failed so far. */
  attempts: number;
  notBeforeMs: number;
}

export interface Batch {
  readonly entries: readonly Entry[];
  /** No further record would have fitted. */
  readonly isFull: boolean;
}

/**
 * The records a sink is working on, in order. One that has to wait before it is tried again holds back the later ones
 * of its stream, so that the order per stream is kept, and no others.
 */
export class DeliveryWindow {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  #entries: Entry[] = [];
  #bytes = 0;

  constructor(limits: SinkLimits) {
    this.#maxRecords = Math.max(256, 3 * limits.maxRecords);
    this.#maxBytes = 3 * limits.maxBytes;
  }

  get size(): number {
    return this.#entries.length;
  }

  get freeRecords(): number {
    return this.#bytes >= this.#maxBytes ? 0 : this.#maxRecords - this.#entries.length;
  }

  add(records: readonly PendingRecord[], nowMs: number): void {
    for (const record of records) {
      this.#entries.push({ record, arrivedMs: nowMs, attempts: 0, notBeforeMs: 0 });
      this.#bytes += record.payload.byteLength;
    }
  }

  /** The next records to send within the limits: the oldest first, without those of streams that are held back. */
  take(limits: Pick<SinkLimits, 'maxRecords' | 'maxBytes'>, nowMs: number): Batch {
    const held = new Set<string>();
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#entries) {
      const { streamId, payload } = entry.record;
      if (held.has(streamId)) continue;
      if (entry.notBeforeMs > nowMs) {
        held.add(streamId);
        continue;
      }
      const wouldExceed = entries.length > 0 && bytes + payload.byteLength > limits.maxBytes;
      if (wouldExceed || entries.length === limits.maxRecords) return { entries, isFull: true };
      entries.push(entry);
      bytes += payload.byteLength;
    }
    return { entries, isFull: entries.length === limits.maxRecords || this.freeRecords <= 0 };
  }

  /** When the first record that is held back may be tried, undefined when none is. */
  nextTryMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const { notBeforeMs } of this.#entries) {
      if (notBeforeMs > nowMs) next = Math.min(next ?? notBeforeMs, notBeforeMs);
    }
    return next;
  }

  /** Keeps the entries that pass. */
  retain(keep: (entry: Entry) => boolean): void {
    this.#entries = this.#entries.filter(keep);
    this.#bytes = this.#entries.reduce((sum, entry) => sum + entry.record.payload.byteLength, 0);
  }
}
