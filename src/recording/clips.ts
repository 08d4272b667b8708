import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ClipFinder, ClipReference } from '../common/clips.ts';
import { SightlineError } from '../common/errors.ts';
import { NOTES_SUFFIX, OPEN_SUFFIX } from '../common/segments.ts';
import type { Catalogue, SegmentRow } from './catalogue.ts';
import type { VideoTrack } from './mp4/movie.ts';
import { playableInit, Retimer, trackOf } from './mp4/retime.ts';
import { CONTENT_TYPES, segmentKey } from './names.ts';
import { type FragmentPlace, readPlaces } from './read-segment.ts';
import type { SegmentStore } from './stores/store.ts';

/** Of one clip: what a request may make the server read. */
const MAX_CLIP_BYTES = 4 * 1024 ** 3;
/** A `moof` has 16 bytes a frame. */
const HEAD_BYTES = 64 * 1024;

export interface ClipsOptions {
  readonly catalogue: Catalogue;
  readonly store: SegmentStore;
  /** Of a closed segment, absolute. */
  readonly pathOf: (row: SegmentRow) => string;
}

/** What is sent to whoever asks for video. */
export interface VideoStream {
  readonly contentType: string;
  readonly bytes: number;
  readonly fileName: string;
  readonly body: Readable;
}

interface Piece {
  readonly row: SegmentRow;
  readonly path: string;
  readonly initBytes: number;
  readonly places: readonly FragmentPlace[];
}

/** Finds recorded video by time and cuts it, without decoding: whole fragments from the disk, or from the store. */
export class Clips implements ClipFinder {
  readonly #options: ClipsOptions;

  constructor(options: ClipsOptions) {
    this.#options = options;
  }

  async find(streamId: string, fromMs: number, toMs: number): Promise<readonly ClipReference[]> {
    const pieces = await this.#pieces(streamId, fromMs, toMs);
    return pieces.map(({ row, initBytes, places }) => ({
      key: row.key!,
      byteStart: places[0]!.start,
      byteEnd: places.at(-1)!.end,
      initBytes,
      fromMs: places[0]!.fromMs,
      toMs: places.at(-1)!.toMs,
    }));
  }

  /** A whole segment. @throws SightlineError `SL_NOT_FOUND`, or one of `SL_SINK_*` of the store */
  async segment(id: number, signal: AbortSignal): Promise<VideoStream> {
    const row = this.#options.catalogue.byId(id);
    if (row?.key == null || row.state === 'shed' || row.state === 'lost') {
      throw new SightlineError('SL_NOT_FOUND', `There is no closed segment ${id}`);
    }
    const body = await this.#read({ row, path: this.#options.pathOf(row) }, 0, row.bytes, signal);
    const fileName = row.key.split('/').at(-1)!;
    return { contentType: CONTENT_TYPES[row.container], bytes: row.bytes, fileName, body };
  }

