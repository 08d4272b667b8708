import { SightlineError } from '../common/errors.ts';
import type { SightlineRecord } from '../consumer/records.ts';

/** The bytes of the one picture in a message. @throws SightlineError `SL_MESSAGE_INVALID` for anything else */
export function imageOf(records: readonly SightlineRecord[]): Uint8Array {
  const [record] = records;
  if (record?.kind === 'image' && records.length === 1) return record.bytes;
  const what = record === undefined ? 'nothing' : `a record of kind ${record.kind}`;
  const message = `Cannot infer a message of a queue: it holds ${what} and no picture`;
  throw new SightlineError('SL_MESSAGE_INVALID', message);
}
