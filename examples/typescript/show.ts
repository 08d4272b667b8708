import type { SightlineRecord } from 'sightline/consumer';

/** One line for a record. */
export function show(record: SightlineRecord): void {
  console.log(`${record.kind} ${record.recordId} ${summary(record)}`);
}

function summary(record: SightlineRecord): string {
  if (record.kind === 'image') return `${record.ref} ${record.data.byteLength} bytes`;
  if (record.kind === 'segment') return `${record.segment.frames.length} frames recorded`;
  if (record.kind === 'event') return String(record.event.type);
  const labels = record.frame.objects.map(({ type }) => type);
  return `${labels.length} objects ${labels.join(' ')}`;
}
