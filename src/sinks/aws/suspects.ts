import { SightlineError } from '../../common/errors.ts';

/** Refusals of whole requests that may be the fault of one entry, or of the configuration: the name does not say. */
const SUSPICIONS = new Set([
  'InvalidArgumentException',
  'ValidationException',
  // Of SQS.
  'InvalidAttributeValue',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'MissingParameter',
  'MissingRequiredParameterException',
]);
/** So many refused requests and none taken: the entries are not to blame. */
const MOST_REFUSALS = 20;

/** The entries of one batch that were refused alone by a name that blames nobody, until it is known what became of others. */
export class Suspects<Item> {
  #items: { readonly item: Item; readonly error: SightlineError }[] = [];
  #refusals = 0;
  #hasTaken = false;

  /** The service took an entry: what it refuses is to blame itself. */
  taken(): void {
    this.#hasTaken = true;
  }

  /** Call for each request that was refused as a whole. False: the entries are not to blame. */
  mayBlameOne({ details }: SightlineError): boolean {
    this.#refusals++;
    const isFruitless = !this.#hasTaken && this.#refusals > MOST_REFUSALS;
    return SUSPICIONS.has(String(details['reason'])) && !isFruitless;
  }

  add(item: Item, error: SightlineError): void {
    this.#items.push({ item, error });
  }

  /** Call once all is sent. What was refused alone is given up where others were taken, else it is tried again. */
  settle(fail: (item: Item, error: SightlineError) => void): void {
    const code = this.#hasTaken ? 'SL_SINK_REJECTED' : 'SL_SINK_UNAVAILABLE';
    for (const { item, error } of this.#items) {
      const { message, details } = error;
      fail(item, new SightlineError(code, message, { cause: error, details }));
    }
    this.#items = [];
  }
}
