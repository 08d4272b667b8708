import type { PendingRecord, RecordKind } from '../common/delivery.ts';
import { toSightlineError } from '../common/errors.ts';
import type { Lane } from './lane.ts';
import type { NewDeadLetter } from './protocol.ts';

/** What became of a record that was read. */
export type Fate =
  | { readonly status: 'delivered' | 'filtered'; readonly record: PendingRecord }
  | {
      readonly status: 'dead-lettered';
      readonly record: PendingRecord;
      readonly error: Error;
      readonly attempts: number;
    };

/** Settles records of one sink; returns what it made dead letters. */
export function settle(
  sinkId: string,
  lanes: ReadonlyMap<RecordKind, Lane>,
  fates: readonly Fate[],
): NewDeadLetter[] {
  const letters: NewDeadLetter[] = [];
  for (const [kind, lane] of lanes) {
    const settled = { delivered: [] as number[], filtered: [] as number[] };
    for (const fate of fates) {
      const { record, status } = fate;
      if (record.kind !== kind) continue;
      if (status !== 'dead-lettered') settled[status].push(record.seq);
      else {
        const letter = toDeadLetter(sinkId, fate);
        if (lane.settleDead(record.seq, letter.code)) letters.push(letter);
      }
    }
    lane.settle(settled.delivered, 'delivered');
    lane.settle(settled.filtered, 'filtered');
  }
  return letters;
}

function toDeadLetter(
  sinkId: string,
  fate: Extract<Fate, { status: 'dead-lettered' }>,
): NewDeadLetter {
  const { record, error, attempts } = fate;
  const { code, message } = toSightlineError(error);
  const { seq, kind, streamId, recordId, atMs } = record;
  const payload = Uint8Array.from(record.payload);
  return {
    ...{ sinkId, seq, kind, streamId, recordId, atMs, attempts, code, payload },
    deadMs: Date.now(),
    reason: message,
  };
}
