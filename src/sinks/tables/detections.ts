import { decodeFrame, type Frame } from '../../metadata/frame.ts';
import { unsigned } from '../../metadata/int64.ts';
import { timestampToMs } from '../../metadata/timestamp.ts';
import { columnsOf, type Table } from './table.ts';

type FrameObject = NonNullable<Frame['objects']>[number];

/** A frame with what all its objects share, worked out once. */
interface FrameFacts {
  readonly frame: Frame;
  readonly at: number;
  readonly sequence: bigint;
  readonly ptsNs: bigint;
}

const { text, int, long, float, flag, time, list } = columnsOf<FrameFacts, FrameObject>();

/**
 * The inference database: one row an object. (record_id, object_index) names a row for good: a frame that was delivered
 * twice gives two rows with the same pair.
 */
export const DETECTIONS: Table<FrameFacts, FrameObject> = {
  decode(bytes) {
    const frame = decodeFrame(bytes);
    return {
      frame,
      at: timestampToMs((frame.timestamp ?? {}) as Parameters<typeof timestampToMs>[0]),
      sequence: unsigned(frame.frameSequence),
      ptsNs: unsigned(frame.ptsNs),
    };
  },
  idOf: ({ frame }) => frame.recordId ?? '',
  itemsOf: ({ frame }) => frame.objects ?? [],
  columns: [
    text('camera_id', ({ frame }) => frame.streamId),
    time('timestamp', ({ at }) => at),
    text('object_id', (_facts, { id }) => id),
    text('class', (_facts, { type }) => type),
    int('class_id', (_facts, { classId }) => classId),
    float('confidence', (_facts, { confidence }) => confidence),
    float('left_x', (_facts, { bbox }) => bbox?.leftX),
    float('top_y', (_facts, { bbox }) => bbox?.topY),
    float('right_x', (_facts, { bbox }) => bbox?.rightX),
    float('bottom_y', (_facts, { bbox }) => bbox?.bottomY),
    int('frame_width', ({ frame }) => frame.frameWidth),
    int('frame_height', ({ frame }) => frame.frameHeight),
    list('zones', (_facts, { analytics }) => analytics?.zones),
    list('lines_crossed', (_facts, { analytics }) => analytics?.linesCrossed),
    text('direction', (_facts, { analytics }) => analytics?.direction),
    text('model_name', ({ frame }) => frame.model?.name),
    text('model_version', ({ frame }) => frame.model?.version),
    flag('inferred', ({ frame }) => frame.inferred),
    int('frames_since_detection', (_facts, object) => object.framesSinceDetection),
    text('frame_reference', ({ frame }) => frame.imageRef),
    text('session', ({ frame }) => frame.session),
    long('frame_sequence', ({ sequence }) => sequence),
    text('record_id', ({ frame }) => frame.recordId),
    int('object_index', (_facts, _object, index) => index),
    long('pts_ns', ({ ptsNs }) => ptsNs),
  ],
};
