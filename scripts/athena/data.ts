import type { PendingRecord } from '../../src/common/delivery.ts';
import { sightline } from '../../src/gen/frame.js';
import { frameRecord, segmentRecord, withPayload } from '../../test/sinks/samples.ts';

export const HOUR = 3_600_000;
/** One with letters that are no ASCII: the bucket of a camera is a sum of code points. */
export const CAMERAS = ['cam-1', 'Tür 2', "gate'3"] as const;
const CLASSES = ['person', 'car, "big"', "dog's\nbowl", '人'] as const;

export interface Sample {
  readonly sequence: number;
  readonly atMs: number;
}

/** So many frames in each of the hours, by turns of the cameras. */
export function samplesOf(hours: readonly number[], each: number): Sample[] {
  return hours.flatMap((startMs, at) =>
    Array.from({ length: each }, (_, index) => ({
      sequence: at * each + index + 1,
      atMs: startMs + index * 60_033,
    })),
  );
}

/** A frame with zero to three objects, of which the columns have all kinds of values. */
export function detections({ sequence, atMs }: Sample): PendingRecord {
  const streamId = CAMERAS[sequence % CAMERAS.length]!;
  const record = frameRecord(sequence, { streamId, atMs, objects: sequence % 4 });
  const frame = sightline.v1.Frame.decode(record.payload);
  const model = { name: 'ssd', version: String(sequence % 2), backend: 'cpu' };
  frame.model = sightline.v1.Model.fromObject(model);
  frame.inferred = sequence % 5 !== 0;
  if (sequence % 2 === 0) frame.imageRef = `pictures/${sequence}.jpg`;
  for (const [index, object] of frame.objects.entries()) {
    object.type = CLASSES[(sequence + index) % CLASSES.length]!;
    object.confidence = 0.1 + index / 7;
    // Not every pipeline has a tracker.
    if (sequence % 3 === 0) object.id = '';
    object.analytics = sightline.v1.ObjectAnalytics.fromObject({
      zones: index === 0 ? ['door', 'yard'] : [],
      linesCrossed: sequence % 2 === 0 ? ['gate', 'fence'] : [],
      direction: index === 1 ? 'in' : '',
    });
  }
  return withPayload(record, sightline.v1.Frame.encode(frame).finish());
}

/** Ten seconds of a recording; those of one camera alone, so that its sequence numbers are not another's. */
export function recording(atMs: number, seq: number): PendingRecord {
  return segmentRecord({ frames: 300, atMs, seq, streamId: CAMERAS[seq % CAMERAS.length]! });
}

/** `dt` of a time. */
export function hourOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13).replace(/[-T]/g, '/');
}
