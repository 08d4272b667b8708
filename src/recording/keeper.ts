import { rm, statfs } from 'node:fs/promises';
import { toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { NOTES_SUFFIX } from '../common/segments.ts';
import type { Catalogue, SegmentRow } from './catalogue.ts';
import type { RecordingCounts } from './counts.ts';
import type { EmitRecordingEvent, RecordingSettings } from './settings.ts';

/** Rows that are looked at in one go. */
const ROWS = 100;

export interface KeeperOptions
  extends Pick<RecordingSettings, 'dir' | 'store' | 'bounds' | 'retention' | 'keepLocalMs'> {
  readonly catalogue: Catalogue;
  readonly counts: RecordingCounts;
  readonly pathOf: (row: SegmentRow) => string;
  readonly isUploading: (id: number) => boolean;
  /** Of files that are being written. */
  readonly openBytes: () => number;
  readonly onGone: (row: SegmentRow) => void;
  readonly emit: EmitRecordingEvent;
  readonly logger: Logger;
}

type Bound = 'bytes' | 'age' | 'disk';

/**
 * Keeps the bounds of this machine's disk and of the store. Files that the store has go first; what it has not is given
 * up only when nothing else is left, oldest first, counted and told.
 */
export class Keeper {
  readonly #options: KeeperOptions;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  async sweep(signal: AbortSignal): Promise<void> {
    await this.#dropStored(signal);
    await this.#keepBounds(signal);
    await this.#retire(signal);
  }

  /** The copies that have been kept long enough. */
  async #dropStored(signal: AbortSignal): Promise<void> {
    const { catalogue, keepLocalMs } = this.#options;
    while (!signal.aborted) {
      const rows = catalogue.localStoredBefore(Date.now() - keepLocalMs, ROWS);
      for (const row of rows) await this.#removeFile(row);
      if (rows.length < ROWS) return;
    }
  }

  async #keepBounds(signal: AbortSignal): Promise<void> {
    const { catalogue, bounds, openBytes } = this.#options;
    let { bytes } = catalogue.localTotals();
    bytes += openBytes();
    let short = Math.max(0, bytes - bounds.maxBytes);
    let bound: Bound = 'bytes';
    const lacking = await this.#lackingBytes();
    if (lacking > short) {
      short = lacking;
      bound = 'disk';
    }
    while (short > 0 && !signal.aborted) {
      const [row] = catalogue.local('stored', 1);
      if (row === undefined) break;
      await this.#removeFile(row);
      short -= row.bytes;
    }
    const isShort = (row: SegmentRow): boolean => {
      const was = short;
      short -= row.bytes;
      return was > 0;
    };
    if (short > 0) await this.#shed(isShort, bound, signal);
    const oldestMs = Date.now() - bounds.maxAgeMs;
    await this.#shed((row) => row.endMs < oldestMs, 'age', signal);
  }

  /** Gives up segments that the store has not, oldest first, as long as `isNext` says so. */
  async #shed(
    isNext: (row: SegmentRow) => boolean,
    bound: Bound,
    signal: AbortSignal,
  ): Promise<void> {
    const { catalogue, counts, isUploading, emit, logger } = this.#options;
    const shed = { segments: 0, frames: 0, bytes: 0 };
    for (const row of catalogue.local('closed', ROWS)) {
      if (signal.aborted || isUploading(row.id) || !isNext(row)) break;
      catalogue.setState(row.id, 'shed');
      await this.#removeFile(row);
      shed.segments += 1;
      shed.frames += row.frames;
      shed.bytes += row.bytes;
      const counted = counts.of(row.streamId);
      counted.shed += 1;
      counted.shedFrames += row.frames;
    }
    if (shed.segments === 0) return;
    logger.error({ ...shed, bound }, 'recording.shed');
    emit('recording.shed', { ...shed, bound });
  }

  /** What is missing to the free space that has to stay. */
  async #lackingBytes(): Promise<number> {
    const { dir, bounds } = this.#options;
    const { bavail, blocks, bsize } = await statfs(dir);
    const least = Math.max(bounds.minFreeBytes, (blocks * bsize * bounds.minFreePercent) / 100);
    return Math.max(0, least - bavail * bsize);
  }

  /** Rows, and in a store that does not do it itself the segments, that are too old or too many. */
  async #retire(signal: AbortSignal): Promise<void> {
    const { catalogue, retention, store } = this.#options;
    const oldestMs = Date.now() - retention.maxAgeMs;
    let over = Math.max(
      0,
      catalogue.storedTotals().bytes - (retention.maxBytes ?? Number.MAX_VALUE),
    );
    if (store.keepsForEver) over = 0;
    for (const row of catalogue.settled(ROWS)) {
      const isOver = over > 0 && row.state === 'stored';
      if (signal.aborted || (row.endMs >= oldestMs && !isOver)) return;
      if (row.local) await this.#removeFile(row);
      if (row.state === 'stored') await store.remove(row.key!);
      catalogue.forget(row.id);
      if (isOver) over -= row.bytes;
    }
  }

  async #removeFile(row: SegmentRow): Promise<void> {
    const { catalogue, pathOf, onGone, logger } = this.#options;
    const path = pathOf(row);
    try {
      await rm(path, { force: true });
      await rm(path.replace(/\.\w+$/, NOTES_SUFFIX), { force: true });
    } catch (thrown) {
      const { message: reason } = toSightlineError(thrown);
      logger.warn({ key: row.key, reason }, 'recording.not_removed');
    }
    catalogue.setGone(row.id);
    onGone(row);
  }
}
