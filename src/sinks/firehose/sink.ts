import { type _Record, FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { type EntryCodes, entryCodes } from '../aws/answers.ts';
import { awsClientConfig } from '../aws/client.ts';
import { cutIntoRequests, EntryRun } from '../aws/entries.ts';
import { RenewedClient } from '../aws/renewed-client.ts';
import { Fates } from '../fates.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { eachInTurns } from '../format/in-turns.ts';
import { cutByFrames } from '../format/segment-pieces.ts';
import { eachLimited } from '../limited.ts';
import { DETECTIONS } from '../tables/detections.ts';
import { tableLines } from '../tables/lines.ts';
import { SEGMENT_TABLES } from '../tables/recorded.ts';
import type { AnyTable } from '../tables/table.ts';
import { type Lines, pack } from './pack.ts';
import type { FirehoseSinkSpec } from './spec.ts';

const REQUEST = { maxEntries: 500, maxBytes: 4 * 1024 * 1024 };
/** Before base64. */
const MAX_RECORD_BYTES = 1000 * 1024;

/** Writes lines of JSON, many to a record; what was refused of a request is tried again by itself. */
export class FirehoseSink implements Sink {
  readonly id: string;
  readonly type = 'firehose';
  readonly kinds: readonly RecordKind[];
  /** JSON is several times as big as what the outbox holds. */
  readonly limits = { maxRecords: 2000, maxBytes: 2 * 1024 * 1024, maxWaitMs: 1000 };
  readonly #spec: FirehoseSinkSpec;
  readonly #formatter: Formatter;
  readonly #client: RenewedClient<FirehoseClient>;

  /** @throws SightlineError `SL_CONFIG_INVALID` for keys that do not go together */
  constructor(spec: FirehoseSinkSpec) {
    const { rows, fields, envelope } = spec;
    if (rows === 'objects' && (fields !== undefined || envelope !== undefined)) {
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        'Cannot choose fields or an envelope with rows: objects: all rows have the columns of one table',
      );
    }
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#formatter = new Formatter(
      { format: 'json', ...(fields && { fields }), ...(envelope && { envelope }) },
      { headers: false },
    );
    const { concurrency } = spec;
    this.#client = new RenewedClient(() => new FirehoseClient(awsClientConfig(spec, concurrency)));
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const { rowsPerRecord, segmentRows, concurrency } = this.#spec;
    const cut = cutByFrames(batch, segmentRows === 'frames' ? rowsPerRecord : Infinity);
    const formatted = await this.#formatter.formatInTurns(cut.records);
    const fates = new Fates(cut.records.length, formatted);
    const lines: Lines[] = [];
    await eachInTurns(formatted.messages, (message) => {
      try {
        const made = this.#lines(message);
        if (made.rows > 0) lines.push(made);
        else fates.filter(message.indexes[0]!);
      } catch (error) {
        fates.fail(message, error);
      }
    });
    const packed = pack(lines, { maxRows: rowsPerRecord, maxBytes: MAX_RECORD_BYTES });
    const send = (records: _Record[]) => this.#put(records, signal);
    const run = new EntryRun({ send, fates });
    await eachLimited(cutIntoRequests(packed, REQUEST), concurrency, (request) =>
      run.send(request),
    );
    run.end();
    return cut.join(fates.results());
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  #lines({ indexes, recordId, streamId, kind, payload, body }: Message): Lines {
    const table = this.#tableOf(kind);
    const lines =
      table === undefined
        ? [oneLine(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))]
        : tableLines(table, payload);
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    if (text.byteLength > MAX_RECORD_BYTES) {
      throw new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot put ${recordId} into ${this.#spec.deliveryStream}: ${text.byteLength} bytes are above the ${MAX_RECORD_BYTES} of a record`,
      );
    }
    return { indexes, recordId, streamId, rows: lines.length, text };
  }

  /** Undefined: a line is the record itself. */
  #tableOf(kind: RecordKind): AnyTable | undefined {
    if (kind === 'segment') return SEGMENT_TABLES[this.#spec.segmentRows];
    return kind === 'frame' && this.#spec.rows === 'objects' ? DETECTIONS : undefined;
  }

  async #put(records: _Record[], signal: AbortSignal): Promise<EntryCodes> {
    const { deliveryStream } = this.#spec;
    const command = new PutRecordBatchCommand({
      DeliveryStreamName: deliveryStream,
      Records: records,
    });
    const what = `put records into delivery stream ${deliveryStream}`;
    const { RequestResponses } = await this.#client.call(what, (client) =>
      client.send(command, { abortSignal: signal }),
    );
    return entryCodes(RequestResponses, 'RecordId');
  }
}

/** Events are JSON as their makers wrote it. */
function oneLine(json: string): string {
  return /[\r\n]/.test(json) ? JSON.stringify(JSON.parse(json)) : json;
}
