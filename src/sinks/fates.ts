import type { DeliveryResult } from '../common/delivery.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Formatted, Message } from './format/formatter.ts';

const ACCEPTED: DeliveryResult = { status: 'accepted' };
const FILTERED: DeliveryResult = { status: 'filtered' };

/** The records that share a fate, by their positions in the batch. */
type Fellows = Pick<Message, 'indexes'>;

/** What became of the records of a batch that travels as messages. A record nothing was said of is tried again. */
export class Fates {
  readonly #results: (DeliveryResult | undefined)[];

  constructor(records: number, { rejected }: Pick<Formatted, 'rejected'>) {
    this.#results = new Array<DeliveryResult | undefined>(records).fill(undefined);
    for (const { index, error } of rejected) this.#results[index] = { status: 'rejected', error };
  }

  accept(message: Fellows): void {
    for (const index of message.indexes) this.#results[index] = ACCEPTED;
  }

  /** In this record there is nothing that the sink sends. */
  filter(index: number): void {
    this.#results[index] = FILTERED;
  }

  /** `SL_SINK_REJECTED` ends in the dead letters, anything else is tried again. */
  fail(message: Fellows, thrown: unknown): void {
    const error = toSightlineError(thrown);
    const status = error.code === 'SL_SINK_REJECTED' ? 'rejected' : 'retry';
    for (const index of message.indexes) this.#results[index] = { status, error };
  }

  results(): DeliveryResult[] {
    return this.#results.map((result) => {
      if (result !== undefined) return result;
      const error = new SightlineError('SL_SINK_UNAVAILABLE', 'The record was not sent yet');
      return { status: 'retry', error };
    });
  }
}
