import type { OutboxRecord } from '../common/delivery.ts';
import { toSightlineError } from '../common/errors.ts';
import { readFrameHeader } from '../metadata/frame-header.ts';
import { decodeImage } from '../metadata/image.ts';
import type { DataRecord } from '../metadata/record-reader.ts';
import { timestampToMs } from '../metadata/timestamp.ts';
import { DATA_KIND_FRAME, DATA_KIND_IMAGE } from '../worker/protocol.ts';
import type { EventLog } from './event-log.ts';
import type { SupervisedStream } from './supervised-stream.ts';
import type { RecordConsumer } from './types.ts';

export interface RecordIntakeOptions {
  readonly pipelineId: string;
  readonly streams: ReadonlyMap<string, SupervisedStream>;
  readonly consume: RecordConsumer;
  readonly events: EventLog;
}

/** Turns what a worker sends into outbox records, keeps the streams' figures, and counts what nobody takes. */
export class RecordIntake {
  readonly #options: RecordIntakeOptions;
  #unreadable = 0;

  constructor(options: RecordIntakeOptions) {
    this.#options = options;
  }

  /** Records that were no frame or image of a stream of this pipeline. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Hands the records on; the promise is pending while the consumer holds back. Never throws or rejects. */
  take(records: readonly DataRecord[]): void | Promise<void> {
    const batch: OutboxRecord[] = [];
    for (const record of records) {
      try {
        batch.push(this.#open(record));
      } catch (error) {
        this.#countUnreadable(record, error);
      }
    }
    if (batch.length === 0) return;
    try {
      const taken = this.#options.consume(batch);
      return taken?.catch((error: unknown) => this.#countRefused(batch, error));
    } catch (error) {
      this.#countRefused(batch, error);
    }
  }

  #open(record: DataRecord): OutboxRecord {
    const { kind, payload } = record;
    if (kind === DATA_KIND_FRAME) return this.#openFrame(payload);
    if (kind === DATA_KIND_IMAGE) return this.#openImage(payload);
    throw new Error(`A record of the unknown kind ${kind}`);
  }

  #openFrame(payload: Uint8Array): OutboxRecord {
    const header = readFrameHeader(payload);
    const { streamId, recordId, timestampMs: atMs } = header;
    this.#stream(streamId).takeFrame(header, payload);
    return { kind: 'frame', streamId, recordId, atMs, payload };
  }

  #openImage(payload: Uint8Array): OutboxRecord {
    const image = decodeImage(payload);
    const { streamId, recordId, timestamp } = image;
    this.#stream(streamId).takeImage(image);
    const atMs = timestamp ? timestampToMs(timestamp) : 0;
    return { kind: 'image', streamId, recordId, atMs, payload };
  }

  #stream(id: string): SupervisedStream {
    const stream = this.#options.streams.get(id);
    if (stream === undefined) throw new Error(`A record of '${id}', which is not a stream here`);
    return stream;
  }

  #countUnreadable(record: DataRecord, error: unknown): void {
    this.#unreadable += 1;
    const { events, pipelineId } = this.#options;
    const facts = { kind: record.kind, bytes: record.payload.length, total: this.#unreadable };
    // The first, then one for each doubling: a broken writer must not flood those who listen.
    if ((this.#unreadable & (this.#unreadable - 1)) === 0) {
      const { code, message } = toSightlineError(error);
      events.emit('records.unreadable', { pipelineId, ...facts, code, message });
    }
  }

  #countRefused(batch: readonly OutboxRecord[], error: unknown): void {
    const { events, pipelineId, streams } = this.#options;
    for (const { streamId } of batch) streams.get(streamId)!.counts.recordsRefused += 1;
    const { code, message } = toSightlineError(error);
    events.emit('records.refused', { pipelineId, count: batch.length, code, message });
  }
}
