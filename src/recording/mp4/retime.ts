import { innerBox, innerBoxes } from './boxes.ts';
import { readDecodeTime, readFragment } from './fragments.ts';
import { readMovie, type VideoTrack } from './movie.ts';

// ISO/IEC 14496-12: 8.8.2 mehd, 8.8.5 mfhd, 8.8.12 tfdt.

/** What the first bytes of a file, up to its first fragment, say; undefined where they have no video. */
export function trackOf(init: Buffer): VideoTrack | undefined {
  const moov = moovOf(init);
  return moov === undefined ? undefined : readMovie(moov);
}

/** The header of a file for other fragments than its own: it says nothing of how long they are. */
export function playableInit(init: Buffer): Buffer {
  const copy = Buffer.from(init);
  const moov = moovOf(copy);
  if (moov === undefined) return copy;
  const mvex = innerBox(
    moov,
    { type: 'moov', start: 0, contentStart: 8, end: moov.length },
    'mvex',
  );
  const mehd = mvex && innerBox(moov, mvex, 'mehd');
  if (mehd !== undefined) moov.write('free', mehd.start + 4, 'latin1');
  return copy;
}

function moovOf(init: Buffer): Buffer | undefined {
  for (const { type, start, end } of innerBoxes(init, 0, init.length)) {
    if (type === 'moov') return init.subarray(start, end);
  }
  return undefined;
}

/**
 * Gives fragments of several files the numbers and times of one. Their offsets count from their own beginning, as
 * slrecord writes them, so nothing else changes.
 */
export class Retimer {
  readonly #track: VideoTrack;
  #sequence = 0;
  /** When the fragments of the file at hand begin in the new one, and in their own; units of the track. */
  #beginsAt = 0;
  #beganAt: number | undefined;
  #endedAt = 0;

  constructor(track: VideoTrack) {
    this.#track = track;
  }

  /** The next fragments are of another file. @param atMs when they begin in the new one */
  nextFile(atMs: number): void {
    const units = Math.round((atMs * this.#track.timescale) / 1000);
    this.#beginsAt = Math.max(units, this.#endedAt);
    this.#beganAt = undefined;
  }

  /** @param head first bytes of a fragment: its whole `moof`, and what follows */
  fragment(head: Buffer): Buffer {
    const bytes = Buffer.from(head);
    const [moof] = innerBoxes(bytes, 0, bytes.length);
    if (moof?.type !== 'moof') return bytes;
    this.#sequence += 1;
    const mfhd = innerBox(bytes, moof, 'mfhd');
    if (mfhd !== undefined) bytes.writeUInt32BE(this.#sequence, mfhd.contentStart + 4);
    const { decodeTime, samples } = readFragment(bytes.subarray(0, moof.end), 0, this.#track);
    this.#beganAt ??= decodeTime;
    const shift = this.#beginsAt - this.#beganAt;
    this.#endedAt = samples.reduce((sum, { duration }) => sum + duration, decodeTime + shift);
    for (const traf of innerBoxes(bytes, moof.contentStart, moof.end)) {
      const tfdt = traf.type === 'traf' ? innerBox(bytes, traf, 'tfdt') : undefined;
      if (tfdt === undefined) continue;
      const units = readDecodeTime(bytes, tfdt) + shift;
      if (bytes[tfdt.contentStart] === 1) {
        bytes.writeBigUInt64BE(BigInt(units), tfdt.contentStart + 4);
      } else bytes.writeUInt32BE(units, tfdt.contentStart + 4);
    }
    return bytes;
  }
}
