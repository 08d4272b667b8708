import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type AwsSpec, awsClientConfig, awsError } from '../aws/client.ts';

/** What one SendMessageBatch may hold together; queues older than the rise to 1 MiB still say 256 KiB. */
const BATCH_BYTES = 1024 * 1024;
const OLD_BATCH_BYTES = 256 * 1024;

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
  readonly #client: SQSClient;
  readonly #nameOrUrl: string;
  #facts: QueueFacts | undefined;

  constructor(spec: AwsSpec & { readonly queue: string }, sockets: number) {
    this.#nameOrUrl = spec.queue;
    this.#client = new SQSClient(awsClientConfig(spec, sockets));
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
    try {
      const command = new SendMessageBatchCommand({ QueueUrl: url, Entries: entries });
      const { Successful = [], Failed = [] } = await this.#client.send(command, {
        abortSignal: signal,
      });
      const failed = Failed.map(({ Id, Code, SenderFault }) => ({
        id: Id ?? '',
        failure: { code: Code ?? 'unknown', isSenderFault: SenderFault === true },
      }));
      return [...Successful.map(({ Id }) => ({ id: Id ?? '' })), ...failed];
    } catch (error) {
      this.forgetFacts();
      throw awsError(error, `send to queue ${this.#nameOrUrl}`);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #readFacts(signal: AbortSignal): Promise<QueueFacts> {
    try {
      const url = await this.#findUrl(signal);
      const command = new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: ['MaximumMessageSize'],
      });
      const { Attributes } = await this.#client.send(command, { abortSignal: signal });
      const size = Number(Attributes?.MaximumMessageSize);
      const maxMessageBytes = Number.isInteger(size) && size > 0 ? size : OLD_BATCH_BYTES;
      const maxBatchBytes = Math.min(BATCH_BYTES, Math.max(maxMessageBytes, OLD_BATCH_BYTES));
      const isFifo = url.endsWith('.fifo');
      return { url, isFifo, maxMessageBytes, maxBatchBytes, readMs: performance.now() };
    } catch (error) {
      throw awsError(error, `read the attributes of queue ${this.#nameOrUrl}`);
    }
  }

  async #findUrl(signal: AbortSignal): Promise<string> {
    if (/^https?:\/\//.test(this.#nameOrUrl)) return this.#nameOrUrl;
    const command = new GetQueueUrlCommand({ QueueName: this.#nameOrUrl });
    const { QueueUrl } = await this.#client.send(command, { abortSignal: signal });
    return QueueUrl ?? this.#nameOrUrl;
  }
}
