import type { EpochFence } from '../common/epoch-fence.ts';
import type { SightlineRecord } from './records.ts';

/**
 * Those of the records that no later owner of their stream has made out of date, in their order; `fence` counts the
 * others. Frames, pictures and events carry the epoch of their stream's owner in a fleet; whatever has none is let through,
 * and so is a recorded file: it tells of a time in which its writer may well have been the owner.
 */
export function rejectStale(
  records: readonly SightlineRecord[],
  fence: EpochFence,
): readonly SightlineRecord[] {
  return records.filter((record) => fence.accepts(record.streamId, epochOf(record)));
}

function epochOf(record: SightlineRecord): number {
  if (record.kind === 'frame') return Number(record.frame.epoch ?? 0);
  if (record.kind === 'event') return Number(record.event['epoch'] ?? 0);
  return record.kind === 'image' ? (record.epoch ?? 0) : 0;
}
