import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import type { Message } from '@aws-sdk/client-sqs';
import { toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { fullJitterMs } from '../../common/retry.ts';
import { readSqsMessage } from '../../consumer/sqs.ts';
import { type AwsSpec, awsClientConfig } from '../../sinks/aws/client.ts';
import {
  type Delivery,
  type FrameQueue,
  newQueueCounts,
  type QueueCounts,
} from '../frame-queue.ts';
import { imageOf } from '../image-of.ts';
import { Deletions } from './deletions.ts';
import { HeldMessages } from './held-messages.ts';
import { MessageClient } from './message-client.ts';

/** The longest poll SQS has. */
const WAIT_S = 20;
const RETRY = { baseMs: 500, capMs: 30_000 };
const CLAIM_LIMIT_MS = 60_000;
/** SQS hides a message for no longer at a time. */
const MAX_DELAY_S = 43_200;

export interface SqsFrameQueueOptions extends AwsSpec {
  /** Name or URL. */
  readonly queue: string;
  /** Name or URL of the queue that poison goes to; absent: the queue's own redrive policy sees to it. */
  readonly deadLetterQueue?: string | undefined;
  /** How long a message is hidden from others at a time, s. */
  readonly visibilityTimeoutS: number;
  /** Requests at a time. */
  readonly receivers: number;
  readonly logger: Logger;
}

/** Frames of the SQS sink: each a message of its own, or a claim check for an object in S3. */
export class SqsFrameQueue implements FrameQueue {
  readonly what: string;
  readonly #counts = newQueueCounts();
  readonly #options: SqsFrameQueueOptions;
  readonly #client: MessageClient;
  readonly #dead: MessageClient | undefined;
  readonly #s3: S3Client;
  readonly #held: HeldMessages;
  readonly #deletions: Deletions;
  #failures = 0;
  #redrives: Promise<boolean> | undefined;

  constructor(options: SqsFrameQueueOptions) {
    const { queue, deadLetterQueue, receivers, visibilityTimeoutS } = options;
    this.what = `SQS queue ${queue}`;
    this.#options = options;
    // Beside the receivers: renewals, deletions, attributes.
    this.#client = new MessageClient(options, queue, receivers + 8);
    this.#dead =
      deadLetterQueue === undefined ? undefined : new MessageClient(options, deadLetterQueue, 2);
    this.#s3 = new S3Client({
      ...awsClientConfig(options, 32),
      forcePathStyle: options.endpoint !== undefined,
    });
    this.#deletions = new Deletions(this.#client);
    this.#held = new HeldMessages({
      client: this.#client,
      visibilityS: visibilityTimeoutS,
      onRenewed: (renewed, failed) => {
        this.#counts.extensions += renewed;
        this.#counts.extensionFailures += failed;
      },
    });
  }

  get counts(): QueueCounts {
    const errors = this.#counts.errors + this.#client.errors;
    return { ...this.#counts, errors };
  }

  async receive(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    const visibilityS = this.#options.visibilityTimeoutS;
    const sinceMs = performance.now();
    try {
      const messages = await this.#client.receive(max, { visibilityS, waitS: WAIT_S }, signal);
      this.#tellBack();
      this.#counts.received += messages.length;
      return messages.flatMap((message) => this.#deliver(message, sinceMs));
    } catch (error) {
      if (signal.aborted) return [];
      this.#counts.errors += 1;
      this.#tellFailed(error);
      const waitMs = fullJitterMs(this.#failures, RETRY);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      return [];
    }
  }

  async backlog(signal: AbortSignal): Promise<number | undefined> {
    try {
      const values = await this.#client.attributes(
        ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        signal,
      );
      const counts = Object.values(values).map(Number);
      return counts.reduce((sum, count) => sum + count, 0);
    } catch {
      this.#counts.errors += 1;
      return undefined;
    }
  }

  async close(limitMs: number): Promise<void> {
    await this.#deletions.flush(limitMs);
    const { handles } = this.#held;
    await this.#held.close();
    // What is unfinished need not wait for its time to run out.
    if (handles.length > 0) {
      this.#counts.released += handles.length;
      await this.#client.changeVisibility(handles, 0);
    }
    this.#client.close();
    this.#dead?.close();
    this.#s3.destroy();
  }

  /** Once for an outage, not for each receiver and try. */
  #tellFailed(error: unknown): void {
    this.#failures += 1;
    if (this.#failures > 1) return;
    const { code, message } = toSightlineError(error);
    this.#options.logger.warn({ code, reason: message }, 'infer.queue-failed');
  }

  #tellBack(): void {
    if (this.#failures > 0)
      this.#options.logger.info({ failures: this.#failures }, 'infer.queue-back');
    this.#failures = 0;
  }

  #deliver(message: Message, sinceMs: number): Delivery[] {
    const { ReceiptHandle: handle, MessageId: id = '', Attributes } = message;
    if (handle === undefined) return [];
    this.#held.add(handle, sinceMs);
    const limit = () => AbortSignal.timeout(CLAIM_LIMIT_MS);
    return [
      {
        id,
        receives: Number(Attributes?.ApproximateReceiveCount ?? 1),
        ...(Attributes?.SentTimestamp === undefined
          ? {}
          : { ageMs: Date.now() - Number(Attributes.SentTimestamp) }),
        open: async (signal) =>
          imageOf(await readSqsMessage(message, this.#s3, AbortSignal.any([signal, limit()]))),
        accept: () => this.#accept(handle),
        release: (delayMs) => this.#release(handle, delayMs),
        bury: (reason) => this.#bury(message, handle, reason),
      },
    ];
  }

  /** It stays hidden until it is gone. */
  #accept(handle: string): void {
    this.#deletions.add(handle, (deleted) => {
      this.#held.drop(handle);
      if (deleted) this.#counts.deleted += 1;
      else this.#counts.deleteFailures += 1;
    });
  }

  #release(handle: string, delayMs: number): void {
    if (!this.#held.drop(handle)) return;
    this.#counts.released += 1;
    const seconds = Math.min(MAX_DELAY_S, Math.ceil(delayMs / 1000));
    void this.#client.changeVisibility([handle], seconds);
  }

  async #bury(message: Message, handle: string, reason: string): Promise<boolean> {
    if (this.#dead === undefined) {
      if (!(await this.#hasRedrive())) return false;
      // SQS moves it when it has been received often enough: the sooner it comes, the sooner it is gone.
      this.#release(handle, 0);
      return true;
    }
    try {
      await this.#dead.send(message, reason);
    } catch (error) {
      this.#counts.errors += 1;
      const { code, message: why } = toSightlineError(error);
      this.#options.logger.warn({ code, reason: why }, 'infer.bury-failed');
      this.#release(handle, 30_000);
      return true;
    }
    this.#counts.buried += 1;
    this.#accept(handle);
    return true;
  }

  #hasRedrive(): Promise<boolean> {
    this.#redrives ??= this.#client
      .attributes(['RedrivePolicy'], AbortSignal.timeout(CLAIM_LIMIT_MS))
      .then(
        ({ RedrivePolicy }) => RedrivePolicy !== undefined,
        () => {
          this.#redrives = undefined;
          return true;
        },
      );
    return this.#redrives;
  }
}
