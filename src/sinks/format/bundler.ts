import { createHash } from 'node:crypto';
import type { PendingRecord } from '../../common/delivery.ts';
import { type Encoded, type Format, JSON_TYPE } from './encode.ts';
import { varintBytes, writeVarint } from './length-delimited.ts';

const BATCH_TYPE = 'application/x-protobuf; messageType="sightline.v1.FrameBatch"';
/** Field 1 of FrameBatch, length-delimited. */
const FRAMES_TAG = 0x0a;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

/** A record in its format. */
export interface Piece extends Encoded {
  /** Position in the batch. */
  readonly index: number;
  readonly record: PendingRecord;
}

/** Frames of one stream in one body: a sightline.v1.FrameBatch or a JSON array. */
export interface Bundle extends Encoded {
  readonly frames: readonly Piece[];
  readonly recordId: string;
}

export interface BundlerOptions {
  readonly format: Format;
  readonly maxFrames: number;
  /** Of the body. A frame that is larger goes alone. */
  readonly maxBytes: number;
}

interface Open {
  readonly frames: Piece[];
  bytes: number;
}

/** Puts several frames of a stream into one body. Everything else, and a stream's order, stays as it is. */
export class Bundler {
  readonly #options: BundlerOptions;

  constructor(options: BundlerOptions) {
    this.#options = options;
  }

  /** Every frame comes back in a bundle, also a single one: consumers see one form. By their first records. */
  bundle(pieces: readonly Piece[]): (Piece | Bundle)[] {
    const all: (Piece | Open)[] = [];
    const open = new Map<string, Open>();
    for (const piece of pieces) {
      const { kind, streamId } = piece.record;
      if (kind !== 'frame') {
        all.push(piece);
        continue;
      }
      const bytes = this.#bytesOf(piece);
      let current = open.get(streamId);
      if (current === undefined || this.#isFull(current, bytes)) {
        current = { frames: [], bytes: 2 };
        open.set(streamId, current);
        all.push(current);
      }
      current.frames.push(piece);
      current.bytes += bytes;
    }
    return all.map((item) => ('frames' in item ? this.#close(item) : item));
  }

  #isFull({ frames, bytes }: Open, more: number): boolean {
    const { maxFrames, maxBytes } = this.#options;
    return frames.length >= maxFrames || bytes + more > maxBytes;
  }

  #bytesOf({ bytes: { byteLength } }: Piece): number {
    return 1 + byteLength + (this.#options.format === 'protobuf' ? varintBytes(byteLength) : 0);
  }

  #close({ frames }: Open): Bundle {
    const isProtobuf = this.#options.format === 'protobuf';
    return {
      frames,
      recordId: bundleId(frames),
      contentType: isProtobuf ? BATCH_TYPE : JSON_TYPE,
      bytes: isProtobuf ? frameBatch(frames) : jsonArray(frames),
    };
  }
}

/**
 * A retry may gather other frames behind the same first one, so its id alone would make a transport that removes duplicates
 * take one bundle for another.
 */
function bundleId(frames: readonly Piece[]): string {
  const first = frames[0]!.record.recordId;
  if (frames.length === 1) return first;
  const hash = createHash('sha256');
  for (const { record } of frames) hash.update(record.recordId).update('\n');
  return `${first}+${frames.length - 1}-${hash.digest('hex').slice(0, 16)}`;
}

function frameBatch(frames: readonly Piece[]): Uint8Array {
  let total = 0;
  for (const { bytes } of frames) total += 1 + varintBytes(bytes.byteLength) + bytes.byteLength;
  const target = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { bytes } of frames) {
    target[at++] = FRAMES_TAG;
    at = writeVarint(target, at, bytes.byteLength);
    target.set(bytes, at);
    at += bytes.byteLength;
  }
  return target;
}

function jsonArray(frames: readonly Piece[]): Uint8Array {
  let total = 1 + frames.length;
  for (const { bytes } of frames) total += bytes.byteLength;
  const target = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { bytes } of frames) {
    target[at] = at === 0 ? OPENING_BRACKET : COMMA;
    target.set(bytes, at + 1);
    at += 1 + bytes.byteLength;
  }
  target[at] = CLOSING_BRACKET;
  return target;
}
