import { type PendingRecord, RECORD_KINDS } from '../../common/delivery.ts';

/**
 * Records by columns, with all payloads in one buffer that travels by transfer: thousands of small objects would take
 * longer to clone than to send.
 */
export interface PackedBatch {
  readonly seqs: Float64Array;
  readonly kinds: Uint8Array;
  /** Positions in `streamIds`. */
  readonly streams: Uint32Array;
  readonly streamIds: readonly string[];
  /** All of them as one text, and how long each is: thousands of strings would be cloned one by one. */
  readonly recordIds: string;
  readonly idLengths: Uint32Array;
  readonly atMs: Float64Array;
  readonly sizes: Uint32Array;
  readonly payloads: Uint8Array;
}

export function packBatch(batch: readonly PendingRecord[]): PackedBatch {
  const count = batch.length;
  const bytes = batch.reduce((sum, { payload }) => sum + payload.byteLength, 0);
  const recordIds: string[] = [];
  const positions = new Map<string, number>();
  const packed = {
    seqs: new Float64Array(count),
    kinds: new Uint8Array(count),
    streams: new Uint32Array(count),
    idLengths: new Uint32Array(count),
    atMs: new Float64Array(count),
    sizes: new Uint32Array(count),
    // Not out of Node's pool, whose buffers cannot change hands.
    payloads: new Uint8Array(bytes),
  };
  let at = 0;
  for (let index = 0; index < count; index++) {
    const { seq, kind, streamId, recordId, atMs, payload } = batch[index]!;
    packed.seqs[index] = seq;
    packed.kinds[index] = RECORD_KINDS.indexOf(kind);
    packed.streams[index] = positionOf(streamId, positions);
    recordIds.push(recordId);
    packed.idLengths[index] = recordId.length;
    packed.atMs[index] = atMs;
    packed.sizes[index] = payload.byteLength;
    packed.payloads.set(payload, at);
    at += payload.byteLength;
  }
  return { ...packed, recordIds: recordIds.join(''), streamIds: [...positions.keys()] };
}

/** The buffers of a batch that change hands. */
export function buffersOfBatch(packed: PackedBatch): ArrayBuffer[] {
  const { seqs, kinds, streams, idLengths, atMs, sizes, payloads } = packed;
  return [seqs, kinds, streams, idLengths, atMs, sizes, payloads].map(
    ({ buffer }) => buffer as ArrayBuffer,
  );
}

export function unpackBatch(packed: PackedBatch): PendingRecord[] {
  const { seqs, kinds, streams, streamIds, recordIds, idLengths, atMs, sizes, payloads } = packed;
  let at = 0;
  let idAt = 0;
  return Array.from(seqs, (seq, index) => {
    const payload = payloads.subarray(at, at + sizes[index]!);
    at += sizes[index]!;
    const recordId = recordIds.slice(idAt, idAt + idLengths[index]!);
    idAt += idLengths[index]!;
    return {
      seq,
      kind: RECORD_KINDS[kinds[index]!]!,
      streamId: streamIds[streams[index]!]!,
      recordId,
      atMs: atMs[index]!,
      payload,
    };
  });
}

function positionOf(streamId: string, positions: Map<string, number>): number {
  const known = positions.get(streamId);
  if (known !== undefined) return known;
  positions.set(streamId, positions.size);
  return positions.size - 1;
}
