import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { headerText, S3Store } from '../aws/object-store.ts';
import { encode, SCHEMA_VERSION } from '../format/encode.ts';
import { eachLimited } from '../limited.ts';
import { claimKey, type SqsMessage, toClaimMessage, toEntry, toMessage } from './message.ts';
import { cutIntoRequests, type EntryFailure, type QueueFacts, SqsQueue } from './queue.ts';
import type { SqsSinkSpec } from './spec.ts';

const ACCEPTED: DeliveryResult = { status: 'accepted' };
/** What an entry too big for its queue gets, among others. */
const SIZE_CODE = 'InvalidParameterValue';

/** One message per record, up to ten in a request; a record above the queue's limit goes to S3 first. */
export class SqsSink implements Sink {
  readonly id: string;
  readonly type = 'sqs';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #spec: SqsSinkSpec;
  readonly #queue: SqsQueue;
  readonly #claims: S3Store | undefined;

  constructor(spec: SqsSinkSpec) {
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#queue = new SqsQueue(spec, spec.concurrency);
    const { claimCheck, region, endpoint, credentials, concurrency } = spec;
    this.#claims =
      claimCheck && new S3Store({ ...claimCheck, region, endpoint, credentials }, concurrency);
    const maxRecords = 10 * concurrency;
    this.limits = { maxRecords, maxBytes: 4 * 1024 * 1024, maxWaitMs: 100 };
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const started = performance.now();
    const facts = await this.#queue.facts(signal);
    const results: DeliveryResult[] = batch.map(() => ACCEPTED);
    const messages = await this.#prepare(batch, facts, results, signal);
    const requests = cutIntoRequests(messages, facts);
    const isFresh = facts.readMs >= started;
    const run = new Run(this.#queue, facts, isFresh, results, signal);
    await eachLimited(requests, facts.isFifo ? 1 : this.#spec.concurrency, (request) =>
      run.send(request),
    );
    return results;
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#claims?.close();
    return Promise.resolve();
  }

  async #prepare(
    batch: readonly PendingRecord[],
    facts: QueueFacts,
    results: DeliveryResult[],
    signal: AbortSignal,
  ): Promise<SqsMessage[]> {
    const messages: (SqsMessage | undefined)[] = new Array(batch.length);
    await eachLimited(batch, this.#spec.concurrency, async (record, index) => {
      try {
        const message = toMessage(record, index, this.#spec.format);
        const isTooBig = message.bytes > facts.maxMessageBytes;
        messages[index] = isTooBig ? await this.#claim(message, facts, signal) : message;
      } catch (thrown) {
        const error = toSightlineError(thrown);
        results[index] = {
          status: error.code === 'SL_SINK_REJECTED' ? 'rejected' : 'retry',
          error,
        };
      }
    });
    return messages.filter((message) => message !== undefined);
  }

  /** Object first, message second: a message never points at nothing. */
  async #claim(message: SqsMessage, facts: QueueFacts, signal: AbortSignal): Promise<SqsMessage> {
    const { record, index, bytes } = message;
    if (this.#claims === undefined) {
      throw new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot send ${record.recordId}: ${bytes} bytes are above the ${facts.maxMessageBytes} of queue ${this.#spec.queue}, and sink ${this.id} has no claimCheck bucket`,
      );
    }
    const { contentType, bytes: data } = encode(record, this.#spec.format);
    const metadata = {
      'record-id': headerText(record.recordId),
      'stream-id': headerText(record.streamId),
      'schema-version': SCHEMA_VERSION,
    };
    const object = { key: claimKey(record), data, contentType, metadata };
    const stored = await this.#claims.put(object, signal);
    return toClaimMessage(record, index, stored, contentType);
  }
}

/** One batch on its way: remembers an outage and, for FIFO queues, groups whose order would break. */
class Run {
  readonly #queue: SqsQueue;
  readonly #facts: QueueFacts;
  readonly #isFresh: boolean;
  readonly #results: DeliveryResult[];
  readonly #signal: AbortSignal;
  readonly #blockedGroups = new Map<string, SightlineError>();
  #outage: SightlineError | undefined;

  constructor(
    queue: SqsQueue,
    facts: QueueFacts,
    isFresh: boolean,
    results: DeliveryResult[],
    signal: AbortSignal,
  ) {
    this.#queue = queue;
    this.#facts = facts;
    this.#isFresh = isFresh;
    this.#results = results;
    this.#signal = signal;
  }

  async send(request: readonly SqsMessage[]): Promise<void> {
    const open = request.filter((message) => !this.#isHeldBack(message));
    if (open.length === 0) return;
    const { url, isFifo } = this.#facts;
    try {
      const entries = open.map((message) => toEntry(message, isFifo));
      const failures = await this.#queue.send(url, entries, this.#signal);
      const byId = new Map(open.map((message) => [String(message.index), message]));
      for (const failure of failures) this.#failEntry(byId.get(failure.id), failure);
    } catch (thrown) {
      await this.#failRequest(open, toSightlineError(thrown));
    }
  }

  #isHeldBack(message: SqsMessage): boolean {
    const error = this.#outage ?? this.#blockedGroups.get(message.groupId);
    if (error === undefined) return false;
    this.#results[message.index] = { status: 'retry', error };
    return true;
  }

  /** A refused request is cut in halves down to the message that causes it; anything else ends the batch. */
  async #failRequest(messages: readonly SqsMessage[], error: SightlineError): Promise<void> {
    const [first] = messages;
    if (error.code !== 'SL_SINK_REJECTED') {
      this.#outage = error;
      for (const { index } of messages) this.#results[index] = { status: 'retry', error };
    } else if (messages.length === 1) {
      this.#results[first!.index] = { status: 'rejected', error };
    } else {
      const middle = messages.length >>> 1;
      await this.send(messages.slice(0, middle));
      await this.send(messages.slice(middle));
    }
  }

  #failEntry(message: SqsMessage | undefined, { code, isSenderFault }: EntryFailure): void {
    if (message === undefined) return;
    // The queue's limit may have been lowered since it was read: ask once more before giving up.
    const isStale = code === SIZE_CODE && !this.#isFresh;
    if (isStale) this.#queue.forgetFacts();
    const isPoison = isSenderFault && !isStale;
    const error = new SightlineError(
      isPoison ? 'SL_SINK_REJECTED' : 'SL_SINK_UNAVAILABLE',
      `The queue did not take ${message.record.recordId} (${code})`,
      { details: { reason: code } },
    );
    this.#results[message.index] = { status: isPoison ? 'rejected' : 'retry', error };
    if (!isPoison && this.#facts.isFifo) this.#blockedGroups.set(message.groupId, error);
  }
}
