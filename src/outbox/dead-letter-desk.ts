import type { OutboxRecord } from '../common/delivery.ts';
import { SightlineError } from '../common/errors.ts';
import type { Committer } from './committer.ts';
import type { LaneTable } from './lanes.ts';
import type {
  DeadLetter,
  DeadLetterChoice,
  JournalThread,
  ReadDeadLetter,
  WholeDeadLetter,
} from './protocol.ts';

const STEP_BYTES = 2 * 1024 * 1024;
const MAX_CLASHES = 5;

/** Dead letters by their ids, or all that a sink has at the moment. */
export type LetterChoice = readonly number[] | { readonly sinkId: string };

export interface RetryResult {
  readonly retried: number;
  /** Letters of a sink that is gone or takes the kind no more, and damaged ones; they stay. */
  readonly kept: number;
}

/** What operators do with dead letters. */
export class DeadLetterDesk {
  readonly #journal: JournalThread;
  readonly #committer: Committer;
  readonly #lanes: LaneTable;
  #last: Promise<unknown> = Promise.resolve();

  constructor(journal: JournalThread, committer: Committer, lanes: LaneTable) {
    this.#journal = journal;
    this.#committer = committer;
    this.#lanes = lanes;
  }

  async list(query: {
    readonly sinkId?: string;
    readonly beforeId?: number;
    readonly limit?: number;
  }): Promise<readonly DeadLetter[]> {
    const { sinkId, beforeId, limit = 100 } = query;
    await this.#committer.commitState();
    return this.#journal.call('deadLetters', { sinkId, beforeId, limit });
  }

  /** @throws SightlineError `SL_NOT_FOUND`, `SL_OUTBOX_CORRUPT` */
  async get(id: number): Promise<WholeDeadLetter> {
    await this.#committer.commitState();
    const [letter] = await this.#take([id], 0);
    if (letter === undefined) {
      throw new SightlineError('SL_NOT_FOUND', `There is no dead letter ${id}`);
    }
    if (isWhole(letter)) return letter;
    throw new SightlineError('SL_OUTBOX_CORRUPT', `The bytes of dead letter ${id} are damaged`);
  }

  /** One retry after the other, so that none brings a letter back twice. */
  retry(choice: LetterChoice): Promise<RetryResult> {
    const result = this.#last.then(() => this.#retry(choice));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async purge(choice: LetterChoice): Promise<number> {
    const bounded = await this.#bound(choice);
    let purged = 0;
    if ('sinkId' in bounded) {
      for (;;) {
        const count = await this.#journal.call('purgeDeadLetters', bounded);
        if (count === 0) return purged;
        purged += count;
      }
    }
    for (let at = 0; at < bounded.length; at += 100) {
      purged += await this.#journal.call('purgeDeadLetters', bounded.slice(at, at + 100));
    }
    return purged;
  }

  async #retry(choice: LetterChoice): Promise<RetryResult> {
    const bounded = await this.#bound(choice);
    let retried = 0;
    let kept = 0;
    let afterId = 0;
    let clashes = 0;
    for (;;) {
      const letters = await this.#take(bounded, afterId);
      const last = letters.at(-1);
      if (last === undefined) return { retried, kept };
      const wanted = letters.filter(isWhole).filter((letter) => this.#isTaken(letter));
      if (wanted.length > 0 && !(await this.#revive(wanted))) {
        // One of them was dropped or purged meanwhile: look again.
        if (this.#committer.trouble === undefined && ++clashes < MAX_CLASHES) continue;
        throw new SightlineError(
          'SL_OUTBOX_DISK_FULL',
          `Cannot store the records of ${wanted.length} dead letters: they stay dead letters`,
        );
      }
      afterId = last.id;
      retried += wanted.length;
      kept += letters.length - wanted.length;
    }
  }

  #revive(letters: readonly WholeDeadLetter[]): Promise<boolean> {
    const records = letters.map(({ sinkId, kind, streamId, recordId, atMs, payload }) => {
      return { kind, streamId, recordId, atMs, payload, sinks: [sinkId] } satisfies OutboxRecord;
    });
    return this.#committer.revive(
      letters.map(({ id }) => id),
      records,
      () => letters.every((letter) => this.#isTaken(letter)),
    );
  }

  #isTaken({ sinkId, kind }: DeadLetter): boolean {
    return this.#lanes.ofSink(sinkId)?.has(kind) ?? false;
  }

  #take(choice: DeadLetterChoice, afterId: number): Promise<readonly ReadDeadLetter[]> {
    const request = { choice, afterId, maxBytes: STEP_BYTES };
    return this.#journal.call('takeDeadLetters', request);
  }

  /** Letters that come while the work is going on are not part of it. */
  async #bound(choice: LetterChoice): Promise<DeadLetterChoice> {
    if (!('sinkId' in choice)) {
      await this.#committer.commitState();
      return choice;
    }
    const [newest] = await this.list({ sinkId: choice.sinkId, limit: 1 });
    return { sinkId: choice.sinkId, upToId: newest?.id ?? 0 };
  }
}

function isWhole(letter: ReadDeadLetter): letter is WholeDeadLetter {
  return letter.payload !== undefined;
}
