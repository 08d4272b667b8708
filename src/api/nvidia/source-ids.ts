/**
 * The numbers that clients of this API know streams by. They go round from 0 to `max` - 1, so that the number of a
 * removed stream is not given to the next one at once.
 */
export class SourceIds {
  readonly #max: number;
  readonly #ids = new Map<string, number>();
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Undefined for a stream that got none, because all were taken. */
  of(streamId: string): number | undefined {
    return this.#ids.get(streamId);
  }

  streamOf(sourceId: number): string | undefined {
    return [...this.#ids].find(([, id]) => id === sourceId)?.[0];
  }

  /** The next free number, kept for the stream; undefined when all are taken. */
  take(streamId: string): number | undefined {
    const taken = new Set(this.#ids.values());
    for (let step = 0; step < this.#max; step += 1) {
      const id = (this.#next + step) % this.#max;
      if (taken.has(id)) continue;
      this.#keep(streamId, id);
      return id;
    }
    return undefined;
  }

  /** The number the stream had before a restart, unless another stream has it. */
  restore(streamId: string, id: number): void {
    if (!Number.isSafeInteger(id) || id < 0 || this.streamOf(id) !== undefined) return;
    this.#keep(streamId, id);
  }

  /** Forgets streams that are no more. */
  retain(streamIds: ReadonlySet<string>): void {
    for (const id of this.#ids.keys()) if (!streamIds.has(id)) this.#ids.delete(id);
  }

  #keep(streamId: string, id: number): void {
    this.#ids.set(streamId, id);
    this.#next = (id + 1) % this.#max;
  }
}
