import type { DeliveryResult, PendingRecord } from '../../common/delivery.ts';
import { withParts } from '../../common/record-bytes.ts';
import { unsigned } from '../../metadata/int64.ts';
import { decodeSegment, encodeSegment, type Segment } from '../../metadata/segment.ts';

/** A segment with some of its frames, and what those have in common. */
export interface SegmentPiece<Key> {
  readonly key: Key;
  readonly segment: Segment;
}

/** One piece for each key, in the order in which they come; all else that a segment says stays in each. */
export function cutSegment<Key>(
  segment: Segment,
  keyOf: (frame: Segment['frames'][number], index: number) => Key,
): SegmentPiece<Key>[] {
  const byKey = new Map<Key, Segment['frames']>();
  for (const [index, frame] of segment.frames.entries()) {
    const key = keyOf(frame, index);
    const frames = byKey.get(key);
    if (frames === undefined) byKey.set(key, [frame]);
    else frames.push(frame);
  }
  return [...byKey].map(([key, frames]) => ({ key, segment: { ...segment, frames } as Segment }));
}

export interface CutBatch {
  /** In the order of the batch. */
  readonly records: readonly PendingRecord[];
  /** What becomes of the batch, by what became of `records`. */
  readonly join: (results: readonly DeliveryResult[]) => readonly DeliveryResult[];
}

/** Cuts segments of more than `maxFrames` into pieces that are rows of the same record. */
export function cutByFrames(batch: readonly PendingRecord[], maxFrames: number): CutBatch {
  return cutBatch(batch, (record) => {
    const segment = tryDecode(record);
    if (segment === undefined || segment.frames.length <= maxFrames) return [record];
    const pieces = cutSegment(segment, (_frame, index) => Math.floor(index / maxFrames));
    return pieces.map((piece) => withParts(record, { payload: encodeSegment(piece.segment) }));
  });
}

/**
 * Cuts segments of more than `maxBytes` into messages that are smaller. Each has a record id of its own,
 * `<record id>#<frame_sequence of its first frame>`: whoever removes duplicates must not take one for another.
 */
export function cutByBytes(batch: readonly PendingRecord[], maxBytes: number): CutBatch {
  return cutBatch(batch, (record) => {
    const bytes = record.payload.byteLength;
    if (bytes <= maxBytes) return [record];
    const segment = tryDecode(record);
    if (segment === undefined) return [record];
    // Frames differ by a few bytes: a half is room enough.
    const frames = Math.max(1, Math.floor((segment.frames.length * maxBytes) / bytes / 2));
    return cutSegment(segment, (_frame, index) => Math.floor(index / frames)).map((piece) => {
      const recordId = `${record.recordId}#${unsigned(piece.segment.frames[0]!.frameSequence)}`;
      const payload = encodeSegment({ ...piece.segment, recordId });
      return withParts(record, { recordId, payload });
    });
  });
}

function cutBatch(
  batch: readonly PendingRecord[],
  cut: (record: PendingRecord) => readonly PendingRecord[],
): CutBatch {
  const pieces = batch.map((record) => (record.kind === 'segment' ? cut(record) : [record]));
  return {
    records: pieces.flat(),
    join(results) {
      let end = 0;
      return pieces.map(({ length }) => {
        end += length;
        return worst(results.slice(end - length, end));
      });
    },
  };
}

/** A record is tried again as long as one of its pieces is, and only then given up for one that never will be taken. */
function worst(results: readonly DeliveryResult[]): DeliveryResult {
  const of = (status: DeliveryResult['status']) =>
    results.find((result) => result.status === status);
  return of('retry') ?? of('rejected') ?? of('accepted') ?? results[0]!;
}

/** Undefined for damaged bytes: whoever needs what is in them says so. */
function tryDecode({ payload }: PendingRecord): Segment | undefined {
  try {
    return decodeSegment(payload);
  } catch {
    return undefined;
  }
}
