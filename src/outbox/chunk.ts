import type { OutboxRecord, PendingRecord, RecordKind } from '../common/delivery.ts';

/**
 * A chunk is a run of records of one kind with consecutive sequence numbers: the unit that the journal stores, reads
 * and deletes. Records of different kinds or for different sinks never share a chunk, so that a sink that takes pictures
 * and is away does not keep every frame on the disk, and a chunk is for a sink as a whole or not at all.
 *
 * Record (little endian): u32 payload length, f64 time (ms), u8 flags, u16 stream id length, u16 record id length,
 * stream id, record id, payload (absent when it lies in the blob spool).
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

const FIXED_BYTES = 17;
const IN_SPOOL = 1;
const MAX_ID_BYTES = 0xffff;

export function lastSeqOf(chunk: ChunkHeader): number {
  return chunk.firstSeq + chunk.count - 1;
}

/** Bytes a record needs in a chunk, without its payload. */
export function overheadBytes(record: OutboxRecord): number {
  const streamBytes = Buffer.byteLength(record.streamId);
  const recordBytes = Buffer.byteLength(record.recordId);
  if (streamBytes > MAX_ID_BYTES || recordBytes > MAX_ID_BYTES) {
    throw new RangeError(`Ids of an outbox record must be at most ${MAX_ID_BYTES} bytes`);
  }
  return FIXED_BYTES + streamBytes + recordBytes;
}

/** Writes a record at `offset` and returns where the next one starts. The caller made room. */
export function writeRecord(
  target: Buffer,
  offset: number,
  record: OutboxRecord,
  inSpool: boolean,
): number {
  const { payload } = record;
  target.writeUInt32LE(payload.byteLength, offset);
  target.writeDoubleLE(record.atMs, offset + 4);
  target.writeUInt8(inSpool ? IN_SPOOL : 0, offset + 12);
  let end = offset + FIXED_BYTES;
  const streamBytes = target.write(record.streamId, end);
  target.writeUInt16LE(streamBytes, offset + 13);
  end += streamBytes;
  const recordBytes = target.write(record.recordId, end);
  target.writeUInt16LE(recordBytes, offset + 15);
  end += recordBytes;
  if (inSpool) return end;
  target.set(payload, end);
  return end + payload.byteLength;
}

/** Walks the records of a chunk without copying their payloads. */
export class ChunkReader {
  readonly chunk: Chunk;
  readonly #bytes: Buffer;
  #offset = 0;
  #index = 0;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
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
    return this.atEnd ? 0 : this.#bytes.readUInt32LE(this.#offset);
  }

  skip(): void {
    const bytes = this.#bytes;
    const at = this.#offset;
    const inSpool = (bytes.readUInt8(at + 12) & IN_SPOOL) !== 0;
    this.#offset =
      at +
      FIXED_BYTES +
      bytes.readUInt16LE(at + 13) +
      bytes.readUInt16LE(at + 15) +
      (inSpool ? 0 : bytes.readUInt32LE(at));
    this.#index++;
  }

  next(): ChunkRecord {
    const bytes = this.#bytes;
    const at = this.#offset;
    const payloadBytes = bytes.readUInt32LE(at);
    const inSpool = (bytes.readUInt8(at + 12) & IN_SPOOL) !== 0;
    const streamEnd = at + FIXED_BYTES + bytes.readUInt16LE(at + 13);
    const recordEnd = streamEnd + bytes.readUInt16LE(at + 15);
    const end = inSpool ? recordEnd : recordEnd + payloadBytes;
    const record: ChunkRecord = {
      seq: this.nextSeq,
      kind: this.chunk.kind,
      streamId: bytes.toString('utf8', at + FIXED_BYTES, streamEnd),
      recordId: bytes.toString('utf8', streamEnd, recordEnd),
      atMs: bytes.readDoubleLE(at + 4),
      payload: inSpool ? undefined : bytes.subarray(recordEnd, end),
    };
    this.#offset = end;
    this.#index++;
    return record;
  }
}
