import type { Block } from './matroska.ts';
import { type WrittenSample, writeFragment } from './mp4/write.ts';

/** Of a frame that stands alone, seconds. */
const USUAL_DURATION_S = 0.04;

/**
 * Makes fragments of MP4 of the clusters of Matroska files, which become one. Matroska says when a frame is shown, MP4 also
 * when it is decoded: in the order of the file, at the times at which frames are shown, so that the one lies close to the other.
 */
export class Remuxer {
  readonly #timescale: number;
  #sequence = 0;
  /** When the clusters of the file at hand begin in the new one, and in their own; units of the track. */
  #beginsAt = 0;
  #beganAt: number | undefined;
  #decodedAt = -1;
  #endedAt = 0;

  /** @param timescale units a second, in both files */
  constructor(timescale: number) {
    this.#timescale = timescale;
  }

  /** The next clusters are of another file. @param atMs when they begin in the new one */
  nextFile(atMs: number): void {
    this.#beginsAt = Math.max(Math.round((atMs * this.#timescale) / 1000), this.#endedAt);
    this.#beganAt = undefined;
  }

  /** @param bytes of the file: what the blocks' offsets count in */
  fragment(blocks: readonly Block[], bytes: Buffer): Buffer {
    const shown = blocks.map(({ at }) => at);
    this.#beganAt ??= Math.min(...shown);
    const shift = this.#beginsAt - this.#beganAt;
    const times = shown.toSorted((a, b) => a - b).map((at) => this.#nextDecode(at + shift));
    const usual = Math.round(USUAL_DURATION_S * this.#timescale);
    const last = times.length < 2 ? usual : times.at(-1)! - times.at(-2)!;
    this.#endedAt = times.at(-1)! + last;
    const samples = blocks.map(({ offset, size, sync, at }, index): WrittenSample => {
      const decodedAt = times[index]!;
      return {
        bytes: bytes.subarray(offset, offset + size),
        sync,
        duration: (times[index + 1] ?? this.#endedAt) - decodedAt,
        offset: at + shift - decodedAt,
      };
    });
    this.#sequence += 1;
    return writeFragment(this.#sequence, times[0]!, samples);
  }

  /** Frames that are shown before one of the cluster before are decoded after it all the same. */
  #nextDecode(wanted: number): number {
    this.#decodedAt = Math.max(wanted, this.#decodedAt + 1);
    return this.#decodedAt;
  }
}
