import type { SightlineRecord } from '../../consumer/index.ts';

/** Objects that are told of one by one. */
const MAX_OBJECTS = 8;

/** One line for a record: when, which stream, what. */
export function recordLine(record: SightlineRecord): string {
  return [timeOf(record), record.streamId, record.kind, ...detailsOf(record)]
    .filter((part) => part !== '')
    .join(' ');
}

function timeOf(record: SightlineRecord): string {
  if (record.kind === 'image') return '';
  if (record.kind === 'segment') return record.segment.start;
  if (record.kind !== 'event') return record.frame.timestamp ?? '';
  const { time } = record.event;
  return typeof time === 'string' ? time : '';
}

function detailsOf(record: SightlineRecord): string[] {
  if (record.kind === 'image') return [record.ref, `${record.data.byteLength} bytes`];
  if (record.kind === 'segment')
    return [record.segment.key, `${record.segment.frames.length} frames`];
  if (record.kind === 'event') {
    const { id: _id, type, time: _time, streamId: _stream, ...facts } = record.event;
    return [String(type), Object.keys(facts).length === 0 ? '' : JSON.stringify(facts)];
  }
  // A sink with `fields` may leave them out.
  const objects = record.frame.objects ?? [];
  const told = objects.slice(0, MAX_OBJECTS).map(({ id, type, confidence }) => {
    const score = confidence === undefined ? '' : ` ${Math.round(Number(confidence) * 100)}%`;
    return `${type ?? '?'}${id ? `#${id}` : ''}${score}`;
  });
  const more = objects.length - told.length;
  const list = more > 0 ? [...told, `and ${more} more`] : told;
  return [`${objects.length} objects${list.length > 0 ? ':' : ''}`, list.join(', ')];
}
