import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ClipFinder, ClipReference } from '../common/clips.ts';
import { SightlineError } from '../common/errors.ts';
import { NOTES_SUFFIX, OPEN_SUFFIX } from '../common/segments.ts';
import type { Catalogue, SegmentRow } from './catalogue.ts';
import { bytesIn, joinClip } from './join-clip.ts';
import { CONTENT_TYPES, segmentKey } from './names.ts';
import { type FragmentPlace, readPlaces } from './read-segment.ts';
import type { SegmentStore } from './stores/store.ts';

/** Of one clip: what a request may make the server read. */
const MAX_CLIP_BYTES = 4 * 1024 ** 3;

export interface ClipsOptions {
  readonly catalogue: Catalogue;
  readonly store: SegmentStore;
  /** Of a closed segment, absolute. */
  readonly pathOf: (row: SegmentRow) => string;
}

/** What is sent to whoever asks for video. */
export interface VideoStream {
  readonly contentType: string;
  /** Undefined where only the end tells. */
  readonly bytes: number | undefined;
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
   * A time as one MP4 file, from the key frame before it on: what is missing stays missing in its time line.
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
    const [first] = pieces;
    if (first === undefined) {
      throw new SightlineError('SL_NOT_FOUND', `Nothing of "${streamId}" is recorded at that time`);
    }
    const size = bytesIn(pieces);
    if (size > MAX_CLIP_BYTES) {
      const message = `Cannot cut ${size} bytes into one clip, at most ${MAX_CLIP_BYTES}: ask for less time`;
      throw new SightlineError('SL_REQUEST_INVALID', message);
    }
    const { bytes, parts } = await joinClip(
      pieces.map((piece) => ({
        key: piece.row.key!,
        container: piece.row.container,
        ...{ initBytes: piece.initBytes, places: piece.places },
        read: (start, end) => this.#read(piece, start, end, signal),
      })),
    );
    const start = new Date(first.places[0]!.fromMs).toISOString().replace(/[-:]/g, '');
    return {
      contentType: CONTENT_TYPES.mp4,
      bytes,
      fileName: `${streamId}-${start}.mp4`,
      body: Readable.from(parts, { objectMode: false }),
    };
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
      const places = piece === undefined ? [] : touching(piece.places, fromMs, toMs);
      if (piece !== undefined && places.length > 0) pieces.push({ ...piece, places });
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

/** Those that touch the time, and those before them back to a key frame: nothing of the time can be decoded without it. */
function touching(
  places: readonly FragmentPlace[],
  fromMs: number,
  toMs: number,
): readonly FragmentPlace[] {
  const isIn = (place: FragmentPlace): boolean => place.toMs > fromMs && place.fromMs < toMs;
  const first = places.findIndex(isIn);
  if (first < 0) return [];
  const begin = places.slice(0, first + 1).findLastIndex(({ key }) => key);
  return places.slice(Math.max(0, begin), places.findLastIndex(isIn) + 1);
}
