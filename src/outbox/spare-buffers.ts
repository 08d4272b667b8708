/** Bytes of the memory that records gather in. */
export const CHUNK_BYTES = 256 * 1024;

/** As much as the queue and the cache may fill: memory of a burst is there for the next one. */
const MAX_SPARE = 160;

/**
 * Memory of chunks that nobody looks into any more, for the next ones. It is shared with the journal's thread: V8 counts
 * what changes hands as new each time, and holds up the event loop for up to 10 ms at a time to look for garbage. What is
 * shared it does not count at all, so it must not be left to the garbage collector.
 */
export class SpareBuffers {
  readonly #buffers: SharedArrayBuffer[] = [];

  /** At least `bytes`; what is in it is left from before. */
  take(bytes: number): SharedArrayBuffer {
    if (bytes > CHUNK_BYTES) return new SharedArrayBuffer(bytes);
    return this.#buffers.pop() ?? new SharedArrayBuffer(CHUNK_BYTES);
  }

  /** The caller uses it no more, and nobody else does. What `take` has not made is let go. */
  put(buffer: ArrayBufferLike): void {
    const isOurs = buffer instanceof SharedArrayBuffer && buffer.byteLength === CHUNK_BYTES;
    if (isOurs && this.#buffers.length < MAX_SPARE) this.#buffers.push(buffer);
  }
}
