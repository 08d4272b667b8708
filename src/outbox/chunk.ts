import type { PendingRecord, RecordKind } from '../common/delivery.ts';
import { endOfRecord, isInSpool, payloadBytesAt, StoredRecord } from '../common/record-bytes.ts';

/**
 * A chunk is a run of records of one kind with consecutive sequence numbers: the unit that the journal stores, reads
 * and deletes. Records of different kinds or for different sinks never share a chunk, so that a sink that takes pictures
 * and is away does not keep every frame on the disk, and a chunk is for a sink as a whole or not at all. Records lie in it as
 * `common/record-bytes` has them.
 */
export interface ChunkHeader {
  readonly kind: RecordKind;
  readonly firstSeq: number;
  readonly count: number;
  /** What the chunk holds on the disk: its own bytes and those of its blobs. */
  readonly bytes: number;
  /** Wall time when the chunk was gathered, ms since the Unix epoch. */
  readonly storedMs: number;
  /** Ids of the sinks its records are for; absent: all that take the kind. */
  readonly sinks?: readonly string[];
}

export interface Chunk extends ChunkHeader {
  readonly data: Uint8Array;
}

/** A record as it lies in a chunk: `payload` is undefined when the blob spool holds it. */
export interface ChunkRecord extends Omit<PendingRecord, 'payload'> {
  readonly payload: Uint8Array | undefined;
}

export function lastSeqOf(chunk: ChunkHeader): number {
  return chunk.firstSeq + chunk.count - 1;
}

/** Walks the records of a chunk without copying their payloads. */
export class ChunkReader {
  readonly chunk: Chunk;
  readonly isLent: boolean;
  readonly #bytes: Buffer;
  #offset = 0;
  #index = 0;

  /** @param isLent whether records are to be looked at where they lie; else they are objects of their own */
  constructor(chunk: Chunk, isLent: boolean) {
    this.chunk = chunk;
    this.isLent = isLent;
    const { buffer, byteOffset, byteLength } = chunk.data;
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** Sequence number of the next record; one past the chunk's last at its end. */
  get nextSeq(): number {
    return this.chunk.firstSeq + this.#index;
  }

  get atEnd(): boolean {
    return this.#index === this.chunk.count;
  }

  /** Payload bytes of the next record, 0 at the end. */
  peekPayloadBytes(): number {
    return this.atEnd ? 0 : payloadBytesAt(this.#bytes, this.#offset);
  }

  skip(): void {
    this.#offset = endOfRecord(this.#bytes, this.#offset);
    this.#index++;
  }

  next(): ChunkRecord {
    const { nextSeq: seq } = this;
    const record = new StoredRecord(seq, this.chunk.kind, this.#bytes, this.#offset);
    const inSpool = isInSpool(this.#bytes, this.#offset);
    this.#offset = record.end;
    this.#index++;
    if (!inSpool) return this.isLent ? record : record.toPlain();
    const { kind, streamId, recordId, atMs } = record;
    return { seq, kind, streamId, recordId, atMs, payload: undefined };
  }
}
