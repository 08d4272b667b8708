/** Bytes of the memory that records gather in. */
export const CHUNK_BYTES = 256 * 1024;

const MAX_SPARE = 48;

/**
 * Memory of chunks that nobody looked into, for the next ones: at full rate the garbage collector would come too late for
 * what is left behind, and its memory would add to what the bounds allow.
 */
export class SpareBuffers {
  readonly #buffers: ArrayBuffer[] = [];

  /** At least `bytes`; what is in it is left from before. */
  take(bytes: number): ArrayBuffer {
    if (bytes > CHUNK_BYTES) return new ArrayBuffer(bytes);
    return this.#buffers.pop() ?? new ArrayBuffer(CHUNK_BYTES);
  }

  /** The caller uses it no more, and nobody else does. */
  put(buffer: ArrayBufferLike): void {
    if (buffer.byteLength !== CHUNK_BYTES || this.#buffers.length >= MAX_SPARE) return;
    this.#buffers.push(buffer as ArrayBuffer);
  }
}
