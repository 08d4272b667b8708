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

function routeOf({ sinks }: SupervisedStream): Pick<OutboxRecord, 'sinks'> {
  return sinks === undefined ? {} : { sinks };
}

type Admit = (streamId: string, session: string) => boolean;

export interface RecordIntakeOptions {
  readonly pipelineId: string;
  /** Undefined for what is no stream here. */
  readonly stream: (id: string) => SupervisedStream | undefined;
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

  /**
   * Hands the records on; the promise is pending while the consumer holds back. Never throws or rejects. `admit` says
   * whether the worker they came from speaks for the stream; what it refuses is counted there as overlapped.
   */
  take(records: readonly DataRecord[], admit: Admit): void | Promise<void> {
    const batch: OutboxRecord[] = [];
    for (const record of records) {
      try {
        const opened = this.#open(record, admit);
        if (opened !== undefined) batch.push(opened);
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

  #open(record: DataRecord, admit: Admit): OutboxRecord | undefined {
    const { kind, payload } = record;
    if (kind === DATA_KIND_FRAME) return this.#openFrame(payload, admit);
    if (kind === DATA_KIND_IMAGE) return this.#openImage(payload, admit);
    throw new Error(`A record of the unknown kind ${kind}`);
  }

  #openFrame(payload: Uint8Array, admit: Admit): OutboxRecord | undefined {
    const header = readFrameHeader(payload);
    const { streamId, recordId, session, timestampMs: atMs } = header;
    const stream = this.#admitted(streamId, session, admit);
    stream?.takeFrame(header, payload);
    return stream && { kind: 'frame', streamId, recordId, atMs, payload, ...routeOf(stream) };
  }

  #openImage(payload: Uint8Array, admit: Admit): OutboxRecord | undefined {
    const image = decodeImage(payload);
    const { streamId, recordId, session, timestamp } = image;
    const stream = this.#admitted(streamId, session, admit);
    stream?.takeImage(image);
    const atMs = timestamp ? timestampToMs(timestamp) : 0;
    return stream && { kind: 'image', streamId, recordId, atMs, payload, ...routeOf(stream) };
  }

  #admitted(id: string, session: string, admit: Admit): SupervisedStream | undefined {
    const stream = this.#options.stream(id);
    if (stream === undefined) throw new Error(`A record of '${id}', which is not a stream here`);
    if (admit(id, session)) return stream;
    stream.counts.recordsOverlapped += 1;
    return undefined;
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
    const { events, pipelineId, stream } = this.#options;
    for (const { streamId } of batch) {
      const taken = stream(streamId);
      if (taken !== undefined) taken.counts.recordsRefused += 1;
    }
    const { code, message } = toSightlineError(error);
    events.emit('records.refused', { pipelineId, count: batch.length, code, message });
  }
}
