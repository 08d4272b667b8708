import { dataOf, EntryLimits } from './entries.ts';

/** PutRecordBatch: 500 records, 4 MiB, 1,000 KiB a record before base64. */
export function firehoseLimits(): EntryLimits {
  const bytesOf = (entry: Readonly<Record<string, unknown>>) => dataOf(entry).byteLength;
  return new EntryLimits({
    action: 'PutRecordBatch',
    list: 'Records',
    fates: 'RequestResponses',
    failed: 'FailedPutCount',
    maxEntries: 500,
    maxBytes: 4 * 1024 * 1024,
    bytesOf,
    problemOf: (entry) =>
      bytesOf(entry) > 1000 * 1024 ? { code: 'ValidationException' } : undefined,
    textOf: (entry) => dataOf(entry).toString('utf8'),
  });
}
