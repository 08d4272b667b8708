import { statfs } from 'node:fs/promises';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Bounds } from './bounds.ts';
import type { Committer } from './committer.ts';
import type { LaneTable } from './lanes.ts';
import type { OutboxLimits } from './options.ts';
import type { OutboxClock } from './outbox-clock.ts';
import { type DiskSpace, excessBytes, isAtLeast, type Pressure, pressureOf } from './pressure.ts';
import type { JournalThread, ShedReason } from './protocol.ts';

const SWEEP_INTERVAL_MS = 5_000;
/** Unused bytes of the journal's file that are not worth giving back. */
const SPARE_BYTES = 64 * 1024 * 1024;
const SHRINK_STEP_BYTES = 16 * 1024 * 1024;

export interface KeeperOptions {
  readonly dir: string;
  readonly limits: Required<OutboxLimits>;
  readonly journal: JournalThread;
  readonly lanes: LaneTable;
  readonly committer: Committer;
  readonly bounds: Bounds;
  readonly clock: OutboxClock;
  readonly report: (error: SightlineError) => void;
}

/** Keeps the outbox within its bounds of bytes, age, free space and inodes. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #timer: NodeJS.Timeout;
  #space: DiskSpace | undefined;
  #pressure: Pressure = { level: 'ok' };
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.sweep(), SWEEP_INTERVAL_MS);
    this.#timer.unref();
  }

  get pressure(): Pressure {
    return this.#pressure;
  }

  /** As of the last sweep; undefined before the first. */
  get space(): DiskSpace | undefined {
    return this.#space;
  }

  /** Looks at the disk and at ages. One run at a time: a call during another waits for that one. */
  sweep(): Promise<void> {
    this.#running ??= this.#sweep().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Call after each commit. */
  committed(): void {
    this.#judge();
    if (isAtLeast(this.#pressure, 'shed')) this.#running ??= this.#shedOnly();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    const { committer, lanes, bounds, clock, limits } = this.#options;
    try {
      await this.#look();
      if (clock.isTrusted && (await bounds.shedOlderThan(clock.now() - limits.maxAgeMs)) > 0) {
        this.#complain('Records that waited too long were shed');
        await committer.commitState();
      }
      await this.#shed();
      committer.state.dropLanes(lanes.removeOrphans());
    } catch (error) {
      if (!this.#isClosed) this.#options.report(toSightlineError(error));
    }
  }

  async #shedOnly(): Promise<void> {
    try {
      await this.#shed();
    } catch (error) {
      if (!this.#isClosed) this.#options.report(toSightlineError(error));
    } finally {
      this.#running = undefined;
    }
  }

  /** Measures the disk. What the journal's file holds unused counts as free: new records go there first. */
  async #look(): Promise<void> {
    const { dir, journal } = this.#options;
    const { bsize, blocks, bavail, files, ffree } = await statfs(dir);
    const free = bavail * bsize;
    let unused = await journal.call('shrink', { maxBytes: 0 });
    const isTight = this.#pressure.cause === 'free-space';
    if (unused > (isTight ? 0 : Math.max(SPARE_BYTES, this.#options.committer.storedBytes))) {
      unused = await journal.call('shrink', { maxBytes: SHRINK_STEP_BYTES });
    }
    this.#space = {
      totalBytes: blocks * bsize,
      freeBytes: free + unused,
      totalInodes: files,
      freeInodes: ffree,
    };
    this.#judge();
  }

  #judge(): void {
    const { committer, limits } = this.#options;
    const pressure = pressureOf(committer.storedBytes, this.#space, limits);
    const isNews = pressure.level !== this.#pressure.level;
    this.#pressure = pressure;
    if (!isNews || pressure.level === 'ok') return;
    const what = {
      bytes: `the ${limits.maxBytes} bytes it may hold`,
      'free-space': 'what has to stay free on its disk',
      inodes: 'the inodes that have to stay free on its disk',
    }[pressure.cause ?? 'bytes'];
    this.#complain(`The outbox is close to ${what}, level: ${pressure.level}`);
  }

  async #shed(): Promise<void> {
    const { committer, bounds, limits } = this.#options;
    while (!this.#isClosed && isAtLeast(this.#pressure, 'shed')) {
      const { cause = 'bytes' } = this.#pressure;
      const reason: ShedReason = cause;
      const excess = excessBytes(committer.storedBytes, this.#space, limits);
      const freed =
        cause === 'inodes'
          ? await bounds.shedPictures(reason)
          : await bounds.shedBytes(excess, reason);
      if (freed === 0) return;
      await committer.commitState();
      if (cause === 'bytes') this.#judge();
      else await this.#look();
    }
  }

  #complain(message: string): void {
    this.#options.report(new SightlineError('SL_OUTBOX_FULL', message));
  }
}
