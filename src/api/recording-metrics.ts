import type { RecordingsView } from './dependencies.ts';
import type { MakeCounter, MakeGauge } from './supervision-metrics.ts';

/** Recordings; nothing where none are made. */
export function renderRecordings(
  recordings: RecordingsView | undefined,
  counter: MakeCounter,
  gauge: MakeGauge,
): void {
  if (recordings === undefined) return;
  const figures = recordings.figures();
  const of = (name: string, help: string) =>
    counter(`sightline_recording_${name}`, help, ['stream_id']);
  const segments = of('segments_total', 'Segments that were closed');
  const bytes = of('bytes_total', 'Bytes of them');
  const frames = of('frames_total', 'Frames in them');
  const missing = of(
    'frames_missing_total',
    'Frames that came and were not recorded, by their numbers',
  );
  const framesLost = of('frames_lost_total', 'Frames of fragments that a writer did not finish');
  const stored = of('segments_stored_total', 'Segments the store took');
  const lost = of('segments_lost_total', 'Segments of which nothing could be read');
  const shed = of('segments_shed_total', 'Segments given up to keep a bound');
  const framesShed = of('frames_shed_total', 'Frames in segments that were given up');
  const gaps = of('gaps_total', 'Gaps inside of segments');
  for (const [streamId, counts] of figures.streams) {
    const label = { stream_id: streamId };
    segments.inc(label, counts.segments);
    bytes.inc(label, counts.bytes);
    frames.inc(label, counts.frames);
    missing.inc(label, counts.framesMissing);
    framesLost.inc(label, counts.framesLost);
    stored.inc(label, counts.stored);
    lost.inc(label, counts.lost);
    shed.inc(label, counts.shed);
    framesShed.inc(label, counts.shedFrames);
    gaps.inc(label, counts.gaps);
  }
  const now = (name: string, help: string, value: number) =>
    gauge(`sightline_recording_${name}`, help).set(value);
  now('pending_segments', 'Segments that wait for the store', figures.pendingSegments);
  now('pending_bytes', 'Bytes of them', figures.pendingBytes);
  now('pending_oldest_seconds', 'Age of the oldest of them', figures.oldestPendingMs / 1000);
  now('local_bytes', 'Closed segments on this machine', figures.localBytes);
  now('open_bytes', 'Segments that are being written', figures.openBytes);
  now('store_up', '0 while the store takes nothing', figures.error === undefined ? 1 : 0);
  counter('sightline_recording_store_retries_total', 'Uploads that failed', []).inc(
    figures.retries,
  );
}
