import { sightline } from '../gen/frame.js';
import { signed, unsigned } from './int64.ts';
import { decodeSegment } from './segment.ts';
import { timestampToRfc3339 } from './timestamp.ts';

/** A recorded file in the proto3 JSON mapping; units and meanings are those of proto/sightline/v1/frame.proto. */
export interface SegmentJson {
  streamId: string;
  session: string;
  sensorId: string;
  key: string;
  contentType: string;
  codec: string;
  /** RFC 3339, UTC, up to nanoseconds. */
  start: string;
  /** Name of the enum's value; the bare number when this version does not know it. */
  captureClock: string | number;
  /** Decimal, 64 bits, as are all texts of digits here. */
  durationNs: string;
  sizeBytes: string;
  sha256: string;
  frames: RecordedFrameJson[];
  closed: boolean;
  recordId: string;
  epoch: string;
}

export interface RecordedFrameJson {
  frameSequence: string;
  ptsNs: string;
  captureNs: string;
  captureClock: string | number;
  byteOffset: string;
  sizeBytes: number;
  keyFrame: boolean;
}

/** @throws SightlineError `SL_INTERNAL` for bytes that are no segment */
export function segmentToJson(bytes: Uint8Array): SegmentJson {
  const segment = decodeSegment(bytes);
  const { streamId, session, sensorId, key, contentType, codec, sha256, closed, recordId } =
    segment;
  return {
    ...{ streamId, session, sensorId, key, contentType, codec, sha256, closed, recordId },
    start: timestampToRfc3339((segment.start ?? {}) as Parameters<typeof timestampToRfc3339>[0]),
    captureClock: clockOf(segment.captureClock),
    durationNs: String(unsigned(segment.durationNs)),
    sizeBytes: String(unsigned(segment.sizeBytes)),
    epoch: String(unsigned(segment.epoch)),
    frames: segment.frames.map((frame) => ({
      frameSequence: String(unsigned(frame.frameSequence)),
      ptsNs: String(unsigned(frame.ptsNs)),
      captureNs: String(signed(frame.captureNs)),
      captureClock: clockOf(frame.captureClock ?? 0),
      byteOffset: String(unsigned(frame.byteOffset)),
      sizeBytes: frame.sizeBytes ?? 0,
      keyFrame: frame.keyFrame ?? false,
    })),
  };
}

function clockOf(clock: number): string | number {
  return sightline.v1.CaptureClock[clock] ?? clock;
}
