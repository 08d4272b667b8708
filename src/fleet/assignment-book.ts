import { SightlineError } from '../common/errors.ts';
import {
  type Assignment,
  readShard,
  shardOf,
  type ToRun,
  writeShard,
  writeView,
} from './assignment-documents.ts';
import type { FleetStore } from './store.ts';

export const ASSIGNMENTS = 'assignments';
export const VIEWS = 'views';
/** Writes at a time: a takeover of a fleet of 200 must not run into the store's limits. */
const WRITERS = 8;

interface Kept {
  readonly version: number;
  readonly body: string;
}

/**
 * The assignments of the whole fleet as the assigner has them in memory, and their documents. First the truth is written
 * (by stream), then what each node reads (by node); both by compare-and-set, so that an assigner of before cannot undo
 * what a later one decided.
 */
export class AssignmentBook {
  readonly #store: FleetStore;
  readonly #assignments = new Map<string, Assignment>();
  readonly #shards = new Map<string, Kept>();
  readonly #views = new Map<string, Kept>();
  /** For streams that are to end: version of the view from which on they are not in it. */
  readonly #gone = new Map<string, number>();
  readonly #dirty = new Set<string>();
  #writes = 0;

  private constructor(store: FleetStore) {
    this.#store = store;
  }

  /**
   * Reads everything, and writes it once as it is: whatever an earlier assigner still has under way is refused from then
   * on, for every document has another version.
   */
  static async takeOver(store: FleetStore, mayWrite: () => void): Promise<AssignmentBook> {
    const book = new AssignmentBook(store);
    const [shards, views] = await Promise.all([
      store.documents(ASSIGNMENTS),
      store.documents(VIEWS),
    ]);
    for (const { id, version, body } of shards) {
      book.#shards.set(id, { version, body });
      for (const [stream, assignment] of readShard(body)) book.#assignments.set(stream, assignment);
    }
    for (const { id, version, body } of views) book.#views.set(id, { version, body });
    const shardWrites = shards.map(
      ({ id, body }) =>
        () =>
          book.#put(ASSIGNMENTS, id, body, mayWrite),
    );
    const viewWrites = views.map(
      ({ id, body }) =>
        () =>
          book.#put(VIEWS, id, body, mayWrite),
    );
    await inParallel([...shardWrites, ...viewWrites]);
    return book;
  }

  /** Documents written so far. */
  get writes(): number {
    return this.#writes;
  }

  get all(): ReadonlyMap<string, Assignment> {
    return this.#assignments;
  }

  get(stream: string): Assignment | undefined {
    return this.#assignments.get(stream);
  }

  set(stream: string, assignment: Assignment): void {
    this.#assignments.set(stream, assignment);
    this.#dirty.add(shardOf(stream));
    if (!assignment.draining) this.#gone.delete(stream);
  }

  /** Version of its owner's view from which on the stream is not in it; undefined while that is not written. */
  goneSince(stream: string): number | undefined {
    return this.#gone.get(stream);
  }

  /**
   * Writes what changed. `tokens` are the nodes there are, with the tokens of their leases; `mayWrite` is asked before
   * every write and throws to end it. Throws as the store does and `SL_CONFLICT` when another assigner wrote: the book
   * is of no use then.
   */
  async save(tokens: ReadonlyMap<string, number>, mayWrite: () => void): Promise<void> {
    await this.#saveShards(mayWrite);
    await this.#saveViews(tokens, mayWrite);
  }

  async #saveShards(mayWrite: () => void): Promise<void> {
    if (this.#dirty.size === 0) return;
    const lines = new Map([...this.#dirty].map((id) => [id, [] as [string, Assignment][]]));
    for (const entry of this.#assignments) lines.get(shardOf(entry[0]))?.push(entry);
    await inParallel(
      [...lines].map(([id, entries]) => async () => {
        await this.#put(ASSIGNMENTS, id, writeShard(entries), mayWrite);
        this.#dirty.delete(id);
      }),
    );
  }

  async #saveViews(tokens: ReadonlyMap<string, number>, mayWrite: () => void): Promise<void> {
    const streams = new Map([...tokens.keys()].map((node) => [node, new Map<string, ToRun>()]));
    for (const [stream, { node, token, epoch, generation, draining }] of this.#assignments) {
      if (draining || tokens.get(node) !== token) continue;
      streams.get(node)!.set(stream, { epoch, generation });
    }
    const views = [...tokens].map(
      ([node, token]) => [node, writeView({ token, streams: streams.get(node)! })] as const,
    );
    await inParallel(
      views
        .filter(([node, body]) => this.#views.get(node)?.body !== body)
        .map(
          ([node, body]) =>
            () =>
              this.#put(VIEWS, node, body, mayWrite),
        ),
    );
    for (const [stream, { node, draining }] of this.#assignments) {
      const view = this.#views.get(node);
      if (draining && view !== undefined && !this.#gone.has(stream) && tokens.has(node)) {
        this.#gone.set(stream, view.version);
      }
    }
  }

  async #put(collection: string, id: string, body: string, mayWrite: () => void): Promise<void> {
    const kept = collection === ASSIGNMENTS ? this.#shards : this.#views;
    mayWrite();
    const outcome = await this.#store.put(collection, id, body, kept.get(id)?.version ?? 0);
    this.#writes += 1;
    if (!outcome.done) {
      const message = `Another assigner wrote ${collection}/${id} of the fleet meanwhile`;
      throw new SightlineError('SL_CONFLICT', message);
    }
    kept.set(id, { version: outcome.version, body });
  }
}

/** Runs all, a few at a time; throws the first failure after those under way have ended. */
async function inParallel(works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const rest = works.values();
  let failure: unknown;
  const run = async (): Promise<void> => {
    for (const work of rest) {
      if (failure !== undefined) return;
      try {
        await work();
      } catch (error) {
        failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, run));
  if (failure !== undefined) throw failure;
}
