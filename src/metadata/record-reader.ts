import { SightlineError } from '../common/errors.ts';
import { MAX_DATA_RECORD_BYTES } from '../worker/protocol.ts';

const HEADER_BYTES = 8;

/** One record of the worker's data line. `payload` may be a view into the chunk it came in: use or copy it soon. */
export interface DataRecord {
  readonly kind: number;
  readonly payload: Buffer;
}

/**
 * Cuts the bytes of a worker's data line (`DATA_FD`) into records: `u32le length | u32le kind | payload`.
 * A record that lies in one chunk is handed out as a view; only records that span chunks are copied, once.
 */
export class RecordReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  /** Kind of the record whose payload is being gathered in `#partial`. */
  #kind = 0;
  #partial: Buffer | undefined;
  #partialFilled = 0;
  #failure: SightlineError | undefined;

  /** Bytes held of a record that is not complete: what is lost when the line ends now. */
  get pendingBytes(): number {
    const gathered = this.#partial === undefined ? 0 : HEADER_BYTES + this.#partialFilled;
    return this.#headerFilled + gathered + this.#rest.length;
  }

  /**
   * Takes a chunk and iterates over the records that are complete now, in order. Records left over by a loop that was
   * broken off come first in the next one.
   * @throws SightlineError `SL_PIPELINE_FAILED` at a record over `MAX_DATA_RECORD_BYTES` (the writer is broken), after
   * the records before it; every later call throws the same.
   */
  push(chunk: Uint8Array): Iterable<DataRecord> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    return this.#drain();
  }

  *#drain(): Generator<DataRecord, void, undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const record = this.#partial === undefined ? this.#next() : this.#gather(this.#partial);
      if (record === undefined) return;
      yield record;
    }
  }

  /** Reads a header and, when all of it is here, its payload. */
  #next(): DataRecord | undefined {
    const header = this.#takeHeader();
    if (header === undefined) return undefined;
    const length = header.readUInt32LE(0);
    const kind = header.readUInt32LE(4);
    if (length > MAX_DATA_RECORD_BYTES) {
      this.#failure = new SightlineError(
        'SL_PIPELINE_FAILED',
        `The worker announced a record of ${length} bytes on its data line; at most ${MAX_DATA_RECORD_BYTES} are allowed. ` +
          'The line cannot be read any further: the worker must be restarted.',
        { details: { length, kind } },
      );
      throw this.#failure;
    }
    if (this.#rest.length >= length) return { kind, payload: this.#take(length) };
    this.#kind = kind;
    this.#partial = Buffer.allocUnsafe(length);
    this.#partialFilled = 0;
    return this.#gather(this.#partial);
  }

  #gather(partial: Buffer): DataRecord | undefined {
    const piece = this.#take(Math.min(partial.length - this.#partialFilled, this.#rest.length));
    piece.copy(partial, this.#partialFilled);
    this.#partialFilled += piece.length;
    if (this.#partialFilled < partial.length) return undefined;
    this.#partial = undefined;
    return { kind: this.#kind, payload: partial };
  }

  #takeHeader(): Buffer | undefined {
    if (this.#headerFilled === 0 && this.#rest.length >= HEADER_BYTES) {
      return this.#take(HEADER_BYTES);
    }
    const piece = this.#take(Math.min(HEADER_BYTES - this.#headerFilled, this.#rest.length));
    piece.copy(this.#header, this.#headerFilled);
    this.#headerFilled += piece.length;
    if (this.#headerFilled < HEADER_BYTES) return undefined;
    this.#headerFilled = 0;
    return this.#header;
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}
