import type { OutboxRecord, PendingRecord, RecordKind } from './delivery.ts';

/**
 * How a record lies in memory and on the disk (little endian): u32 payload length, f64 time (ms), u8 flags, u16 stream id
 * length, u16 record id length, stream id, record id, payload (absent when it lies in the blob spool).
 */
const FIXED_BYTES = 17;
const IN_SPOOL = 1;
const MAX_ID_BYTES = 0xffff;

/** Bytes a record needs without its payload. */
export function overheadBytes({ streamId, recordId }: OutboxRecord): number {
  const streamBytes = Buffer.byteLength(streamId);
  const recordBytes = Buffer.byteLength(recordId);
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

/** Of the record at `at`, wherever its payload lies. */
export function payloadBytesAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
}

export function isInSpool(bytes: Buffer, at: number): boolean {
  return (bytes.readUInt8(at + 12) & IN_SPOOL) !== 0;
}

/** Where the record that starts at `at` ends. */
export function endOfRecord(bytes: Buffer, at: number): number {
  const ids = bytes.readUInt16LE(at + 13) + bytes.readUInt16LE(at + 15);
  const inline = isInSpool(bytes, at) ? 0 : payloadBytesAt(bytes, at);
  return at + FIXED_BYTES + ids + inline;
}

/**
 * A record where it lies, with its payload: one small object, whose parts are made when they are asked for. Thousands of
 * them wait for a sink that only copies them; it is good as long as the memory is.
 */
export class StoredRecord implements PendingRecord {
  readonly seq: number;
  readonly kind: RecordKind;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;

  constructor(seq: number, kind: RecordKind, bytes: Buffer, start: number) {
    this.seq = seq;
    this.kind = kind;
    this.bytes = bytes;
    this.start = start;
    this.end = endOfRecord(bytes, start);
  }

  get streamId(): string {
    const from = this.start + FIXED_BYTES;
    return this.bytes.toString('utf8', from, from + this.bytes.readUInt16LE(this.start + 13));
  }

  get recordId(): string {
    const from = this.start + FIXED_BYTES + this.bytes.readUInt16LE(this.start + 13);
    return this.bytes.toString('utf8', from, from + this.bytes.readUInt16LE(this.start + 15));
  }

  get atMs(): number {
    return this.bytes.readDoubleLE(this.start + 4);
  }

  get payloadBytes(): number {
    return payloadBytesAt(this.bytes, this.start);
  }

  get payload(): Uint8Array {
    const { buffer, byteOffset } = this.bytes;
    const { payloadBytes } = this;
    // Much sooner made than a Buffer.
    return new Uint8Array(buffer, byteOffset + this.end - payloadBytes, payloadBytes);
  }

  /** The same as an object of its own; its payload still lies where it lay. */
  toPlain(): PendingRecord {
    const { seq, kind, streamId, recordId, atMs, payload } = this;
    return { seq, kind, streamId, recordId, atMs, payload };
  }
}

/** A record with some parts in place of its own: a `StoredRecord` has no properties that could be spread. */
export function withParts(
  { seq, kind, streamId, recordId, atMs, payload }: PendingRecord,
  parts: Partial<PendingRecord>,
): PendingRecord {
  return { seq, kind, streamId, recordId, atMs, payload, ...parts };
}

export function payloadBytesOf(record: PendingRecord): number {
  return record instanceof StoredRecord ? record.payloadBytes : record.payload.byteLength;
}
