import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  type SendMessageBatchCommandOutput,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { shownName } from '../aws/answers.ts';
import { type AwsSpec, awsClientConfig } from '../aws/client.ts';
import { RenewedClient } from '../aws/renewed-client.ts';

/** What one SendMessageBatch may hold together; queues older than the rise to 1 MiB still say 256 KiB. */
const BATCH_BYTES = 1024 * 1024;
const OLD_BATCH_BYTES = 256 * 1024;
/** The attribute is never less. */
const LEAST_BYTES = 1024;

export interface QueueFacts {
  readonly url: string;
  readonly isFifo: boolean;
  /** Attribute MaximumMessageSize: body and attributes of one message. */
  readonly maxMessageBytes: number;
  readonly maxBatchBytes: number;
  /** Monotonic. */
  readonly readMs: number;
}

/** What SQS said of an entry; of one it said nothing of, nothing is known. */
export interface EntryFate {
  readonly id: string;
  /** Why it was not taken. */
  readonly failure?: EntryFailure;
}

export interface EntryFailure {
  readonly code: string;
  /** True when the message is to blame and will never be taken. */
  readonly isSenderFault: boolean;
}

/** One SQS queue: found by name or URL on first use, its limits read from its attributes. */
export class SqsQueue {
  readonly #client: RenewedClient<SQSClient>;
  readonly #nameOrUrl: string;
  #facts: QueueFacts | undefined;

  constructor(spec: AwsSpec & { readonly queue: string }, sockets: number) {
    this.#nameOrUrl = spec.queue;
    this.#client = new RenewedClient(() => new SQSClient(awsClientConfig(spec, sockets)));
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async facts(signal: AbortSignal): Promise<QueueFacts> {
    this.#facts ??= await this.#readFacts(signal);
    return this.#facts;
  }

  /** The attributes are read again before the next batch. */
  forgetFacts(): void {
    this.#facts = undefined;
  }

  /** Sends up to ten entries. @throws SightlineError one of `SL_SINK_*` when none was taken, or nobody knows */
  async send(
    url: string,
    entries: SendMessageBatchRequestEntry[],
    signal: AbortSignal,
  ): Promise<EntryFate[]> {
    const command = new SendMessageBatchCommand({ QueueUrl: url, Entries: entries });
    try {
      return await this.#client.call(`send to queue ${this.#nameOrUrl}`, async (client) =>
        fatesIn(await client.send(command, { abortSignal: signal })),
      );
    } catch (error) {
      this.forgetFacts();
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }

  async #readFacts(signal: AbortSignal): Promise<QueueFacts> {
    const what = `read the attributes of queue ${this.#nameOrUrl}`;
    const { url, size } = await this.#client
      .call(what, (client) => this.#ask(client, signal))
      .catch((thrown: unknown) => {
        throw blamingNoMessage(toSightlineError(thrown));
      });
    const isSize = Number.isInteger(size) && size >= LEAST_BYTES;
    const maxMessageBytes = isSize ? Math.min(size, BATCH_BYTES) : OLD_BATCH_BYTES;
    const maxBatchBytes = Math.max(maxMessageBytes, OLD_BATCH_BYTES);
    const isFifo = url.endsWith('.fifo');
    return { url, isFifo, maxMessageBytes, maxBatchBytes, readMs: performance.now() };
  }

  async #ask(client: SQSClient, abortSignal: AbortSignal) {
    let url: string | undefined = this.#nameOrUrl;
    if (!/^https?:\/\//.test(url)) {
      const command = new GetQueueUrlCommand({ QueueName: url });
      ({ QueueUrl: url } = await client.send(command, { abortSignal }));
      if (typeof url !== 'string') throw noSense('names no queue');
    }
    const command = new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['MaximumMessageSize'],
    });
    const { Attributes } = await client.send(command, { abortSignal });
    return { url, size: Number(Attributes?.MaximumMessageSize) };
  }
}

/** What failed goes first: of an entry that is in both lists the failure counts. */
function fatesIn({ Successful = [], Failed = [] }: SendMessageBatchCommandOutput): EntryFate[] {
  if (!Array.isArray(Successful) || !Array.isArray(Failed)) throw noSense('has no list of entries');
  const failed = Failed.map(({ Id, Code, SenderFault }) => ({
    id: Id ?? '',
    failure: { code: shownName(Code), isSenderFault: SenderFault === true },
  }));
  const taken = Successful.filter(({ MessageId }) => typeof MessageId === 'string');
  return [...failed, ...taken.map(({ Id }) => ({ id: Id ?? '' }))];
}

function noSense(problem: string): SightlineError {
  return new SightlineError('SL_SINK_UNAVAILABLE', `The answer of the queue ${problem}`);
}

/** No message was sent yet that could be refused. */
function blamingNoMessage(error: SightlineError): SightlineError {
  const { code, message, details } = error;
  if (code !== 'SL_SINK_REJECTED') return error;
  return new SightlineError('SL_SINK_UNAVAILABLE', message, { cause: error, details });
}
