import { EntryLimits } from './entries.ts';

type Fields = Readonly<Record<string, unknown>>;

/** PutEvents: 10 events, less than 1 MB; the detail a JSON object, its type of 128 characters, no source of AWS itself. */
export function eventBridgeLimits(): EntryLimits {
  return new EntryLimits({
    action: 'PutEvents',
    list: 'Entries',
    fates: 'Entries',
    failed: 'FailedEntryCount',
    maxEntries: 10,
    maxBytes: 1_000_000,
    bytesOf,
    problemOf(entry) {
      if (String(entry['DetailType'] ?? '').length > 128) return { code: 'ValidationException' };
      if (String(entry['Source'] ?? '').startsWith('aws.')) {
        return { code: 'NotAuthorizedForSourceException', isOwn: true };
      }
      return isObject(entry['Detail']) ? undefined : { code: 'MalformedDetail', isOwn: true };
    },
    textOf: (entry) => String(entry['Detail']),
  });
}

function bytesOf(entry: Fields): number {
  let bytes = entry['Time'] === undefined ? 0 : 14;
  for (const name of ['Source', 'DetailType', 'Detail']) {
    bytes += Buffer.byteLength(String(entry[name] ?? ''));
  }
  return bytes;
}

function isObject(text: unknown): boolean {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
