import type { RecordKind } from '../common/delivery.ts';

// Field numbers of proto/sightline/v1/frame.proto.
const EPOCH_FIELDS = { frame: 116, image: 15, segment: 15 } as const;
const VARINT = 0;

/**
 * The message with its `epoch` set. A protobuf message with a field put behind it is the message with that field, the last
 * one counts (protobuf.dev, "Encoding": last one wins); nothing is decoded. Events are JSON of other makers: as they are.
 */
export function withEpoch(kind: RecordKind, payload: Uint8Array, epoch: number): Uint8Array {
  if (kind === 'event') return payload;
  const field = [...varint(EPOCH_FIELDS[kind] * 8 + VARINT), ...varint(epoch)];
  const bytes = new Uint8Array(payload.byteLength + field.length);
  bytes.set(payload);
  bytes.set(field, payload.byteLength);
  return bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}
