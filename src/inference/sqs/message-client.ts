import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type AwsSpec, awsClientConfig, awsError } from '../../sinks/aws/client.ts';

const BATCH = 10;

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}

/** The requests to one SQS queue that a consumer makes, ten entries at a time. */
export class MessageClient {
  readonly #client: SQSClient;
  readonly #queue: string;
  #url: Promise<string> | undefined;
  errors = 0;

  /** @param queue name or URL */
  constructor(spec: AwsSpec, queue: string, sockets: number) {
    this.#client = new SQSClient(awsClientConfig(spec, sockets));
    this.#queue = queue;
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async receive(
    max: number,
    { visibilityS, waitS }: { visibilityS: number; waitS: number },
    abortSignal: AbortSignal,
  ): Promise<readonly Message[]> {
    return this.#call('receive from', async () => {
      const command = new ReceiveMessageCommand({
        QueueUrl: await this.#findUrl(),
        MaxNumberOfMessages: Math.min(BATCH, max),
        VisibilityTimeout: visibilityS,
        WaitTimeSeconds: waitS,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
      });
      const { Messages = [] } = await this.#client.send(command, { abortSignal });
      return Messages;
    });
  }

  /** The handles that failed, with whether trying again may help. Never throws. */
  async delete(
    handles: readonly string[],
  ): Promise<readonly { readonly handle: string; readonly lost: boolean }[]> {
    const failed: { handle: string; lost: boolean }[] = [];
    for (const part of parts(handles)) {
      try {
        const QueueUrl = await this.#findUrl();
        const command = new DeleteMessageBatchCommand({ QueueUrl, Entries: entries(part) });
        const { Failed = [] } = await this.#client.send(command);
        for (const { Id, SenderFault } of Failed) {
          failed.push({ handle: part[Number(Id)]!, lost: SenderFault === true });
        }
      } catch {
        this.errors += 1;
        failed.push(...part.map((handle) => ({ handle, lost: false })));
      }
    }
    return failed;
  }

  /** The handles that failed. Never throws. */
  async changeVisibility(handles: readonly string[], seconds: number): Promise<readonly string[]> {
    const failed: string[] = [];
    const change = async (part: readonly string[]): Promise<void> => {
      try {
        const command = new ChangeMessageVisibilityBatchCommand({
          QueueUrl: await this.#findUrl(),
          Entries: entries(part).map((entry) => ({ ...entry, VisibilityTimeout: seconds })),
        });
        const { Failed = [] } = await this.#client.send(command);
        failed.push(...Failed.map(({ Id }) => part[Number(Id)]!));
      } catch {
        this.errors += 1;
        failed.push(...part);
      }
    };
    await Promise.all(parts(handles).map(change));
    return failed;
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async send(message: Message, reason: string): Promise<void> {
    const { Body = '', MessageAttributes = {} } = message;
    await this.#call('send to', async () => {
      const command = new SendMessageCommand({
        QueueUrl: await this.#findUrl(),
        MessageBody: Body,
        // Ten attributes at most.
        MessageAttributes: {
          ...Object.fromEntries(Object.entries(MessageAttributes).slice(0, 9)),
          deadLetterReason: { DataType: 'String', StringValue: reason.slice(0, 1000) },
        },
      });
      await this.#client.send(command);
    });
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async attributes(
    names: readonly (
      | 'RedrivePolicy'
      | 'ApproximateNumberOfMessages'
      | 'ApproximateNumberOfMessagesNotVisible'
    )[],
    abortSignal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> {
    return this.#call('read the attributes of', async () => {
      const command = new GetQueueAttributesCommand({
        QueueUrl: await this.#findUrl(),
        AttributeNames: [...names],
      });
      const { Attributes = {} } = await this.#client.send(command, { abortSignal });
      return Attributes as Record<string, string>;
    });
  }

  close(): void {
    this.#client.destroy();
  }

  async #call<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (thrown) {
      throw awsError(thrown, `${what} queue ${this.#queue}`);
    }
  }

  #findUrl(): Promise<string> {
    if (/^https?:\/\//.test(this.#queue)) return Promise.resolve(this.#queue);
    this.#url ??= this.#client
      .send(new GetQueueUrlCommand({ QueueName: this.#queue }))
      .then(({ QueueUrl }) => QueueUrl ?? this.#queue)
      .catch((error) => {
        this.#url = undefined;
        throw error;
      });
    return this.#url;
  }
}

function parts(handles: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(handles.length / BATCH);
  return Array.from({ length: count }, (_, index) =>
    handles.slice(index * BATCH, (index + 1) * BATCH),
  );
}

function entries(handles: readonly string[]): Entry[] {
  return handles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }));
}
