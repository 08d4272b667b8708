import {
  KinesisClient,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
} from '@aws-sdk/client-kinesis';
import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { type EntryCodes, entryCodes } from '../aws/answers.ts';
import { awsClientConfig } from '../aws/client.ts';
import { cutIntoRequests, type Entry, EntryRun } from '../aws/entries.ts';
import { RenewedClient } from '../aws/renewed-client.ts';
import { Fates } from '../fates.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { eachInTurns } from '../format/in-turns.ts';
import { type CutBatch, cutByBytes, cutByFrames } from '../format/segment-pieces.ts';
import { Template } from '../format/template.ts';
import { tableLines } from '../tables/lines.ts';
import { SEGMENT_TABLES } from '../tables/recorded.ts';
import type { KinesisSinkSpec } from './spec.ts';

/** PutRecords takes 10 MiB with the keys; half of it leaves a request short enough to be sent again. */
const REQUEST = { maxEntries: 500, maxBytes: 5 * 1024 * 1024 };
/** Data and key. A stream takes 1 MiB unless it was raised; a Firehose that reads from it no more than this. */
const MAX_RECORD_BYTES = 1000 * 1024;
const MAX_KEY_BYTES = 256;
/** Leaves room for an envelope, in base64. */
const MAX_SEGMENT_BYTES = 700 * 1024;
/** Of a record that Firehose reads and takes apart. */
const MAX_ROWS = 500;

/** Puts up to 500 records in a request; what was refused of it is tried again by itself. */
export class KinesisSink implements Sink {
  readonly id: string;
  readonly type = 'kinesis';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #spec: KinesisSinkSpec;
  readonly #formatter: Formatter;
  readonly #key: Template;
  readonly #client: RenewedClient<KinesisClient>;

  /** @throws SightlineError `SL_CONFIG_INVALID` for a partition key with unknown placeholders */
  constructor(spec: KinesisSinkSpec) {
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#formatter = new Formatter(spec, {
      headers: false,
      maxBytes: MAX_RECORD_BYTES - MAX_KEY_BYTES,
    });
    this.#key = new Template(spec.partitionKey, {
      what: 'the partition key',
      maxBytes: MAX_KEY_BYTES,
    });
    this.#client = new RenewedClient(() => new KinesisClient(awsClientConfig(spec, 2)));
    const framesPerMessage = Math.min(10, spec.framesPerMessage ?? 1);
    this.limits = {
      maxRecords: REQUEST.maxEntries * framesPerMessage,
      maxBytes: REQUEST.maxBytes,
      maxWaitMs: 100,
    };
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const cut = this.#cut(batch);
    const formatted = await this.#formatter.formatInTurns(cut.records);
    const fates = new Fates(cut.records.length, formatted);
    const entries: Entry<PutRecordsRequestEntry>[] = [];
    await eachInTurns(formatted.messages, (message) => {
      try {
        entries.push(this.#entry(message));
      } catch (error) {
        fates.fail(message, error);
      }
    });
    const isOrdered = this.#spec.ordering === 'strict';
    const send = (records: PutRecordsRequestEntry[]) => this.#put(records, signal);
    const run = new EntryRun({ send, fates, isOrdered });
    for (const request of cutIntoRequests(entries, { ...REQUEST, isOrdered })) {
      await run.send(request);
    }
    run.end();
    return cut.join(fates.results());
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  /** Segments that are too long for a record. */
  #cut(batch: readonly PendingRecord[]): CutBatch {
    const { segmentRows } = this.#spec;
    if (segmentRows === undefined) return cutByBytes(batch, MAX_SEGMENT_BYTES);
    return cutByFrames(batch, segmentRows === 'frames' ? MAX_ROWS : Infinity);
  }

  #body({ kind, payload, body }: Message): Uint8Array {
    const { segmentRows } = this.#spec;
    if (kind !== 'segment' || segmentRows === undefined) return body;
    const lines = tableLines(SEGMENT_TABLES[segmentRows], payload);
    return Buffer.from(lines.map((line) => `${line}\n`).join(''));
  }

  #entry(message: Message): Entry<PutRecordsRequestEntry> {
    const { indexes, recordId, streamId } = message;
    const body = this.#body(message);
    const key = this.#key.fill(message);
    const bytes = body.byteLength + Buffer.byteLength(key);
    if (bytes > MAX_RECORD_BYTES) {
      throw new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot put ${recordId} into stream ${this.#spec.stream}: ${bytes} bytes are above the ${MAX_RECORD_BYTES} of a record`,
      );
    }
    return { indexes, recordId, streamId, bytes, entry: { Data: body, PartitionKey: key } };
  }

  async #put(records: PutRecordsRequestEntry[], signal: AbortSignal): Promise<EntryCodes> {
    const { stream } = this.#spec;
    const target = stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
    const command = new PutRecordsCommand({ ...target, Records: records });
    const { Records } = await this.#client.call(`put records into stream ${stream}`, (client) =>
      client.send(command, { abortSignal: signal }),
    );
    return entryCodes(Records, 'SequenceNumber');
  }
}
