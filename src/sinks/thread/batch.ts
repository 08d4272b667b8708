import { type PendingRecord, RECORD_KINDS } from '../../common/delivery.ts';
import { overheadBytes, StoredRecord, writeRecord } from '../../common/record-bytes.ts';
import type { BatchMemory } from './batch-memory.ts';

/**
 * Records as they lie in the outbox, in one buffer that changes hands: thousands of small objects would take longer to
 * clone than to send.
 */
export interface PackedBatch {
  /** Runs of records of one kind with consecutive numbers: place of the kind, first number, how many. */
  readonly runs: Float64Array;
  readonly bytes: Uint8Array;
}

const RUN_NUMBERS = 3;

/** Copies the records. `memory`: where to take the buffer from. */
export function packBatch(batch: readonly PendingRecord[], memory: BatchMemory): PackedBatch {
  let total = 0;
  for (const record of batch) total += bytesOf(record);
  const buffer = memory.take(total);
  const target = Buffer.from(buffer, 0, total);
  let at = 0;
  for (let index = 0; index < batch.length; ) {
    const record = batch[index]!;
    if (!(record instanceof StoredRecord)) {
      at = writeRecord(target, at, record, false);
      index++;
      continue;
    }
    const { bytes, start } = record;
    const next = endOfNeighbours(batch, index);
    const last = batch[next - 1] as StoredRecord;
    target.set(bytes.subarray(start, last.end), at);
    at += last.end - start;
    index = next;
  }
  return { runs: runsOf(batch), bytes: new Uint8Array(buffer, 0, total) };
}

/** Their parts are made when the sink asks for them: most of them are garbage before the garbage collector sees them. */
export function unpackBatch({ runs, bytes }: PackedBatch): StoredRecord[] {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: StoredRecord[] = [];
  let at = 0;
  for (let run = 0; run < runs.length; run += RUN_NUMBERS) {
    const kind = RECORD_KINDS[runs[run]!]!;
    const first = runs[run + 1]!;
    for (let seq = first; seq < first + runs[run + 2]!; seq++) {
      const record = new StoredRecord(seq, kind, source, at);
      records.push(record);
      at = record.end;
    }
  }
  return records;
}

/** Where records that lie one after the other, from that at `from` on, come to their end. */
function endOfNeighbours(batch: readonly PendingRecord[], from: number): number {
  let { bytes, end } = batch[from] as StoredRecord;
  let index = from + 1;
  for (; index < batch.length; index++) {
    const next = batch[index]!;
    if (!(next instanceof StoredRecord) || next.bytes !== bytes || next.start !== end) break;
    end = next.end;
  }
  return index;
}

function runsOf(batch: readonly PendingRecord[]): Float64Array {
  const runs: number[] = [];
  let lastKind: PendingRecord['kind'] | undefined;
  let nextSeq = 0;
  for (const { kind, seq } of batch) {
    if (kind === lastKind && seq === nextSeq) runs[runs.length - 1]!++;
    else runs.push(RECORD_KINDS.indexOf(kind), seq, 1);
    lastKind = kind;
    nextSeq = seq + 1;
  }
  return Float64Array.from(runs);
}

function bytesOf(record: PendingRecord): number {
  if (record instanceof StoredRecord) return record.end - record.start;
  return overheadBytes(record) + record.payload.byteLength;
}
