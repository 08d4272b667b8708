import type { RecordKind } from '../common/delivery.ts';
import { BlobCache } from './blob-cache.ts';
import { type Chunk, lastSeqOf } from './chunk.ts';
import { SpareBuffers } from './spare-buffers.ts';

interface Loan {
  /** Who has it and has not given it back. */
  readers: number;
  isEvicted: boolean;
}

/**
 * The newest chunks, kept in memory so that a sink that keeps up never makes the journal read. It holds every chunk
 * stored since `startSeq`, without a gap. The memory of what nobody asked for, or gave back, is used again.
 */
export class TailCache {
  readonly #maxBytes: number;
  readonly spares = new SpareBuffers();
  /** As many bytes again: pictures push no frames out. */
  readonly blobs: BlobCache;
  /** Chunks whose memory others look at. A reader may be gone with what it had. */
  readonly #loans = new WeakMap<Chunk, Loan>();
  #chunks: Chunk[] = [];
  #bytes = 0;
  #startSeq: number;

  /** @param startSeq first sequence number that will be stored from now on */
  constructor(maxBytes: number, startSeq: number) {
    this.#maxBytes = maxBytes;
    this.blobs = new BlobCache(maxBytes);
    this.#startSeq = startSeq;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Chunks come in order of their sequence numbers. */
  add(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.data.buffer.byteLength;
    let evicted = 0;
    while (this.#bytes > this.#maxBytes && evicted < this.#chunks.length) {
      const oldest = this.#chunks[evicted++]!;
      this.#bytes -= oldest.data.buffer.byteLength;
      this.#startSeq = lastSeqOf(oldest) + 1;
      const loan = this.#loans.get(oldest);
      if (loan === undefined || loan.readers === 0) this.spares.put(oldest.data.buffer);
      else loan.isEvicted = true;
    }
    if (evicted > 0) this.#chunks = this.#chunks.slice(evicted);
  }

  /** Whether every chunk above `seq` is here. */
  coversAfter(seq: number): boolean {
    return seq + 1 >= this.#startSeq;
  }

  /** The first chunk of these kinds with a record above `seq`, lent to the caller. */
  firstAfter(seq: number, kinds: readonly RecordKind[]): Chunk | undefined {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (lastSeqOf(this.#chunks[middle]!) > seq) high = middle;
      else low = middle + 1;
    }
    for (let index = low; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      if (!kinds.includes(chunk.kind)) continue;
      const loan = this.#loans.get(chunk);
      if (loan === undefined) this.#loans.set(chunk, { readers: 1, isEvicted: false });
      else loan.readers++;
      return chunk;
    }
    return undefined;
  }

  /** Once for each time it was lent, by who looks at it no more. */
  giveBack(chunk: Chunk): void {
    const loan = this.#loans.get(chunk);
    if (loan === undefined || --loan.readers > 0 || !loan.isEvicted) return;
    this.spares.put(chunk.data.buffer);
  }
}
