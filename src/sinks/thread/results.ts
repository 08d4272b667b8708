import type { DeliveryResult } from '../../common/delivery.ts';
import { type ErrorMessage, packError, unpackError } from '../../common/thread-calls.ts';

const ACCEPTED: DeliveryResult = { status: 'accepted' };
const FILTERED: DeliveryResult = { status: 'filtered' };

/** The fates of a batch: nearly always all of them are the same, and the others share a few errors. */
export interface PackedResults {
  readonly count: number;
  /** Records that were not accepted. */
  readonly exceptions: readonly {
    readonly index: number;
    readonly status: Exclude<DeliveryResult['status'], 'accepted'>;
    /** Position in `errors`. */
    readonly error?: number;
  }[];
  readonly errors: readonly ErrorMessage[];
}

export function packResults(results: readonly DeliveryResult[]): PackedResults {
  const positions = new Map<Error, number>();
  const exceptions: PackedResults['exceptions'][number][] = [];
  for (const [index, result] of results.entries()) {
    const { status } = result;
    if (status === 'accepted') continue;
    if (!('error' in result)) {
      exceptions.push({ index, status });
      continue;
    }
    const known = positions.get(result.error);
    const error = known ?? positions.size;
    if (known === undefined) positions.set(result.error, error);
    exceptions.push({ index, status, error });
  }
  return { count: results.length, exceptions, errors: [...positions.keys()].map(packError) };
}

/** Records with the same error share it again. */
export function unpackResults({ count, exceptions, errors }: PackedResults): DeliveryResult[] {
  const results = new Array<DeliveryResult>(count).fill(ACCEPTED);
  const unpacked = errors.map(unpackError);
  for (const { index, status, error } of exceptions) {
    results[index] = status === 'filtered' ? FILTERED : { status, error: unpacked[error!]! };
  }
  return results;
}
