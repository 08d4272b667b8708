import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { awsNameCode } from '../aws/client.ts';
import { Suspects } from '../aws/suspects.ts';
import type { Fates } from '../fates.ts';
import { type Place, type SqsMessage, toEntry } from './message.ts';
import type { EntryFailure, QueueFacts, SqsQueue } from './queue.ts';

/** What an entry too big for its queue gets, among others. */
const SIZE_CODE = 'InvalidParameterValue';

export interface RunOptions {
  readonly queue: SqsQueue;
  readonly facts: QueueFacts;
  /** The facts were read for this very batch. */
  readonly isFresh: boolean;
  readonly fates: Fates;
  readonly signal: AbortSignal;
}

interface Block {
  readonly index: number;
  readonly error: SightlineError;
}

function silence(): SightlineError {
  return new SightlineError('SL_SINK_UNAVAILABLE', 'The queue said nothing of it');
}

/** One batch on its way: remembers an outage and, for FIFO queues, groups whose order would break. */
export class Run {
  readonly #options: RunOptions;
  readonly #blocks = new Map<string, Block>();
  readonly #suspects = new Suspects<SqsMessage>();
  #outage: SightlineError | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  async send(request: readonly SqsMessage[]): Promise<void> {
    const open = request.filter((message) => !this.#isHeldBack(message));
    if (open.length === 0) return;
    const { queue, facts, fates, signal } = this.#options;
    try {
      const entries = open.map((message) => toEntry(message, facts.isFifo));
      const said = await queue.send(facts.url, entries, signal);
      const byId = new Map(open.map((message) => [String(message.index), message]));
      for (const { id, failure } of said) {
        const message = byId.get(id);
        if (message === undefined) continue;
        byId.delete(id);
        if (failure === undefined) {
          this.#suspects.taken();
          fates.accept(message.message);
        } else this.fail(message, this.#entryError(message, failure));
      }
      for (const message of byId.values()) this.fail(message, silence());
    } catch (thrown) {
      await this.#failRequest(open, toSightlineError(thrown));
    }
  }

  /** Call once all is sent. */
  end(): void {
    this.#suspects.settle((message, error) => this.fail(message, error));
  }

  /** A message that will be tried again holds back the later ones of its group where the queue keeps an order. */
  fail({ message, index, groupId }: Place, error: SightlineError): void {
    this.#options.fates.fail(message, error);
    if (error.code !== 'SL_SINK_REJECTED') this.#hold({ index, groupId }, error);
  }

  #hold({ index, groupId }: Pick<Place, 'index' | 'groupId'>, error: SightlineError): void {
    if (!this.#options.facts.isFifo) return;
    const block = this.#blocks.get(groupId);
    if (block === undefined || block.index > index) this.#blocks.set(groupId, { index, error });
  }

  #isHeldBack({ message, index, groupId }: SqsMessage): boolean {
    const block = this.#blocks.get(groupId);
    const error = this.#outage ?? (block && index > block.index ? block.error : undefined);
    if (error === undefined) return false;
    this.#options.fates.fail(message, error);
    return true;
  }

  /** A refused request is cut in halves down to the message that causes it; anything else ends the batch. */
  async #failRequest(messages: readonly SqsMessage[], error: SightlineError): Promise<void> {
    const isRejected = error.code === 'SL_SINK_REJECTED';
    // The queue's limit may be another than was read some time ago: then no message is to blame.
    const isSuspicion = this.#suspects.mayBlameOne(error) && this.#options.isFresh;
    if (!isRejected && !isSuspicion) {
      this.#outage = error;
      for (const message of messages) this.fail(message, error);
    } else if (messages.length > 1) {
      const middle = messages.length >>> 1;
      await this.send(messages.slice(0, middle));
      await this.send(messages.slice(middle));
    } else if (isRejected) {
      this.fail(messages[0]!, error);
    } else {
      this.#suspects.add(messages[0]!, error);
      this.#hold(messages[0]!, error);
    }
  }

  /** `SenderFault` alone is no reason to give up: throttled and refused keys of KMS have it too. */
  #entryError({ message }: SqsMessage, { code, isSenderFault }: EntryFailure): SightlineError {
    // The queue's limit may have been lowered since it was read: ask once more before giving up.
    const isStale = code === SIZE_CODE && !this.#options.isFresh;
    if (isStale) this.#options.queue.forgetFacts();
    const isPoison = isSenderFault && !isStale;
    return new SightlineError(
      awsNameCode(code) ?? (isPoison ? 'SL_SINK_REJECTED' : 'SL_SINK_UNAVAILABLE'),
      `The queue did not take ${message.recordId} (${code})`,
      { details: { reason: code } },
    );
  }
}
