import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { S3Store } from '../aws/object-store.ts';
import { Fates } from '../fates.ts';
import { SCHEMA_VERSION } from '../format/encode.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { headerText } from '../header-text.ts';
import { eachLimited } from '../limited.ts';
import { claimKey, type SqsMessage, toClaimMessage, toSqsMessage } from './message.ts';
import { type QueueFacts, SqsQueue } from './queue.ts';
import { cutIntoRequests } from './requests.ts';
import { Run } from './run.ts';
import type { SqsSinkSpec } from './spec.ts';

/** Names, types and values of the attributes of a message: a safe upper bound. */
const ATTRIBUTE_BYTES = 1024;
/** Requests one after the other in a batch: the more, the less the requests at a time wait for the slowest of them. */
const ROUNDS = 8;
/** Records of a batch, however many go into a message. */
const MOST_RECORDS = 5000;

/** Up to ten messages in a request; a body above the queue's limit goes to S3 first. */
export class SqsSink implements Sink {
  readonly id: string;
  readonly type = 'sqs';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #spec: SqsSinkSpec;
  readonly #queue: SqsQueue;
  readonly #claims: S3Store | undefined;
  #formatter: Formatter;
  #formatterBytes = 0;

  /** @throws SightlineError `SL_CONFIG_INVALID` for what the schema cannot see */
  constructor(spec: SqsSinkSpec) {
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#formatter = new Formatter(spec, { headers: false });
    this.#queue = new SqsQueue(spec, spec.concurrency);
    const { claimCheck, region, endpoint, credentials, concurrency } = spec;
    this.#claims =
      claimCheck && new S3Store({ ...claimCheck, region, endpoint, credentials }, concurrency);
    const maxRecords = 10 * ROUNDS * concurrency * (spec.framesPerMessage ?? 1);
    this.limits = {
      maxRecords: Math.min(maxRecords, MOST_RECORDS),
      maxBytes: 4 * 1024 * 1024,
      maxWaitMs: 100,
    };
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const started = performance.now();
    const facts = await this.#queue.facts(signal);
    const formatted = await this.#formatterFor(facts).formatInTurns(batch);
    const fates = new Fates(batch.length, formatted);
    const isFresh = facts.readMs >= started;
    const run = new Run({ queue: this.#queue, facts, isFresh, fates, signal });
    const messages = await this.#prepare(formatted.messages, facts, run, signal);
    const concurrency = facts.isFifo ? 1 : this.#spec.concurrency;
    await eachLimited(cutIntoRequests(messages, facts), concurrency, (request) =>
      run.send(request),
    );
    return fates.results();
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#claims?.close();
    return Promise.resolve();
  }

  /** Messages of several frames are made to fit into the queue as it is. */
  #formatterFor({ maxMessageBytes }: QueueFacts): Formatter {
    if (maxMessageBytes === this.#formatterBytes) return this.#formatter;
    const { format, envelope } = this.#spec;
    const room = Math.max(0, maxMessageBytes - ATTRIBUTE_BYTES);
    const isBase64 = format === 'protobuf' && envelope === undefined;
    const maxBytes = isBase64 ? Math.floor(room / 4) * 3 : room;
    this.#formatter = new Formatter(this.#spec, { headers: false, maxBytes });
    this.#formatterBytes = maxMessageBytes;
    return this.#formatter;
  }

  async #prepare(
    messages: readonly Message[],
    facts: QueueFacts,
    run: Run,
    signal: AbortSignal,
  ): Promise<SqsMessage[]> {
    const prepared = messages.map((message): SqsMessage | undefined => toSqsMessage(message));
    const { aboveBytes = facts.maxMessageBytes } = this.#spec.claimCheck ?? {};
    const inlineBytes = Math.min(aboveBytes, facts.maxMessageBytes);
    const tooBig = prepared.filter((message) => message!.bytes > inlineBytes);
    await eachLimited(tooBig, this.#spec.concurrency, async (message) => {
      const at = prepared.indexOf(message);
      try {
        prepared[at] = await this.#claim(message!, facts, signal);
      } catch (thrown) {
        prepared[at] = undefined;
        run.fail(message!, toSightlineError(thrown));
      }
    });
    return prepared.filter((message) => message !== undefined);
  }

  /** Object first, message second: a message never points at nothing. */
  async #claim(
    { message, bytes }: SqsMessage,
    { maxMessageBytes }: QueueFacts,
    signal: AbortSignal,
  ): Promise<SqsMessage> {
    const { recordId, streamId, body, contentType } = message;
    if (this.#claims === undefined) {
      throw new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot send ${recordId}: ${bytes} bytes are above the ${maxMessageBytes} of queue ${this.#spec.queue}, and sink ${this.id} has no claimCheck bucket`,
      );
    }
    const metadata = {
      'record-id': headerText(recordId),
      'stream-id': headerText(streamId),
      'schema-version': SCHEMA_VERSION,
    };
    const object = { key: claimKey(message), data: body, contentType, metadata };
    return toClaimMessage(message, await this.#claims.put(object, signal));
  }
}
