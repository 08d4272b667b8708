import { setTimeout as delay } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  type GetItemCommand,
  type GetItemCommandOutput,
  type QueryCommand,
  type QueryCommandOutput,
  type UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { SightlineError } from './errors.ts';
import { fullJitterMs } from './retry.ts';

/** First and longest wait after an answer that says "too much". */
const BACKOFF = { baseMs: 50, capMs: 1_000 };

/** What says that it was too much, by the names of the service model of DynamoDB. */
const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TransactionInProgressException',
]);

interface Thrown {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/**
 * Sends commands with a limit of time for all tries together. Throttled ones, and those the service failed at, are sent
 * again after a wait with full jitter until the limit; a conditional write that is sent again after it was made is
 * refused with the caller's own version in the answer, which the caller knows.
 */
export class DynamoCalls {
  readonly #client: DynamoDBClient;
  readonly #what: string;
  readonly #limitMs: number;

  constructor(client: DynamoDBClient, what: string, limitMs: number) {
    this.#client = client;
    this.#what = what;
    this.#limitMs = limitMs;
  }

  read(command: GetItemCommand): Promise<GetItemCommandOutput>;
  read(command: QueryCommand): Promise<QueryCommandOutput>;
  read(command: GetItemCommand | QueryCommand): Promise<unknown> {
    return this.#send(command);
  }

  /** Throws `ConditionalCheckFailedException` as it came. */
  write(command: object): Promise<UpdateItemCommandOutput> {
    return this.#send(command) as Promise<UpdateItemCommandOutput>;
  }

  async #send(command: object): Promise<unknown> {
    const abortSignal = AbortSignal.timeout(this.#limitMs);
    /** What the service said last: time runs out in a wait for another answer as well as between two. */
    let said: unknown;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#client.send(command as GetItemCommand, { abortSignal });
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) throw error;
        if (abortSignal.aborted) throw this.#failure(said ?? error);
        if (!isTransient(error as Thrown)) throw this.#failure(error);
        said = error;
        await delay(fullJitterMs(attempt, BACKOFF), undefined, { signal: abortSignal }).catch(
          () => {
            throw this.#failure(error);
          },
        );
      }
    }
  }

  #failure(cause: unknown): SightlineError {
    const { name = 'Error', message = '' } = cause as Thrown;
    if (name === 'AbortError' || name === 'TimeoutError') {
      return new SightlineError(
        'SL_TIMEOUT',
        `Cannot reach the ${this.#what}: no answer within ${this.#limitMs} ms`,
        { cause },
      );
    }
    const text = `Cannot use the ${this.#what} (${name}): ${message}`;
    return new SightlineError('SL_UNAVAILABLE', text, { cause });
  }
}

function isTransient({ name = '', $metadata }: Thrown): boolean {
  return THROTTLED.has(name) || ($metadata?.httpStatusCode ?? 0) >= 500;
}
