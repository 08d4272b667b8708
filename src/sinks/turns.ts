import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PendingRecord } from '../common/delivery.ts';
import type { Formatted, Formatter, Message } from './format/formatter.ts';

/** How long a sink may hold the event loop of the process. */
const TURN_MS = 6;
/** Records between two looks at the clock: JSON of a busy frame takes some 40 µs. */
const SLICE = 50;

/** Cuts long work into turns of the event loop, so that it holds up nothing else. */
export class Turns {
  #since = performance.now();

  /** Lets others run when this turn has taken long enough. */
  async pause(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await nextTurn();
    this.#since = performance.now();
  }

  /** As `formatter.format`, in turns; in one where frames are gathered into messages. */
  async format(formatter: Formatter, batch: readonly PendingRecord[]): Promise<Formatted> {
    if (formatter.gathers) return formatter.format(batch);
    const messages: Message[] = [];
    const rejected: Formatted['rejected'][number][] = [];
    for (let from = 0; from < batch.length; from += SLICE) {
      const part = formatter.format(batch.slice(from, from + SLICE));
      for (const message of part.messages) {
        messages.push({ ...message, indexes: message.indexes.map((index) => index + from) });
      }
      for (const { index, error } of part.rejected) rejected.push({ index: index + from, error });
      await this.pause();
    }
    return { messages, rejected };
  }

  /** As `items.flatMap(work)`, in turns. */
  async flatMap<T, R>(items: readonly T[], work: (item: T) => readonly R[]): Promise<R[]> {
    const results: R[] = [];
    for (const [index, item] of items.entries()) {
      results.push(...work(item));
      if (index % SLICE === SLICE - 1) await this.pause();
    }
    return results;
  }
}
