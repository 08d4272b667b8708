import { sightline } from '../../gen/frame.js';
import { signed, unsigned } from '../../metadata/int64.ts';
import { decodeSegment, type Segment } from '../../metadata/segment.ts';
import { timestampToMs } from '../../metadata/timestamp.ts';
import { columnsOf, type Table } from './table.ts';

type RecordedFrame = Segment['frames'][number];

const NS_PER_MS = 1_000_000n;

const ofFrame = columnsOf<Segment, RecordedFrame>();

/**
 * The frame metadata table: one row a recorded frame. (record_id, frame_sequence) names a row for good. `session` and
 * `pts_ns` are those of the frame's detections; `frame_sequence` is not: it counts access units.
 */
export const RECORDED_FRAMES: Table<Segment, RecordedFrame> = {
  decode: decodeSegment,
  idOf: idOfPiece,
  itemsOf: ({ frames }) => frames,
  columns: [
    ofFrame.text('camera_id', ({ streamId }) => streamId),
    ofFrame.time('timestamp', (_segment, frame) => captureMs(frame)),
    ofFrame.text('capture_clock', (_segment, { captureClock }) => clockName(captureClock)),
    ofFrame.long('pts_ns', (_segment, { ptsNs }) => unsigned(ptsNs)),
    ofFrame.text('segment_key', ({ key }) => key),
    ofFrame.long('byte_offset', (_segment, { byteOffset }) => unsigned(byteOffset)),
    ofFrame.long('size_bytes', (_segment, { sizeBytes }) => BigInt(sizeBytes ?? 0)),
    ofFrame.flag('key_frame', (_segment, { keyFrame }) => keyFrame),
    ofFrame.text('session', ({ session }) => session),
    ofFrame.long('frame_sequence', (_segment, { frameSequence }) => unsigned(frameSequence)),
    ofFrame.long('epoch', ({ epoch }) => unsigned(epoch)),
    ofFrame.text('record_id', ({ recordId }) => recordId),
  ],
};

const ofSegment = columnsOf<Segment, Segment>();

/** One row a recorded file; record_id names it. */
export const SEGMENTS: Table<Segment, Segment> = {
  decode: decodeSegment,
  idOf: ({ recordId }) => recordId ?? '',
  itemsOf: (segment) => [segment],
  columns: [
    ofSegment.text('camera_id', ({ streamId }) => streamId),
    ofSegment.time('timestamp', startMs),
    ofSegment.text('capture_clock', ({ captureClock }) => clockName(captureClock)),
    ofSegment.long('duration_ns', ({ durationNs }) => unsigned(durationNs)),
    ofSegment.text('segment_key', ({ key }) => key),
    ofSegment.text('content_type', ({ contentType }) => contentType),
    ofSegment.text('codec', ({ codec }) => codec),
    ofSegment.long('size_bytes', ({ sizeBytes }) => unsigned(sizeBytes)),
    ofSegment.text('sha256', ({ sha256 }) => sha256),
    ofSegment.int('frames', ({ frames }) => frames.length),
    ofSegment.flag('closed', ({ closed }) => closed),
    ofSegment.text('session', ({ session }) => session),
    ofSegment.long('epoch', ({ epoch }) => unsigned(epoch)),
    ofSegment.text('record_id', ({ recordId }) => recordId),
  ],
};

/** By `segmentRows` of a sink. */
export const SEGMENT_TABLES = { frames: RECORDED_FRAMES, segments: SEGMENTS } as const;

/** Capture time of a recorded frame, ms since the Unix epoch. */
export function captureMs({ captureNs }: Pick<RecordedFrame, 'captureNs'>): number {
  return Number(signed(captureNs) / NS_PER_MS);
}

function startMs({ start }: Segment): number {
  return timestampToMs((start ?? {}) as Parameters<typeof timestampToMs>[0]);
}

/** Frames of one segment may come in several pieces (`cutSegment`). */
function idOfPiece({ recordId, frames: [first] }: Segment): string {
  return recordId ? `${recordId}#${unsigned(first?.frameSequence)}` : '';
}

/** `arrival`, `rtcp_sender_report` or `media`; none: nobody knows. */
function clockName(clock: number | null | undefined): string | undefined {
  const name = sightline.v1.CaptureClock[clock ?? 0];
  return clock ? name?.replace('CAPTURE_CLOCK_', '').toLowerCase() : undefined;
}
