/**
 * Record ids that were worked on, the last `max` of them: delivery is at least once, so a record may come again. Add an id
 * when the work is done, not before, or a record whose work failed is lost.
 */
export class SeenRecords {
  readonly #max: number;
  readonly #ids = new Set<string>();

  /** @param max ids that are remembered, about 100 bytes each. Default 100000 */
  constructor(max = 100_000) {
    this.#max = max;
  }

  get size(): number {
    return this.#ids.size;
  }

  has(recordId: string): boolean {
    return this.#ids.has(recordId);
  }

  /** The oldest id makes room. One that is there already counts as new again. */
  add(recordId: string): void {
    this.#ids.delete(recordId);
    this.#ids.add(recordId);
    if (this.#ids.size <= this.#max) return;
    const [oldest] = this.#ids;
    this.#ids.delete(oldest!);
  }
}
