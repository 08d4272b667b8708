import type { OutboxRecord } from '../common/delivery.ts';
import type { SegmentContainer } from '../common/segments.ts';
import { encodeSegment, type SegmentFields } from '../metadata/segment.ts';
import { CONTENT_TYPES } from './names.ts';
import type { IndexedFrame, ReadSegment } from './read-segment.ts';

const NS_PER_S = 1_000_000_000n;

export interface RecordOptions {
  readonly streamId: string;
  readonly session: string;
  readonly sensorId: string;
  readonly key: string;
  readonly container: SegmentContainer;
  /** Its writer closed it. */
  readonly whole: boolean;
  readonly sinks?: readonly string[];
}

/** The index of a segment as it goes to the sinks. The same file gives the same bytes. */
export function segmentRecord(segment: ReadSegment, options: RecordOptions): OutboxRecord {
  const { streamId, session, sensorId, key, container, whole, sinks } = options;
  const first = segment.frames.reduce((a, b) => (b.captureNs < a.captureNs ? b : a));
  const durationMs = Math.max(0, segment.endMs - segment.startMs);
  const payload = encodeSegment({
    ...{ streamId, session, sensorId, key, codec: segment.codec },
    contentType: CONTENT_TYPES[container],
    start: timestamp(first.captureNs),
    captureClock: first.captureClock,
    durationNs: long(BigInt(Math.round(durationMs * 1e6))),
    sizeBytes: long(BigInt(segment.bytes)),
    sha256: segment.sha256,
    frames: segment.frames.map(frameFields),
    closed: whole,
    recordId: key,
    epoch: long(segment.epoch),
  });
  return {
    ...{ kind: 'segment', streamId, recordId: key, atMs: segment.startMs, payload },
    ...(sinks === undefined ? {} : { sinks }),
  };
}

function frameFields(frame: IndexedFrame) {
  const { frameSequence, ptsNs, captureNs, captureClock, byteOffset, sizeBytes, keyFrame } = frame;
  return {
    ...{ captureClock, sizeBytes, keyFrame },
    frameSequence: long(frameSequence),
    ptsNs: long(ptsNs),
    captureNs: long(captureNs),
    byteOffset: long(BigInt(byteOffset)),
  };
}

/** As protobufjs takes 64 bits. */
function long(value: bigint): NonNullable<SegmentFields['durationNs']> {
  const halves = {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: value >= 0n,
  };
  return halves as unknown as NonNullable<SegmentFields['durationNs']>;
}

function timestamp(ns: bigint) {
  const nanos = ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
  return { seconds: long((ns - nanos) / NS_PER_S), nanos: Number(nanos) };
}
