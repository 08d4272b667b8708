/**
 * Tells output of an earlier owner of a stream from that of the present one: the highest epoch that was seen of a stream is
 * its owner's, and what carries a lower one is stale. One number a stream is kept, 100 bytes or so.
 */
export class EpochFence {
  readonly #highest: Map<string, number>;
  #stale = 0;

  /** @param known what `entries` gave in a former run: a reader that forgets takes the first epoch it sees for the highest */
  constructor(known: Iterable<readonly [stream: string, epoch: number]> = []) {
    this.#highest = new Map(known);
  }

  /** Outputs that were stale so far. */
  get stale(): number {
    return this.#stale;
  }

  /** Highest epoch of every stream, to be kept. */
  entries(): IterableIterator<[string, number]> {
    return this.#highest.entries();
  }

  /** Whether output of the stream with this epoch may be taken. 0, of a stream that no fleet places, always may. */
  accepts(stream: string, epoch: number): boolean {
    if (epoch === 0) return true;
    const highest = this.#highest.get(stream) ?? 0;
    if (epoch > highest) this.#highest.set(stream, epoch);
    if (epoch >= highest) return true;
    this.#stale += 1;
    return false;
  }
}
