import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { Fates } from '../fates.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { eachLimited } from '../limited.ts';
import { type Claimed, Claims } from './claims.ts';
import { placeOf, type SqsMessage, toClaimMessage, toSqsMessage } from './message.ts';
import { type QueueFacts, SqsQueue } from './queue.ts';
import { cutIntoRequests } from './requests.ts';
import { Run } from './run.ts';
import type { SqsSinkSpec } from './spec.ts';

/** Names, types and values of the attributes of a message: a safe upper bound. */
const ATTRIBUTE_BYTES = 1024;
/** Requests one after the other in a batch: the more, the less the requests at a time wait for the slowest of them. */
const ROUNDS = 8;
/** How long records gather. */
const GATHER_MS = 100;
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
  readonly #claims: Claims | undefined;
  #formatter: Formatter;
  #formatterBytes = 0;

  /** @throws SightlineError `SL_CONFIG_INVALID` for what the schema cannot see */
  constructor(spec: SqsSinkSpec) {
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#formatter = new Formatter(spec, { headers: false });
    this.#queue = new SqsQueue(spec, spec.concurrency);
    const { claimCheck, concurrency } = spec;
    this.#claims = claimCheck && new Claims(spec, claimCheck);
    const maxRecords = 10 * ROUNDS * concurrency * (spec.framesPerMessage ?? 1);
    this.limits = {
      maxRecords: Math.min(maxRecords, MOST_RECORDS),
      maxBytes: 4 * 1024 * 1024,
      maxWaitMs: claimCheck?.packMs ?? GATHER_MS,
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
    run.end();
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

  /** Objects first, messages second: a message never points at nothing. */
  async #prepare(
    messages: readonly Message[],
    facts: QueueFacts,
    run: Run,
    signal: AbortSignal,
  ): Promise<SqsMessage[]> {
    const { aboveBytes = facts.maxMessageBytes } = this.#spec.claimCheck ?? {};
    const inlineBytes = Math.min(aboveBytes, facts.maxMessageBytes);
    const prepared = new Map<Message, SqsMessage | undefined>();
    const tooBig: Message[] = [];
    for (const message of messages) {
      // What is too big before it is text need not be made one.
      const isBig = message.body.byteLength > inlineBytes;
      const inline = isBig ? undefined : toSqsMessage(message);
      const fits = inline !== undefined && inline.bytes <= inlineBytes;
      prepared.set(message, fits ? inline : undefined);
      if (!fits) tooBig.push(message);
    }
    for (const claimed of await this.#claim(tooBig, facts, signal)) {
      const { message } = claimed;
      if ('claim' in claimed) prepared.set(message, toClaimMessage(message, claimed.claim));
      else run.fail(placeOf(message), toSightlineError(claimed.error));
    }
    return [...prepared.values()].filter((message) => message !== undefined);
  }

  async #claim(
    messages: readonly Message[],
    { maxMessageBytes }: QueueFacts,
    signal: AbortSignal,
  ): Promise<Claimed[]> {
    if (this.#claims !== undefined) return this.#claims.put(messages, signal);
    return messages.map((message) => ({
      message,
      error: new SightlineError(
        'SL_SINK_REJECTED',
        `Cannot send ${message.recordId}: its ${message.body.byteLength} bytes are, as a message, above the ${maxMessageBytes} of queue ${this.#spec.queue}, and sink ${this.id} has no claimCheck bucket`,
      ),
    }));
  }
}
