import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PendingRecord } from '../../common/delivery.ts';
import { type SightlineError, toSightlineError } from '../../common/errors.ts';
import { eachInTurns } from '../format/in-turns.ts';
import { type Group, Grouper, type Spares } from './groups.ts';
import type { FileSinkSpec } from './spec.ts';

/** Records that are encoded before they are handed to the disk: while they are written, the next are encoded. */
const PIECE_RECORDS = 2000;
/** Where nothing is encoded: as many as come, since every piece costs a sync a file. */
const PLAIN_PIECE_RECORDS = 4000;
/** Bytes of segments that are encoded together: as lines they are ten times as big. */
const PIECE_SEGMENT_BYTES = 512 * 1024;

/** A batch on its way into the formats of its files, piece by piece, begun at once and in turns with all else. */
export class EncodedBatch {
  readonly batch: readonly PendingRecord[];
  /** Records that cannot be encoded, by their positions; complete with the last piece. */
  readonly rejected = new Map<number, SightlineError>();
  readonly #formats: FileSinkSpec['formats'];
  readonly #spare: Spares;
  readonly #pieces: Promise<Group[]>[] = [];

  constructor(batch: readonly PendingRecord[], formats: FileSinkSpec['formats'], spare: Spares) {
    this.batch = batch;
    this.#formats = formats;
    this.#spare = spare;
    let before: Promise<unknown> = Promise.resolve();
    for (let start = 0; start < batch.length; ) {
      const from = start;
      const end = this.#endOfPiece(from);
      const piece = before.then(() => this.#encode(from, end));
      this.#pieces.push(piece);
      before = piece.then(() => nextTurn());
      start = end;
    }
  }

  /** The records by the files they go to, in order. */
  get pieces(): readonly Promise<Group[]>[] {
    return this.#pieces;
  }

  #endOfPiece(start: number): number {
    const isPlain = !this.#formats.includes('ndjson');
    const most = start + (isPlain ? PLAIN_PIECE_RECORDS : PIECE_RECORDS);
    let bytes = 0;
    for (let end = start; end < Math.min(this.batch.length, most); end++) {
      const record = this.batch[end]!;
      if (record.kind === 'segment') bytes += record.payload.byteLength;
      if (bytes >= PIECE_SEGMENT_BYTES) return end + 1;
    }
    return Math.min(this.batch.length, most);
  }

  async #encode(start: number, end: number): Promise<Group[]> {
    const grouper = new Grouper(this.#formats, this.#spare);
    let index = start;
    await eachInTurns(this.batch.slice(start, end), (record) => {
      const at = index++;
      if (record.kind === 'image') return;
      try {
        grouper.add(at, record);
      } catch (error) {
        this.rejected.set(at, toSightlineError(error));
      }
    });
    return grouper.groups;
  }
}
