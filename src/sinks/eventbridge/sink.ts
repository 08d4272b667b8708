import {
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { type EntryCodes, entryCodes } from '../aws/answers.ts';
import { awsClientConfig } from '../aws/client.ts';
import { cutIntoRequests, type Entry, EntryRun } from '../aws/entries.ts';
import { RenewedClient } from '../aws/renewed-client.ts';
import { Fates } from '../fates.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { Template } from '../format/template.ts';
import { eachLimited } from '../limited.ts';
import type { EventBridgeSinkSpec } from './spec.ts';

/** PutEvents takes less than 1 MB in all. */
const REQUEST = { maxEntries: 10, maxBytes: 1_000_000 };
/** As EventBridge counts the time of an event. */
const TIME_BYTES = 14;

/** Puts up to ten events in a request; what was refused of it is tried again by itself. */
export class EventBridgeSink implements Sink {
  readonly id: string;
  readonly type = 'eventbridge';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #spec: EventBridgeSinkSpec;
  readonly #formatter: Formatter;
  readonly #source: Template;
  readonly #detailType: Template;
  readonly #client: RenewedClient<EventBridgeClient>;

  /** @throws SightlineError `SL_CONFIG_INVALID` for templates with unknown placeholders */
  constructor(spec: EventBridgeSinkSpec) {
    const { id, envelope, concurrency } = spec;
    this.id = id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#formatter = new Formatter(
      { format: 'json', ...(envelope && { envelope }) },
      { headers: false },
    );
    this.#source = new Template(spec.source, { what: 'the source', maxBytes: 256 });
    this.#detailType = new Template(spec.detailType, { what: 'the detail type', maxBytes: 128 });
    this.#client = new RenewedClient(
      () => new EventBridgeClient(awsClientConfig(spec, concurrency)),
    );
    this.limits = {
      maxRecords: REQUEST.maxEntries * concurrency,
      maxBytes: REQUEST.maxBytes * concurrency,
      maxWaitMs: 100,
    };
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const formatted = await this.#formatter.formatInTurns(batch);
    const fates = new Fates(batch.length, formatted);
    const entries: Entry<PutEventsRequestEntry>[] = [];
    for (const message of formatted.messages) {
      try {
        entries.push(this.#entry(message));
      } catch (error) {
        fates.fail(message, error);
      }
    }
    const send = (events: PutEventsRequestEntry[]) => this.#put(events, signal);
    const run = new EntryRun({ send, fates });
    await eachLimited(cutIntoRequests(entries, REQUEST), this.#spec.concurrency, (request) =>
      run.send(request),
    );
    run.end();
    return fates.results();
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  #entry(message: Message): Entry<PutEventsRequestEntry> {
    const { indexes, recordId, streamId, atMs } = message;
    const detail = detailOf(message, this.#spec.envelope !== undefined);
    const source = this.#source.fill(message);
    const detailType = this.#detailType.fill(message);
    // Refused as if the keys had no right to it, which would hold up all others.
    if (/^aws\./i.test(source)) {
      throw new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot put ${recordId} on bus ${this.#spec.bus}: AWS keeps sources that begin with aws. for itself`,
      );
    }
    let bytes = TIME_BYTES;
    for (const text of [detail, source, detailType]) bytes += Buffer.byteLength(text);
    if (bytes > REQUEST.maxBytes) {
      throw new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot put ${recordId} on bus ${this.#spec.bus}: ${bytes} bytes are above the ${REQUEST.maxBytes} of an event`,
      );
    }
    const entry = {
      EventBusName: this.#spec.bus,
      Time: new Date(atMs),
      Source: source,
      DetailType: detailType,
      Detail: detail,
    };
    return { indexes, recordId, streamId, bytes, entry };
  }

  async #put(events: PutEventsRequestEntry[], signal: AbortSignal): Promise<EntryCodes> {
    const command = new PutEventsCommand({ Entries: events });
    const { Entries } = await this.#client.call(`put events on bus ${this.#spec.bus}`, (client) =>
      client.send(command, { abortSignal: signal }),
    );
    return entryCodes(Entries, 'EventId');
  }
}

/** The event with the ids of its record; an envelope has them already. */
function detailOf({ recordId, streamId, body }: Message, isEnveloped: boolean): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const event: unknown = parse(text, recordId);
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new SightlineError(
      'SL_SINK_REJECTED',
      `Cannot put ${recordId} on a bus: its JSON is no object`,
    );
  }
  return isEnveloped ? text : JSON.stringify({ ...event, recordId, streamId });
}

function parse(text: string, recordId: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SightlineError(
      'SL_SINK_REJECTED',
      `Cannot put ${recordId} on a bus: its bytes are no JSON`,
      { cause },
    );
  }
}
