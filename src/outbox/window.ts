import type { PendingRecord, SinkLimits } from '../common/delivery.ts';
import { payloadBytesOf } from '../common/record-bytes.ts';

export interface Batch {
  readonly records: readonly PendingRecord[];
  /** Of their payloads. */
  readonly bytes: number;
  /** When the first of them was read, monotonic; undefined without records. */
  readonly sinceMs: number | undefined;
  /** The first of them was tried before. */
  readonly isRetry: boolean;
  /** No further record would have fitted. */
  readonly isFull: boolean;
}

type Limits = Pick<SinkLimits, 'maxRecords' | 'maxBytes'>;

interface Failed {
  /** Attempts that failed so far. */
  readonly attempts: number;
  readonly notBeforeMs: number;
}

/**
 * The records a sink is working on, in order. One that has to wait before it is tried again holds back the later ones
 * of its stream, so that the order per stream is kept, and no others. Times are monotonic (performance.now).
 */
export class DeliveryWindow {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #records: PendingRecord[] = [];
  /** When each record was read, and the bytes of its payload: plain numbers cost no objects. */
  readonly #arrivedMs: number[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;
  /** Those that were tried in vain, by their sequence numbers. */
  readonly #failed = new Map<number, Failed>();

  constructor(limits: SinkLimits) {
    this.#maxRecords = Math.max(256, 3 * limits.maxRecords);
    this.#maxBytes = 3 * limits.maxBytes;
  }

  get size(): number {
    return this.#records.length;
  }

  /** Of the first record; above all numbers when there is none. */
  get firstSeq(): number {
    return this.#records[0]?.seq ?? Number.POSITIVE_INFINITY;
  }

  get freeRecords(): number {
    return this.#bytes >= this.#maxBytes ? 0 : this.#maxRecords - this.#records.length;
  }

  add(records: readonly PendingRecord[], nowMs: number): void {
    for (const record of records) {
      const byteLength = payloadBytesOf(record);
      this.#records.push(record);
      this.#arrivedMs.push(nowMs);
      this.#sizes.push(byteLength);
      this.#bytes += byteLength;
    }
  }

  /**
   * What `take` will give once a batch that it gave has gone through, undefined where that is not known yet: more may
   * fit, or records wait for another try.
   */
  takeAfter({ records }: Batch, limits: Limits): readonly PendingRecord[] | undefined {
    if (this.#failed.size > 0 || records.at(-1) !== this.#records[records.length - 1]) return;
    const next = this.#take(limits, 0, records.length);
    return next.isCut ? next.records : undefined;
  }

  /** The next records to send within the limits: the oldest first, without those of streams that are held back. */
  take(limits: Limits, nowMs: number): Batch {
    const { isCut, ...batch } = this.#take(limits, nowMs, 0);
    return { ...batch, isFull: isCut || this.freeRecords <= 0 };
  }

  /** `isCut`: the limits are reached. */
  #take(limits: Limits, nowMs: number, from: number): Omit<Batch, 'isFull'> & { isCut: boolean } {
    const held = new Set<string>();
    const records: PendingRecord[] = [];
    let bytes = 0;
    let sinceMs: number | undefined;
    let isRetry = false;
    let isCut = false;
    for (let index = from; index < this.#records.length; index++) {
      const record = this.#records[index]!;
      if (held.size > 0 && held.has(record.streamId)) continue;
      const failed = this.#failed.get(record.seq);
      if (failed !== undefined && failed.notBeforeMs > nowMs) {
        held.add(record.streamId);
        continue;
      }
      const size = this.#sizes[index]!;
      const wouldExceed = records.length > 0 && bytes + size > limits.maxBytes;
      isCut = wouldExceed || records.length === limits.maxRecords;
      if (isCut) break;
      if (records.length === 0) {
        sinceMs = this.#arrivedMs[index]!;
        isRetry = failed !== undefined;
      }
      records.push(record);
      bytes += size;
    }
    isCut ||= records.length === limits.maxRecords;
    return { records, bytes, sinceMs, isRetry, isCut };
  }

  /** Attempts of a record that failed so far. */
  attemptsOf(record: PendingRecord): number {
    return this.#failed.get(record.seq)?.attempts ?? 0;
  }

  /** One more attempt has failed; the record and its stream wait until then. */
  fail(record: PendingRecord, notBeforeMs: number): void {
    this.#failed.set(record.seq, { attempts: this.attemptsOf(record) + 1, notBeforeMs });
  }

  /** When the first record that is held back may be tried, undefined when none is. */
  nextTryMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const { notBeforeMs } of this.#failed.values()) {
      if (notBeforeMs > nowMs) next = Math.min(next ?? notBeforeMs, notBeforeMs);
    }
    return next;
  }

  /** Keeps the records that pass. */
  retain(keep: (record: PendingRecord) => boolean): void {
    let kept = 0;
    for (let index = 0; index < this.#records.length; index++) {
      const record = this.#records[index]!;
      if (keep(record)) {
        this.#records[kept] = record;
        this.#arrivedMs[kept] = this.#arrivedMs[index]!;
        this.#sizes[kept++] = this.#sizes[index]!;
        continue;
      }
      this.#bytes -= this.#sizes[index]!;
      this.#failed.delete(record.seq);
    }
    this.#records.length = kept;
    this.#arrivedMs.length = kept;
    this.#sizes.length = kept;
  }
}
