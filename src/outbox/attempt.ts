import type { DeliveryResult, PendingRecord, Sink } from '../common/delivery.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';

/** What one attempt did to each of its records. */
export interface Outcome {
  readonly accepted: PendingRecord[];
  readonly filtered: PendingRecord[];
  readonly rejected: { readonly record: PendingRecord; readonly error: Error }[];
  readonly retry: { readonly record: PendingRecord; readonly error: Error }[];
  /** Why the attempt as a whole ended early; records that appear nowhere above were not decided. */
  failure: SightlineError | undefined;
}

export interface AttemptOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Hands a batch to a sink. A batch that is refused as a whole (`SL_SINK_REJECTED`) is cut in halves until the records
 * that cause it stand alone.
 */
export async function attempt(
  sink: Sink,
  records: readonly PendingRecord[],
  options: AttemptOptions,
): Promise<Outcome> {
  const outcome: Outcome = {
    accepted: [],
    filtered: [],
    rejected: [],
    retry: [],
    failure: undefined,
  };
  const parts: (readonly PendingRecord[])[] = [records];
  while (parts.length > 0) {
    const part = parts.pop()!;
    try {
      sort(part, await deliver(sink, part, options), outcome);
    } catch (thrown) {
      const error = toSightlineError(thrown);
      if (error.code !== 'SL_SINK_REJECTED') {
        outcome.failure = error;
        return outcome;
      }
      if (part.length === 1) outcome.rejected.push({ record: part[0]!, error });
      else {
        const middle = part.length >>> 1;
        parts.push(part.slice(middle), part.slice(0, middle));
      }
    }
  }
  return outcome;
}

function sort(
  records: readonly PendingRecord[],
  results: readonly DeliveryResult[],
  outcome: Outcome,
): void {
  for (const [index, record] of records.entries()) {
    const result = results[index]!;
    if (result.status === 'accepted') outcome.accepted.push(record);
    else if (result.status === 'filtered') outcome.filtered.push(record);
    else if (result.status === 'rejected') outcome.rejected.push({ record, error: result.error });
    else outcome.retry.push({ record, error: result.error });
  }
}

/** One call of `deliver` that ends at the limit or with `signal`, whether the sink obeys or not. */
async function deliver(
  sink: Sink,
  records: readonly PendingRecord[],
  { timeoutMs, signal }: AttemptOptions,
): Promise<readonly DeliveryResult[]> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const abort = (): void => ended.abort(signal.reason);
  const timeout = new SightlineError(
    'SL_SINK_TIMEOUT',
    `Cannot deliver ${records.length} records to sink ${sink.id} within ${timeoutMs} ms`,
  );
  const timer = setTimeout(() => ended.abort(timeout), timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const cut = new Promise<never>((_resolve, reject) => {
      ended.signal.addEventListener('abort', () => reject(ended.signal.reason as Error), {
        once: true,
      });
    });
    const work = sink.deliver(records, { signal: ended.signal });
    // A sink that fails after it was cut off must not end the process.
    work.catch(() => undefined);
    const results = await Promise.race([work, cut]);
    if (results.length === records.length) return results;
    throw new SightlineError(
      'SL_INTERNAL',
      `Sink ${sink.id} gave ${results.length} results for ${records.length} records`,
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
