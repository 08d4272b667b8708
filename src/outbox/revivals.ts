import type { OutboxRecord } from '../common/delivery.ts';
import { deferred } from '../common/waits.ts';
import { Gather } from './gather.ts';

/** Records that leave the dead letters and come back as new ones. */
export interface Revival {
  readonly letters: readonly number[];
  readonly records: Gather;
  resolve(stored: boolean): void;
}

/** Revivals that wait for their turn with the journal. */
export class Revivals {
  readonly #inlineBytes: number;
  #waiting: (Revival & { readonly isWanted: () => boolean })[] = [];

  constructor(inlineBytes: number) {
    this.#inlineBytes = inlineBytes;
  }

  /** @param isWanted asked again in the last moment; a no resolves false */
  add(
    letters: readonly number[],
    records: readonly OutboxRecord[],
    isWanted: () => boolean,
  ): Promise<boolean> {
    const gather = new Gather(this.#inlineBytes);
    for (const record of records) gather.add(record, record.sinks);
    const { promise, resolve } = deferred<boolean>();
    this.#waiting.push({ letters, records: gather, isWanted, resolve });
    return promise;
  }

  get areWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  next(): Revival | undefined {
    for (;;) {
      const revival = this.#waiting.shift();
      if (revival === undefined || revival.isWanted()) return revival;
      revival.resolve(false);
    }
  }

  giveUp(): void {
    for (const { resolve } of this.#waiting) resolve(false);
    this.#waiting = [];
  }
}
