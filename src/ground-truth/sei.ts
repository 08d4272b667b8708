/** What a frame of `sightline fake-camera` says of itself (docs/fake-camera.md). */
export interface GroundTruth {
  /** Number of the stream, from 1 on. */
  readonly stream: number;
  /** How often the clip began anew. */
  readonly loop: number;
  /** Number of the frame in its stream, from 0 on. */
  readonly frame: number;
  /** Unix time in ns at sending. */
  readonly wallNs: bigint;
  /** CLOCK_MONOTONIC in ns at sending, on the camera's machine. */
  readonly monotonicNs: bigint;
}

export type Codec = 'h264' | 'h265';

/** Marks our messages: native/camera/ground_truth.h has the same. */
const UUID = Buffer.from('8f1c5d5a3e0b4c1e9d27516967687401', 'hex');
const USER_DATA_UNREGISTERED = 5;
const VERSION = 1;
const PAYLOAD_SIZE = 48;

/** Header size of an SEI NAL unit that comes before the picture; 0 for any other NAL unit. */
function seiHeader(nal: Uint8Array, codec: Codec): number {
  const first = nal[0] ?? 0;
  if (codec === 'h264') return (first & 0x1f) === 6 ? 1 : 0;
  return ((first >> 1) & 0x3f) === 39 ? 2 : 0;
}

/** Without the emulation prevention bytes (H.264 and H.265, 7.4.1). */
function unescaped(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(bytes.length);
  let size = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[size++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, size);
}

/** The ground truth in one NAL unit (without start code or length); undefined where there is none. */
export function readSei(nal: Uint8Array, codec: Codec): GroundTruth | undefined {
  const header = seiHeader(nal, codec);
  if (header === 0) return undefined;
  const body = unescaped(nal.subarray(header));
  let at = 0;
  // Each number is a run of 255s and a last byte; messages follow one another up to the trailing bits.
  const number = (): number => {
    let value = 0;
    while (body[at] === 255) {
      value += 255;
      at++;
    }
    return value + (body[at++] ?? 0);
  };
  while (at + 2 < body.length) {
    const type = number();
    const size = number();
    const payload = body.subarray(at, at + size);
    at += size;
    if (type === USER_DATA_UNREGISTERED && payload.length === PAYLOAD_SIZE) {
      const truth = fromPayload(payload);
      if (truth !== undefined) return truth;
    }
  }
  return undefined;
}

function fromPayload(payload: Buffer): GroundTruth | undefined {
  if (!payload.subarray(0, 16).equals(UUID) || payload[16] !== VERSION) return undefined;
  return {
    stream: payload.readUInt16BE(18),
    loop: payload.readUInt32BE(20),
    frame: Number(payload.readBigUInt64BE(24)),
    wallNs: payload.readBigUInt64BE(32),
    monotonicNs: payload.readBigUInt64BE(40),
  };
}