  /**
   * The fragments that touch a time as one MP4 file: what is missing between them stays missing in its time line.
   * @throws SightlineError `SL_NOT_FOUND` where nothing was recorded, `SL_REQUEST_INVALID` for what cannot be one file,
   * or one of `SL_SINK_*` of the store
   */
  async cut(
    streamId: string,
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
  ): Promise<VideoStream> {
    const pieces = await this.#pieces(streamId, fromMs, toMs);
    const first = pieces[0];
    if (first === undefined) {
      throw new SightlineError('SL_NOT_FOUND', `Nothing of "${streamId}" is recorded at that time`);
    }
    if (pieces.some(({ row }) => row.container !== 'mp4')) {
      const message = `Cannot cut a clip of "${streamId}" at that time: it is recorded as Matroska; ask for its segments`;
      throw new SightlineError('SL_REQUEST_INVALID', message);
    }
    const init = await this.#bytes(first, 0, first.initBytes, signal);
    const track = trackOf(init);
    if (track === undefined) {
      throw new SightlineError(
        'SL_INTERNAL',
        `Segment ${first.row.key} has no header that is known`,
      );
    }
    const bytes = pieces
      .flatMap(({ places }) => places)
      .reduce((sum, { start, end }) => sum + end - start, init.length);
    if (bytes > MAX_CLIP_BYTES) {
      const message = `Cannot cut ${bytes} bytes into one clip, at most ${MAX_CLIP_BYTES}: ask for less time`;
      throw new SightlineError('SL_REQUEST_INVALID', message);
    }
    for (const piece of pieces.slice(1)) await this.#checkSame(track, piece, signal);
    const start = new Date(first.places[0]!.fromMs).toISOString().replace(/[-:]/g, '');
    return {
      contentType: CONTENT_TYPES.mp4,
      bytes,
      fileName: `${streamId}-${start}.mp4`,
      body: Readable.from(this.#joined(init, track, pieces, signal), { objectMode: false }),
    };
  }

  async *#joined(
    init: Buffer,
    track: VideoTrack,
    pieces: readonly Piece[],
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    yield playableInit(init);
    const originMs = pieces[0]!.places[0]!.fromMs;
    const retimer = new Retimer(track);
    for (const piece of pieces) {
      retimer.nextFile(piece.places[0]!.fromMs - originMs);
      for (const { start, end } of piece.places) {
        const headEnd = Math.min(end, start + HEAD_BYTES);
        yield retimer.fragment(await this.#bytes(piece, start, headEnd, signal));
        if (headEnd < end) yield* await this.#read(piece, headEnd, end, signal);
      }
    }
  }

  /** Players configure their decoder once a file. */
  async #checkSame(track: VideoTrack, piece: Piece, signal: AbortSignal): Promise<void> {
    const other = trackOf(await this.#bytes(piece, 0, piece.initBytes, signal));
    const isSame =
      other?.description.equals(track.description) === true && other.timescale === track.timescale;
    if (isSame) return;
    const until = new Date(piece.places[0]!.fromMs).toISOString();
    throw new SightlineError(
      'SL_REQUEST_INVALID',
      `Cannot cut one clip: the camera changed its video format at ${until}; ask for the time before and after`,
    );
  }

  async #pieces(streamId: string, fromMs: number, toMs: number): Promise<Piece[]> {
    const { catalogue, pathOf } = this.#options;
    const pieces: Piece[] = [];
    // The end of an open segment is not known yet: those count whenever they began before.
    const open = catalogue.open().filter((row) => row.streamId === streamId && row.startMs < toMs);
    for (const row of [...catalogue.touching(streamId, fromMs, toMs), ...open]) {
      if (pieces.some((piece) => piece.row.id === row.id)) continue;
      const piece =
        row.state === 'open'
          ? await this.#openPiece(row, pathOf(row))
          : closedPiece(row, pathOf(row));
      const places = piece?.places.filter((place) => place.toMs > fromMs && place.fromMs < toMs);
      if (piece !== undefined && places !== undefined && places.length > 0) {
        pieces.push({ ...piece, places });
      }
    }
    return pieces.sort((a, b) => a.places[0]!.fromMs - b.places[0]!.fromMs);
  }

  /** What is whole by now of a segment that is being written; it may be closed between two looks. */
  async #openPiece(row: SegmentRow, path: string): Promise<Piece | undefined> {
    const { streamId, session, startMs, container } = row;
    const key = segmentKey(streamId, session, startMs, container);
    for (const at of [path + OPEN_SUFFIX, path]) {
      const found = await readPlaces({
        path: at,
        notesPath: path.replace(/\.\w+$/, NOTES_SUFFIX),
        container,
      });
      if (found !== undefined) return { row: { ...row, key }, path: at, ...found };
    }
    return undefined;
  }

  async #bytes(
    piece: Pick<Piece, 'row' | 'path'>,
    start: number,
    end: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of await this.#read(piece, start, end, signal)) {
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  }

  async #read(
    { row, path }: Pick<Piece, 'row' | 'path'>,
    start: number,
    end: number,
    signal: AbortSignal,
  ): Promise<Readable> {
    if (row.local) {
      const handle = await open(path, 'r').catch(() => undefined);
      if (handle !== undefined) return handle.createReadStream({ start, end: end - 1, signal });
    }
    return this.#options.store.read(row.key!, start, end, signal);
  }
}

function closedPiece(row: SegmentRow, path: string): Piece | undefined {
  if (row.state === 'shed' || row.state === 'lost') return undefined;
  return { row, path, initBytes: row.initBytes, places: row.fragments };
}
