/**
 * The fence in front of a node's own outbox: what its fleet streams put out is taken only while the node can prove that
 * its lease is its own, by its own clock, at that very moment. A process that was stopped finds the lease run out before
 * it takes anything.
 */
export class NodeFence {
  readonly #held: () => boolean;
  readonly #epochs = new Map<string, number>();
  #refused = 0;

  constructor(held: () => boolean) {
    this.#held = held;
  }

  /** Records that were not taken since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Epoch a stream of the fleet runs with here; undefined for one the fleet has nothing to do with. */
  epochOf(stream: string): number | undefined {
    return this.#epochs.get(stream);
  }

  /** The stream runs here from now on, with this epoch. */
  own(stream: string, epoch: number): void {
    this.#epochs.set(stream, epoch);
  }

  /** It has ended here: nothing of it can come any more. */
  disown(stream: string): void {
    this.#epochs.delete(stream);
  }

  /**
   * Those that may be accepted, each with the epoch it is to carry (undefined: not of the fleet); the others are counted.
   * Asked once for all: nothing else runs meanwhile.
   */
  pass<T extends { readonly streamId: string }>(
    records: readonly T[],
  ): readonly (readonly [record: T, epoch: number | undefined])[] {
    const held = this.#held();
    return records.flatMap((record) => {
      const epoch = this.#epochs.get(record.streamId);
      if (epoch === undefined || held) return [[record, epoch] as const];
      this.#refused += 1;
      return [];
    });
  }
}
