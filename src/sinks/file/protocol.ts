import type { PendingRecord } from '../../common/delivery.ts';
import type { ErrorMessage } from '../../common/thread-calls.ts';
import type { FileSinkSpec } from './spec.ts';

/** What the file sink and its thread say to each other. */

/** What the thread is made with: its `workerData`. */
export type FileThreadOptions = Pick<FileSinkSpec, 'formats' | 'maxFileBytes' | 'maxFileAgeMs'> & {
  /** Absolute folder. */
  readonly root: string;
};

/** Records with all payloads in one buffer, which travels by transfer. */
export interface PackedBatch {
  readonly records: readonly (Omit<PendingRecord, 'payload'> & { readonly bytes: number })[];
  readonly payloads: Uint8Array;
}

export interface WriteReply {
  /** Records that were not written; the others are on the disk. */
  readonly failures: readonly {
    readonly index: number;
    readonly status: 'retry' | 'rejected';
    readonly error: ErrorMessage;
  }[];
  /** Torn tails of a former run that were cut off files since the last reply. */
  readonly cut: readonly { readonly path: string; readonly bytes: number }[];
  /** What went wrong with Parquet files since the last reply. */
  readonly notes: readonly { readonly path: string; readonly what: string }[];
}

export interface FileCalls {
  write: { args: { readonly batchId: number; readonly batch: PackedBatch }; result: WriteReply };
  /** Gives up a batch as far as it is not written; its `write` fails. */
  abort: { args: { readonly batchId: number }; result: undefined };
  close: { args: undefined; result: undefined };
}

export function packBatch(batch: readonly PendingRecord[]): PackedBatch {
  const bytes = batch.reduce((sum, { payload }) => sum + payload.byteLength, 0);
  // Not out of Node's pool, whose buffers cannot change hands.
  const payloads = new Uint8Array(bytes);
  let at = 0;
  const records = batch.map(({ seq, kind, streamId, recordId, atMs, payload }) => {
    payloads.set(payload, at);
    at += payload.byteLength;
    return { seq, kind, streamId, recordId, atMs, bytes: payload.byteLength };
  });
  return { records, payloads };
}

export function unpackBatch({ records, payloads }: PackedBatch): PendingRecord[] {
  let at = 0;
  return records.map(({ seq, kind, streamId, recordId, atMs, bytes }) => {
    const payload = payloads.subarray(at, at + bytes);
    at += bytes;
    return { seq, kind, streamId, recordId, atMs, payload };
  });
}
