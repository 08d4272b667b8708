import { dataOf, EntryLimits } from './entries.ts';

const MIB = 1024 * 1024;

/** PutRecords: 500 records, 10 MiB with the keys, 1 MiB a record, keys of 256 characters. */
export function kinesisLimits(): EntryLimits {
  const bytesOf = (entry: Readonly<Record<string, unknown>>) =>
    dataOf(entry).byteLength + Buffer.byteLength(String(entry['PartitionKey']));
  return new EntryLimits({
    action: 'PutRecords',
    list: 'Records',
    fates: 'Records',
    failed: 'FailedRecordCount',
    maxEntries: 500,
    maxBytes: 10 * MIB,
    bytesOf,
    problemOf(entry) {
      const key = String(entry['PartitionKey'] ?? '');
      const isWrong = key === '' || key.length > 256 || bytesOf(entry) > MIB;
      return isWrong ? { code: 'ValidationException' } : undefined;
    },
    textOf: (entry) => dataOf(entry).toString('latin1'),
  });
}
