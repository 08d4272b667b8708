interface Kept {
  readonly data: Uint8Array;
  /** Sinks that have not asked for it yet. */
  readers: number;
}

/**
 * The newest blobs, kept in memory so that a sink that keeps up never makes the journal read what it has just written.
 * One that every sink has is let go at once: what lives long costs the garbage collector, in megabytes a second.
 */
export class BlobCache {
  readonly #maxBytes: number;
  /** In order of their sequence numbers. */
  readonly #blobs = new Map<number, Kept>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `readers`: how many sinks will ask for it; a sink that starts anew finds what the others left. */
  add(seq: number, data: Uint8Array, readers: number): void {
    if (readers === 0 || data.byteLength > this.#maxBytes) return;
    this.#blobs.set(seq, { data, readers });
    this.#bytes += data.byteLength;
    for (const [oldest, blob] of this.#blobs) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest, blob);
    }
  }

  /** For one of its readers. */
  take(seq: number): Uint8Array | undefined {
    const blob = this.#blobs.get(seq);
    if (blob === undefined) return undefined;
    blob.readers--;
    if (blob.readers === 0) this.#drop(seq, blob);
    return blob.data;
  }

  #drop(seq: number, { data }: Kept): void {
    this.#blobs.delete(seq);
    this.#bytes -= data.byteLength;
  }
}
