import type { PendingRecord, RecordKind } from '../../common/delivery.ts';
import { type SightlineError, toSightlineError } from '../../common/errors.ts';
import { encode, type Format, SCHEMA_VERSION } from './encode.ts';

/** What a transport carries as one unit: one record, or several of one stream and kind. */
export interface Message {
  /** Positions of its records in the batch, ascending: what becomes of the message becomes of each of them. */
  readonly indexes: readonly number[];
  /** Of its first record. The same whenever that record is sent again. */
  readonly recordId: string;
  readonly streamId: string;
  readonly kind: RecordKind;
  /** Capture time of its first record, ms since the Unix epoch. */
  readonly atMs: number;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** The body is UTF-8, fit for transports that take text alone. */
  readonly isText: boolean;
  /**
   * For the headers, properties or attributes of the transport: `contentType` not among them, but `kind`, `recordId`,
   * `streamId`, `schemaVersion` and what else consumers need to read the body.
   */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Formatted {
  /** In the order of the batch. */
  readonly messages: readonly Message[];
  /** Records that cannot be put into this format, with `SL_SINK_REJECTED`. */
  readonly rejected: readonly { readonly index: number; readonly error: SightlineError }[];
}

/** How a sink's specification wants its messages. */
export interface MessageSpec {
  readonly format: Format;
}

/** Makes the messages of a sink out of its records. One to each sink. */
export class Formatter {
  readonly #spec: MessageSpec;

  constructor(spec: MessageSpec) {
    this.#spec = spec;
  }

  format(batch: readonly PendingRecord[]): Formatted {
    const messages: Message[] = [];
    const rejected: { index: number; error: SightlineError }[] = [];
    for (const [index, record] of batch.entries()) {
      try {
        messages.push(this.#message(record, index));
      } catch (error) {
        rejected.push({ index, error: toSightlineError(error) });
      }
    }
    return { messages, rejected };
  }

  #message(record: PendingRecord, index: number): Message {
    const { recordId, streamId, kind, atMs } = record;
    const { contentType, bytes } = encode(record, this.#spec.format);
    return {
      indexes: [index],
      ...{ recordId, streamId, kind, atMs, contentType },
      body: bytes,
      isText: contentType === 'application/json',
      attributes: { kind, recordId, streamId, schemaVersion: SCHEMA_VERSION },
    };
  }
}
