import { SightlineError } from '../../common/errors.ts';
import type { Message } from '../format/formatter.ts';
import {
  BATCH_OVERHEAD_BYTES,
  type BatchOptions,
  encodeBatch,
  type KafkaRecord,
  recordBytes,
} from './record-batch.ts';

/** A message on its way, with all that Kafka needs of it. */
export interface Outgoing {
  readonly message: Message;
  readonly topic: string;
  readonly key: string;
  readonly record: KafkaRecord;
}

/** What travels as one batch. It stays the same bytes however often it is sent, so that the broker stores it once. */
export interface Chunk {
  readonly entries: readonly Outgoing[];
  readonly bytes: Buffer;
}

/** What waits for one partition, in order: one batch after the other. */
export class Lane {
  readonly topic: string;
  readonly partition: number;
  readonly #maxBatchBytes: number;
  #waiting: Outgoing[] = [];
  #chunk: Chunk | undefined;
  #maxEntries = Number.POSITIVE_INFINITY;
  /** How often the current batch was sent without an answer that settles it. */
  resends = 0;
  hasFailed = false;

  constructor(topic: string, partition: number, maxBatchBytes: number) {
    this.topic = topic;
    this.partition = partition;
    this.#maxBatchBytes = maxBatchBytes;
  }

  add(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
  }

  get isDone(): boolean {
    return this.hasFailed || (this.#chunk === undefined && this.#waiting.length === 0);
  }

  /** The batch that is on its way and not settled. */
  get current(): Chunk | undefined {
    return this.#chunk;
  }

  /**
   * Makes the next batch that fits; there must be none on its way.
   * @throws SightlineError `SL_SINK_REJECTED` when the first message is too big even alone
   */
  prepare(options: BatchOptions): Chunk {
    let count = 0;
    let bytes = BATCH_OVERHEAD_BYTES;
    for (const { record } of this.#waiting) {
      bytes += recordBytes(record);
      if (count > 0 && (bytes > this.#maxBatchBytes || count >= this.#maxEntries)) break;
      count++;
    }
    const entries = this.#waiting.slice(0, count);
    const encoded = encodeBatch(
      entries.map(({ record }) => record),
      options,
    );
    if (encoded.byteLength > this.#maxBatchBytes) {
      throw new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot write ${entries[0]!.message.recordId} to Kafka topic ${this.topic}: ${encoded.byteLength} bytes are above its limit of ${this.#maxBatchBytes}`,
      );
    }
    this.#waiting.splice(0, count);
    this.#chunk = { entries, bytes: encoded };
    this.resends = 0;
    return this.#chunk;
  }

  /** The first message, which is too big, is given up. */
  dropFirst(): Outgoing {
    return this.#waiting.shift()!;
  }

  /** The current batch is stored. */
  stored(): readonly Outgoing[] {
    const { entries } = this.#chunk!;
    this.#chunk = undefined;
    this.#maxEntries *= 2;
    return entries;
  }

  /**
   * The broker refuses the current batch for what is in it. `culprits` are the positions it names. What is not given up
   * goes in smaller batches.
   * @returns the messages that are given up
   */
  refused(culprits: readonly number[]): readonly Outgoing[] {
    const { entries } = this.#chunk!;
    this.#chunk = undefined;
    const bad = new Set(entries.length === 1 ? [0] : culprits);
    if (bad.size === 0) this.#maxEntries = Math.max(1, entries.length >>> 1);
    this.#waiting.unshift(...entries.filter((_, index) => !bad.has(index)));
    return entries.filter((_, index) => bad.has(index));
  }

  /** Nothing more is sent; returns what was on its way. */
  fail(): readonly Outgoing[] {
    this.hasFailed = true;
    return this.#chunk?.entries ?? this.#waiting.slice(0, 1);
  }
}
