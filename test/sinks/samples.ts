import type { DeliveryResult, PendingRecord } from '../../src/common/delivery.ts';
import { toSightlineError } from '../../src/common/errors.ts';
import { sightline } from '../../src/gen/frame.js';
import { segmentRecord as recordOf } from '../../src/recording/segment-record.ts';

/** 2026-01-31 13:00:00 UTC. */
export const START_MS = Date.UTC(2026, 0, 31, 13);

export interface SampleOptions {
  readonly streamId?: string;
  readonly atMs?: number;
  readonly objects?: number;
}

/** A frame with a few objects: about 1 KB with ten of them. */
export function frameRecord(seq: number, options: SampleOptions = {}): PendingRecord {
  const { streamId = 'cam-1', atMs = START_MS + seq * 33, objects = 2 } = options;
  const recordId = `${streamId}/s1/${seq}`;
  const payload = sightline.v1.Frame.encode({
    version: '4.0',
    id: String(seq),
    timestamp: { seconds: Math.floor(atMs / 1000), nanos: (atMs % 1000) * 1e6 },
    sensorId: streamId,
    streamId,
    session: 's1',
    frameSequence: seq,
    ptsNs: seq * 33_333_333,
    captureClock: 1,
    frameWidth: 768,
    frameHeight: 576,
    inferred: true,
    recordId,
    objects: Array.from({ length: objects }, (_, index) => ({
      id: String(index + 1),
      bbox: { leftX: 10.5 + index, topY: 20.25, rightX: 110.75, bottomY: 220.5 },
      type: 'person',
      confidence: 0.875,
      classId: 0,
    })),
  } as object as sightline.v1.IFrame).finish();
  return { seq, kind: 'frame', streamId, recordId, atMs, payload };
}

/** A picture whose bytes are `size` times its sequence number. */
export function imageRecord(seq: number, size = 20_000, streamId = 'cam-1'): PendingRecord {
  const atMs = START_MS + seq * 1000;
  const recordId = `${streamId}/s1/${seq}/image`;
  const payload = sightline.v1.Image.encode({
    streamId,
    session: 's1',
    frameSequence: seq,
    contentType: 'image/jpeg',
    ref: imageRef(seq, streamId),
    recordId,
    data: Buffer.alloc(size, seq),
  } as object as sightline.v1.IImage).finish();
  return { seq, kind: 'image', streamId, recordId, atMs, payload };
}

export function imageRef(seq: number, streamId = 'cam-1'): string {
  return `${streamId}/2026/01/31/13/s1-${seq}.jpg`;
}

export interface SegmentOptions extends SampleOptions {
  readonly frames: number;
  readonly seq?: number;
}

/** What is told of a recorded file at 30 a second, from the frame with number 100 and pts 10 s on. */
export function segmentRecord(options: SegmentOptions): PendingRecord {
  const { frames: count, streamId = 'cam-1', atMs = START_MS, seq = 1 } = options;
  const frames = Array.from({ length: count }, (_, index) => ({
    frameSequence: BigInt(100 + index),
    ptsNs: 10_000_000_000n + BigInt(index) * 33_333_333n,
    captureNs: BigInt(atMs) * 1_000_000n + BigInt(index) * 33_333_333n,
    ...{ captureClock: 2, byteOffset: 1000 + 5000 * index, sizeBytes: 4990 },
    keyFrame: index % 30 === 0,
  }));
  const segment = {
    ...{ codec: 'h264', bytes: 5000 * count + 1000, sha256: 'ab'.repeat(32), epoch: 7n },
    ...{ startMs: atMs, endMs: atMs + (count * 100) / 3, frameMs: 33, frames, fragments: [] },
    ...{ initBytes: 700, missing: 0, lost: 0, mismatched: 0, gaps: [] },
  };
  const key = segmentKey(atMs, streamId);
  const record = recordOf(segment, {
    ...{ streamId, session: 's1', sensorId: streamId, key, container: 'mp4', whole: true },
  });
  return { ...record, seq };
}

export function segmentKey(atMs = START_MS, streamId = 'cam-1'): string {
  const iso = new Date(atMs).toISOString();
  return `${streamId}/${iso.slice(0, 13).replace(/[-T]/g, '/')}/${iso.replace(/[-:]/g, '')}-s1.mp4`;
}

export function eventRecord(seq: number, streamId = 'cam-1'): PendingRecord {
  const payload = Buffer.from(JSON.stringify({ type: 'entered', zone: 'door', seq }));
  const recordId = `${streamId}/events/${seq}`;
  return { seq, kind: 'event', streamId, recordId, atMs: START_MS, payload };
}

export function withPayload(record: PendingRecord, payload: Uint8Array): PendingRecord {
  return { ...record, payload };
}

export function statuses(results: readonly { status: string }[]): string[] {
  return results.map(({ status }) => status);
}

export const NO_LIMIT = { signal: new AbortController().signal };

export function errorCode(result: DeliveryResult | undefined): string | undefined {
  if (result === undefined || !('error' in result)) return undefined;
  return toSightlineError(result.error).code;
}
