import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { SightlineError } from '../common/errors.ts';
import { readAttributes } from './attributes.ts';
import { CLAIM_TYPE, fetchClaim } from './claim-check.ts';
import { decodeMessage } from './decode.ts';
import type { SightlineRecord } from './records.ts';

const RECEIVE_MAX = 10;
/** After a failed request, doubling from the first to the second. */
const RETRY_MS = [500, 30_000] as const;
/** From its receipt on no message can be kept invisible for longer (12 hours). */
const MAX_HOLD_S = 43_200;

const CLAIM_LIMIT_MS = 60_000;

/**
 * The records of a message as ReceiveMessage gives it, with `MessageAttributeNames: ['All']`.
 * @param s3 for claim checks
 * @throws SightlineError `SL_MESSAGE_INVALID`, also for a claim check without `s3`; `SL_UNAVAILABLE` as `fetchClaim`
 */
export async function readSqsMessage(
  { Body = '', MessageAttributes }: Message,
  s3: Pick<S3Client, 'send'> | undefined,
  signal: AbortSignal,
): Promise<SightlineRecord[]> {
  if (readAttributes(MessageAttributes).contentType !== CLAIM_TYPE) {
    return decodeMessage(Body, MessageAttributes);
  }
  if (s3 === undefined) {
    throw new SightlineError(
      'SL_MESSAGE_INVALID',
      'Cannot read a message whose record lies in S3: the consumer has no S3 client',
    );
  }
  const { body, contentType } = await fetchClaim(Body, s3, signal);
  return decodeMessage(body, { ...MessageAttributes, encoding: '', contentType });
}

export interface SqsConsumerOptions {
  readonly sqs: Pick<SQSClient, 'send'>;
  readonly queueUrl: string;
  /** For claim checks; without it a message that has one fails with `SL_MESSAGE_INVALID`. */
  readonly s3?: Pick<S3Client, 'send'>;
  /** Does the work. The message is deleted when it resolves and comes again when it rejects. */
  readonly handle: (records: readonly SightlineRecord[], message: Message) => Promise<void> | void;
  /** Messages at a time. Default 10. */
  readonly concurrency?: number;
  /** How long a message is hidden from others; renewed every third of it while it is worked on. Default 30. */
  readonly visibilityTimeoutS?: number;
  /** Long poll, 0 to 20. Default 20. */
  readonly waitTimeS?: number;
  /** What went wrong with a message or a request; the message comes again. Default: nobody is told. */
  readonly onError?: (error: unknown, message?: Message) => void;
}

/** Works through a queue of the SQS sink. A message that fails goes to the queue's dead letters when SQS has counted enough. */
export class SqsConsumer {
  readonly #options: SqsConsumerOptions;
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();
  readonly #polling: Promise<void>;

  /** Begins at once. */
  constructor(options: SqsConsumerOptions) {
    this.#options = options;
    this.#polling = this.#poll();
  }

  /** Receives nothing more, and resolves when the messages that are being worked on are done. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#polling;
    await Promise.all(this.#working);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      try {
        for (const message of await this.#receive(signal)) this.#begin(message);
        failures = 0;
        await this.#roomForMore();
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onError?.(error);
        const waitMs = Math.min(RETRY_MS[1], RETRY_MS[0] * 2 ** failures++);
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #receive(abortSignal: AbortSignal): Promise<readonly Message[]> {
    const {
      sqs,
      queueUrl,
      concurrency = RECEIVE_MAX,
      visibilityTimeoutS = 30,
      waitTimeS = 20,
    } = this.#options;
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(RECEIVE_MAX, concurrency - this.#working.size),
      VisibilityTimeout: visibilityTimeoutS,
      WaitTimeSeconds: waitTimeS,
      MessageAttributeNames: ['All'],
    });
    const { Messages = [] } = await sqs.send(command, { abortSignal });
    return Messages;
  }

  async #roomForMore(): Promise<void> {
    const { concurrency = RECEIVE_MAX } = this.#options;
    while (this.#working.size >= concurrency) await Promise.race(this.#working);
  }

  #begin(message: Message): void {
    const work = this.#work(message).catch((error: unknown) => {
      this.#options.onError?.(error, message);
    });
    const done = work.finally(() => this.#working.delete(done));
    this.#working.add(done);
  }

  async #work(message: Message): Promise<void> {
    const { sqs, queueUrl, handle } = this.#options;
    const heartbeat = this.#holdInvisible(message);
    try {
      const { s3 } = this.#options;
      await handle(await readSqsMessage(message, s3, AbortSignal.timeout(CLAIM_LIMIT_MS)), message);
    } finally {
      clearInterval(heartbeat);
    }
    const { ReceiptHandle } = message;
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
  }

  /** Until it is cleared, or SQS would refuse. A failed renewal is told: another consumer may get the message, too. */
  #holdInvisible(message: Message): NodeJS.Timeout {
    const { sqs, queueUrl, visibilityTimeoutS = 30, onError } = this.#options;
    const started = performance.now();
    const timer = setInterval(
      () => {
        const heldS = (performance.now() - started) / 1000;
        if (heldS + visibilityTimeoutS > MAX_HOLD_S) return clearInterval(timer);
        const command = new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: message.ReceiptHandle,
          VisibilityTimeout: visibilityTimeoutS,
        });
        sqs.send(command).catch((error: unknown) => onError?.(error, message));
      },
      (visibilityTimeoutS * 1000) / 3,
    );
    return timer;
  }
}
