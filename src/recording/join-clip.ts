import type { Readable } from 'node:stream';
import { SightlineError } from '../common/errors.ts';
import type { SegmentContainer } from '../common/segments.ts';
import { clustersOf, type MatroskaHeader, readHeader } from './matroska.ts';
import type { ByteSource } from './mp4/boxes.ts';
import { playableInit, Retimer, trackOf } from './mp4/retime.ts';
import { type WrittenTrack, writeHeader } from './mp4/write.ts';
import type { FragmentPlace } from './read-segment.ts';
import { Remuxer } from './remux.ts';

/** A `moof` has 16 bytes a frame. */
const HEAD_BYTES = 64 * 1024;

/** What of one segment belongs to a clip. */
export interface ClipPiece {
  /** Of the segment, for errors. */
  readonly key: string;
  readonly container: SegmentContainer;
  readonly initBytes: number;
  /** Not empty. */
  readonly places: readonly FragmentPlace[];
  /** Bytes of the segment. */
  readonly read: (start: number, end: number) => Promise<Readable>;
}

export interface JoinedClip {
  /** Undefined where only the end tells. */
  readonly bytes: number | undefined;
  readonly parts: AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * Pieces as one MP4 file, nothing encoded anew: fragments of MP4 as they are, clusters of Matroska as fragments.
 * @throws SightlineError `SL_REQUEST_INVALID` for pieces that cannot be one file, or what reading throws
 */
export async function joinClip(pieces: readonly ClipPiece[]): Promise<JoinedClip> {
  const [first] = pieces;
  const other = pieces.find(({ container }) => container !== first!.container);
  if (other !== undefined) throw changed('the container', other);
  return first!.container === 'mp4' ? joinMp4(pieces) : joinMatroska(pieces);
}

async function joinMp4(pieces: readonly ClipPiece[]): Promise<JoinedClip> {
  const [first, ...rest] = pieces;
  const init = await bytesOf(first!, 0, first!.initBytes);
  const track = trackOf(init);
  if (track === undefined) throw unknownHeader(first!);
  for (const piece of rest) {
    const other = trackOf(await bytesOf(piece, 0, piece.initBytes));
    const isSame = other?.description.equals(track.description) === true;
    if (!isSame || other.timescale !== track.timescale)
      throw changed('the camera’s video format', piece);
  }
  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    yield playableInit(init);
    const retimer = new Retimer(track!);
    for (const piece of pieces) {
      retimer.nextFile(beginOf(piece) - beginOf(first!));
      for (const { start, end } of piece.places) {
        const headEnd = Math.min(end, start + HEAD_BYTES);
        yield retimer.fragment(await bytesOf(piece, start, headEnd));
        if (headEnd < end) yield* await piece.read(headEnd, end);
      }
    }
  }
  return { bytes: init.length + bytesIn(pieces), parts: parts() };
}

async function joinMatroska(pieces: readonly ClipPiece[]): Promise<JoinedClip> {
  const [first, ...rest] = pieces;
  const header = await headerOf(first!);
  for (const piece of rest) {
    const other = await headerOf(piece);
    const isSame = other.configuration.equals(header.configuration);
    if (!isSame || other.timescale !== header.timescale)
      throw changed('the camera’s video format', piece);
  }
  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    yield writeHeader(header);
    const remuxer = new Remuxer(header.timescale);
    for (const piece of pieces) {
      remuxer.nextFile(beginOf(piece) - beginOf(first!));
      for (const { start, end } of piece.places) {
        // A cluster is written in one piece, so it has been in memory once.
        const bytes = await bytesOf(piece, start, end);
        for await (const { blocks } of clustersOf(sourceOf(bytes), 0)) {
          yield remuxer.fragment(blocks, bytes);
        }
      }
    }
  }
  return { bytes: undefined, parts: parts() };
}

async function headerOf(piece: ClipPiece): Promise<MatroskaHeader & WrittenTrack> {
  const header = await readHeader(sourceOf(await bytesOf(piece, 0, piece.initBytes)));
  const { codec } = header ?? {};
  if (header === undefined || (codec !== 'h264' && codec !== 'h265')) throw unknownHeader(piece);
  return { ...header, codec };
}

/** Of the fragments, without headers. */
export function bytesIn(pieces: readonly Pick<ClipPiece, 'places'>[]): number {
  const places = pieces.flatMap((piece) => piece.places);
  return places.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** ms since the Unix epoch. */
function beginOf({ places }: ClipPiece): number {
  return places[0]!.fromMs;
}

function sourceOf(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    read: async (start, length) => bytes.subarray(start, start + length),
  };
}

async function bytesOf({ read }: ClipPiece, start: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await read(start, end)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Players configure their decoder once a file. */
function changed(what: string, piece: ClipPiece): SightlineError {
  const until = new Date(beginOf(piece)).toISOString();
  return new SightlineError(
    'SL_REQUEST_INVALID',
    `Cannot cut one clip: ${what} changed at ${until}; ask for the time before and after`,
  );
}

function unknownHeader({ key }: ClipPiece): SightlineError {
  return new SightlineError('SL_INTERNAL', `Segment ${key} has no header that is known`);
}
