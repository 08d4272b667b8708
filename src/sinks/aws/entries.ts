import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Fates } from '../fates.ts';
import type { Message } from '../format/formatter.ts';
import type { EntryCodes } from './answers.ts';
import { awsNameCode } from './client.ts';
import { Suspects } from './suspects.ts';

/** One entry of a request that takes many, and the records it stands for. */
export interface Entry<T> extends Pick<Message, 'indexes' | 'recordId' | 'streamId'> {
  readonly entry: T;
  /** As the service counts it. */
  readonly bytes: number;
}

export interface RequestLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** A request holds at most one entry of a stream, each after those before it. Default false. */
  readonly isOrdered?: boolean;
}

/** Cuts entries into requests. One that is above `maxBytes` gets a request of its own. */
export function cutIntoRequests<T>(
  entries: readonly Entry<T>[],
  { maxEntries, maxBytes, isOrdered = false }: RequestLimits,
): Entry<T>[][] {
  const requests: { items: Entry<T>[]; bytes: number }[] = [];
  const lastOfStream = new Map<string, number>();
  for (const entry of entries) {
    let index = isOrdered
      ? (lastOfStream.get(entry.streamId) ?? -1) + 1
      : Math.max(0, requests.length - 1);
    for (; index < requests.length; index++) {
      const { items, bytes } = requests[index]!;
      if (items.length < maxEntries && bytes + entry.bytes <= maxBytes) break;
    }
    const request = requests[index];
    if (request === undefined) requests.push({ items: [entry], bytes: entry.bytes });
    else {
      request.items.push(entry);
      request.bytes += entry.bytes;
    }
    lastOfStream.set(entry.streamId, index);
  }
  return requests.map(({ items }) => items);
}

export interface EntryRunOptions<T> {
  /** Throws a SightlineError `SL_SINK_*` when none was taken, or nobody knows. */
  readonly send: (entries: T[]) => Promise<EntryCodes>;
  readonly fates: Fates;
  /** An entry that failed holds back the later ones of its stream. */
  readonly isOrdered?: boolean;
}

/** One batch on its way: sends its requests, one after the other or several at once, and remembers an outage. */
export class EntryRun<T> {
  readonly #options: EntryRunOptions<T>;
  readonly #held = new Map<string, SightlineError>();
  readonly #suspects = new Suspects<Entry<T>>();
  #outage: SightlineError | undefined;

  constructor(options: EntryRunOptions<T>) {
    this.#options = options;
  }

  async send(request: readonly Entry<T>[]): Promise<void> {
    const open = request.filter((entry) => !this.#isHeldBack(entry));
    if (open.length === 0) return;
    try {
      const codes = await this.#options.send(open.map(({ entry }) => entry));
      if (codes.length !== open.length) {
        throw new SightlineError(
          'SL_SINK_UNAVAILABLE',
          `The service spoke of ${codes.length} entries, ${open.length} were sent`,
        );
      }
      for (const [at, entry] of open.entries()) this.#settle(entry, codes[at]);
    } catch (thrown) {
      await this.#failRequest(open, toSightlineError(thrown));
    }
  }

  /** Call once all is sent. */
  end(): void {
    this.#suspects.settle((entry, error) => this.#fail(entry, error));
  }

  #settle(entry: Entry<T>, code: string | undefined): void {
    if (code === undefined) {
      this.#suspects.taken();
      this.#options.fates.accept(entry);
      return;
    }
    const kind = awsNameCode(code) ?? 'SL_SINK_UNAVAILABLE';
    const details = { details: { reason: code } };
    this.#fail(
      entry,
      new SightlineError(kind, `${entry.recordId} was not taken (${code})`, details),
    );
  }

  #fail(entry: Entry<T>, error: SightlineError): void {
    this.#options.fates.fail(entry, error);
    if (this.#options.isOrdered !== true || error.code === 'SL_SINK_REJECTED') return;
    if (!this.#held.has(entry.streamId)) this.#held.set(entry.streamId, error);
  }

  #isHeldBack(entry: Entry<T>): boolean {
    const error = this.#outage ?? this.#held.get(entry.streamId);
    if (error === undefined) return false;
    this.#options.fates.fail(entry, error);
    return true;
  }

  /** A request that may be refused for one entry is cut in halves down to it; anything else ends the batch. */
  async #failRequest(entries: readonly Entry<T>[], error: SightlineError): Promise<void> {
    const isRejected = error.code === 'SL_SINK_REJECTED';
    if (!this.#suspects.mayBlameOne(error) && !isRejected) {
      this.#outage = error;
      for (const entry of entries) this.#fail(entry, error);
    } else if (entries.length > 1) {
      const middle = entries.length >>> 1;
      await this.send(entries.slice(0, middle));
      await this.send(entries.slice(middle));
    } else if (isRejected) {
      this.#fail(entries[0]!, error);
    } else {
      this.#suspects.add(entries[0]!, error);
      if (this.#options.isOrdered === true) this.#held.set(entries[0]!.streamId, error);
    }
  }
}
