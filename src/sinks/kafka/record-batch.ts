import {
  type CompressionAlgorithmValue,
  compressionsAlgorithms,
  crc32c,
} from '@platformatic/kafka';

// Record batches, version 2: https://kafka.apache.org/documentation/#recordbatch

/** Everything before the records. */
export const BATCH_OVERHEAD_BYTES = 61;
/** Length, attributes, time and offset of a record, at their longest. */
const RECORD_OVERHEAD_BYTES = 5 + 1 + 10 + 5;
/** What the length of a batch does not count: its base offset and itself. */
const LENGTH_FROM = 12;
/** Where the checksum begins to count. */
const CRC_FROM = 21;

/** A record without what depends on its batch. */
export interface KafkaRecord {
  readonly timestampMs: number;
  /** Key, value and headers as they stand in a batch. */
  readonly body: Uint8Array;
}

export type Compression = 'none' | CompressionAlgorithmValue;

export interface BatchOptions {
  readonly compression: Compression;
  /** -1n, -1 and -1 for a producer that is not idempotent. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

/** Most bytes a record takes in a batch before compression. */
export function recordBytes({ body }: KafkaRecord): number {
  return RECORD_OVERHEAD_BYTES + body.byteLength;
}

/** Writes key, value and headers of a record. */
export function encodeBody(
  key: Uint8Array,
  value: Uint8Array,
  headers: Iterable<readonly [string, string]>,
): Uint8Array {
  let size = 15 + key.byteLength + value.byteLength;
  const pairs = [...headers];
  for (const [name, text] of pairs) size += 10 + 3 * (name.length + text.length);
  const out = Buffer.allocUnsafe(size);
  let at = writeVarint(out, 0, key.byteLength);
  out.set(key, at);
  at = writeVarint(out, at + key.byteLength, value.byteLength);
  out.set(value, at);
  at = writeVarint(out, at + value.byteLength, pairs.length);
  for (const [name, text] of pairs) at = writeText(out, writeText(out, at, name), text);
  return out.subarray(0, at);
}

/**
 * A batch of records of one partition, as brokers store it. What compression would only make bigger stays as it is.
 * @throws Error of the codec
 */
export function encodeBatch(records: readonly KafkaRecord[], options: BatchOptions): Buffer {
  const firstMs = records[0]!.timestampMs;
  let maxMs = firstMs;
  let size = BATCH_OVERHEAD_BYTES;
  for (const record of records) {
    size += recordBytes(record);
    maxMs = Math.max(maxMs, record.timestampMs);
  }
  const whole = Buffer.allocUnsafe(size);
  let at = BATCH_OVERHEAD_BYTES;
  for (const [index, record] of records.entries()) {
    at = writeRecord(whole, at, record, index, record.timestampMs - firstMs);
  }
  const plain = whole.subarray(0, at);
  const { batch, attributes } = compress(plain, options.compression);
  const { producerId, producerEpoch, firstSequence } = options;
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.byteLength - LENGTH_FROM, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(attributes, CRC_FROM);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(firstMs), 27);
  batch.writeBigInt64BE(BigInt(maxMs), 35);
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(producerEpoch, 51);
  batch.writeInt32BE(firstSequence, 53);
  batch.writeInt32BE(records.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), 17);
  return batch;
}

/** @param plain a batch whose head is not written yet */
function compress(plain: Buffer, name: Compression): { batch: Buffer; attributes: number } {
  if (name === 'none') return { batch: plain, attributes: 0 };
  const { bitmask, compressSync } = compressionsAlgorithms[name];
  const packed = compressSync(plain.subarray(BATCH_OVERHEAD_BYTES));
  if (packed.byteLength >= plain.byteLength - BATCH_OVERHEAD_BYTES) {
    return { batch: plain, attributes: 0 };
  }
  const batch = Buffer.allocUnsafe(BATCH_OVERHEAD_BYTES + packed.byteLength);
  batch.set(packed, BATCH_OVERHEAD_BYTES);
  return { batch, attributes: bitmask };
}

function writeRecord(
  out: Buffer,
  from: number,
  { body }: KafkaRecord,
  offset: number,
  timestamp: number,
): number {
  const length = 1 + varintBytes(timestamp) + varintBytes(offset) + body.byteLength;
  let at = writeVarint(out, from, length);
  out[at++] = 0;
  at = writeVarint(out, at, timestamp);
  at = writeVarint(out, at, offset);
  out.set(body, at);
  return at + body.byteLength;
}

function writeText(out: Buffer, at: number, text: string): number {
  const bytes = Buffer.byteLength(text);
  const from = writeVarint(out, at, bytes);
  out.write(text, from);
  return from + bytes;
}

/** Zig-zag; doubles, as a difference of times may need more than 32 bits. */
function zigZag(value: number): number {
  return value >= 0 ? value * 2 : value * -2 - 1;
}

function varintBytes(value: number): number {
  let rest = zigZag(value);
  let bytes = 1;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function writeVarint(out: Buffer, from: number, value: number): number {
  let rest = zigZag(value);
  let at = from;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[at++] = (rest % 0x80) | 0x80;
  out[at++] = rest;
  return at;
}
