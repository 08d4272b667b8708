/**
 * What the worker writes when it records, and what it says about it: the contract between the recording branch of a
 * pipeline and whoever keeps the files. It lives in `common` so that neither imports the other.
 *
 * Files of one stream, in the folder the server set for recordings:
 *
 *     <recordDir>/<streamId>/<session>-<number>.mp4.part   open: grows by whole fragments
 *     <recordDir>/<streamId>/<session>-<number>.mp4        closed (or .mkv): complete, never written again
 *     <recordDir>/<streamId>/<session>-<number>.notes      a row for each frame, in the order of the file
 *
 * `number` counts a session's segments from 0 in six digits or more. A `.part` whose session no longer runs was left
 * by a worker that died, or by a disk that took no more: what is in it can be played up to its last whole fragment. The
 * notes of a fragment are written before it, so they may tell of frames that are not in such a file, never the other
 * way round (but for a Matroska file, where notes of the last 250 ms may be missing). The worker deletes nothing but files
 * of which no byte was written. Events can be missed (a worker that dies tells nothing): the folder is what holds.
 */

/** Ends the name of a segment that is being written. */
export const OPEN_SUFFIX = '.part';
export const NOTES_SUFFIX = '.notes';

export type SegmentContainer = 'mp4' | 'matroska';

/** By container. */
export const SEGMENT_SUFFIXES: Readonly<Record<SegmentContainer, string>> = {
  mp4: '.mp4',
  matroska: '.mkv',
};

interface SegmentFacts {
  readonly streamId: string;
  readonly session: string;
  /** Counts the session's segments from 0. */
  readonly number: number;
  /** Of the media file under its final name, also while it is open. Absolute. */
  readonly path: string;
  readonly notesPath: string;
  readonly container: SegmentContainer;
  /** `h264` or `h265`. */
  readonly codec: string;
  /** Fencing token of the stream's owner in a fleet; decimal, "0" without one. */
  readonly epoch: string;
  /** Running time of the first frame's presentation, ns; decimal. */
  readonly firstPtsNs: string;
}

/** A file was made for a segment; its first frame is on its way into it. */
export interface SegmentOpenedEvent extends SegmentFacts {
  readonly event: 'segment-opened';
}

/** A segment has its final name and is never written again. */
export interface SegmentClosedEvent extends SegmentFacts {
  readonly event: 'segment-closed';
  /** End of the last frame in running time, ns; decimal. */
  readonly endPtsNs: string;
  readonly bytes: number;
  readonly frames: number;
}

/**
 * A segment that could not be written to its end (a full disk, a clock that stands still): its `.part` and notes stay
 * as they are, playable up to the last whole fragment, and nothing is written to them any longer.
 */
export interface SegmentLostEvent extends SegmentFacts {
  readonly event: 'segment-abandoned';
  /** What is in the file. */
  readonly bytes: number;
  /** Frames that were meant for it; those of the last fragment may not be in it. */
  readonly frames: number;
  readonly message: string;
}

export type SegmentEvent = SegmentOpenedEvent | SegmentClosedEvent | SegmentLostEvent;

/** A row of a notes file. */
export interface FrameNote {
  /** Counts access units of the session from 0, those that were not recorded too: a hole is a loss. */
  readonly frameSequence: bigint;
  /** Presentation time in the pipeline's running time, as in Frame.pts_ns. */
  readonly ptsNs: bigint;
  /** ns since the Unix epoch, by `captureClock`. */
  readonly captureNs: bigint;
  /** Number of sightline.v1.CaptureClock. */
  readonly captureClock: number;
  /** Of the access unit as it lies in the file (NAL units with their length in front). */
  readonly sizeBytes: number;
  readonly keyFrame: boolean;
}

export interface SegmentNotes {
  readonly epoch: bigint;
  readonly number: number;
  /** Wall clock when the segment was opened, ns since the Unix epoch. */
  readonly openedNs: bigint;
  readonly frames: readonly FrameNote[];
}

/** First bytes of a notes file. */
const MAGIC = 'SLNOTES1';
const HEADER_BYTES = 32;
const ROW_BYTES = 32;
const KEY_FRAME = 1;

/**
 * Reads a notes file: little-endian, a header of 32 bytes (`SLNOTES1`, u64 epoch, u64 number, i64 opened ns) and a row of
 * 32 bytes a frame (u64 sequence, u64 pts ns, i64 capture ns, u32 size, u8 capture clock, u8 flags: 1 key frame, u16 0).
 * A row that was cut off is left out. Undefined for bytes that are no notes.
 */
export function readNotes(bytes: Uint8Array): SegmentNotes | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEADER_BYTES || view.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    return undefined;
  }
  const rows = Math.floor((view.length - HEADER_BYTES) / ROW_BYTES);
  return {
    epoch: view.readBigUInt64LE(8),
    number: Number(view.readBigUInt64LE(16)),
    openedNs: view.readBigInt64LE(24),
    frames: Array.from({ length: rows }, (_, row) => readRow(view, HEADER_BYTES + row * ROW_BYTES)),
  };
}

function readRow(view: Buffer, at: number): FrameNote {
  return {
    frameSequence: view.readBigUInt64LE(at),
    ptsNs: view.readBigUInt64LE(at + 8),
    captureNs: view.readBigInt64LE(at + 16),
    sizeBytes: view.readUInt32LE(at + 24),
    captureClock: view.readUInt8(at + 28),
    keyFrame: (view.readUInt8(at + 29) & KEY_FRAME) !== 0,
  };
}
