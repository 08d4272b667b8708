const STEP_BYTES = 64 * 1024;
/** One batch is under way while the next is told. */
const MAX_SPARE = 2;

/**
 * Memory that batches travel in, for one sink. It comes back with their fates: new memory for each would keep the garbage
 * collectors of both threads busy.
 */
export class BatchMemory {
  #spare: ArrayBuffer[] = [];

  /** At least `bytes`; what is in it is left from before. */
  take(bytes: number): ArrayBuffer {
    const at = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes);
    if (at !== -1) return this.#spare.splice(at, 1)[0]!;
    return new ArrayBuffer(Math.ceil((bytes + 1) / STEP_BYTES) * STEP_BYTES);
  }

  /** The caller and the thread use it no more. */
  put(buffer: ArrayBuffer): void {
    const spare = [...this.#spare, buffer].sort((a, b) => b.byteLength - a.byteLength);
    this.#spare = spare.slice(0, MAX_SPARE);
  }
}
