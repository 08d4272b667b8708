import { mkdir } from 'node:fs/promises';
import type { ClipFinder } from '../common/clips.ts';
import type { OutboxRecord } from '../common/delivery.ts';
import { type SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { Catalogue, type SegmentRow } from './catalogue.ts';
import { Clips, type VideoStream } from './clips.ts';
import { RecordingCounts, type StreamRecordingCounts } from './counts.ts';
import { FolderWatch } from './folder-watch.ts';
import { type GapReport, gapReport } from './gap-report.ts';
import { Intake } from './intake.ts';
import { Keeper } from './keeper.ts';
import type { EmitRecordingEvent, RecordedStream, RecordingSettings } from './settings.ts';
import { Uploader } from './uploader.ts';

const SWEEP_MS = 5_000;

export interface RecordingOptions {
  readonly settings: RecordingSettings;
  /** Resolves when the records are durable. */
  readonly storeRecords: (records: readonly OutboxRecord[]) => Promise<void>;
  readonly stream: (id: string) => RecordedStream | undefined;
  readonly emit: EmitRecordingEvent;
  readonly logger: Logger;
  /** How often bounds are kept, and what was missed is looked for. Default 5000. */
  readonly sweepMs?: number;
}

/** What is counted of all recordings. */
export interface RecordingFigures {
  readonly streams: ReadonlyMap<string, Readonly<StreamRecordingCounts>>;
  readonly pendingSegments: number;
  readonly pendingBytes: number;
  /** Of the oldest segment that waits for the store, by its capture time; 0 without one. */
  readonly oldestPendingMs: number;
  readonly localBytes: number;
  readonly openBytes: number;
  readonly uploading: number;
  readonly retries: number;
  readonly error?: SightlineError;
}

export interface SegmentsQuery {
  readonly streamId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The recordings of this box: what workers wrote is catalogued, told to the sinks, stored, kept within its bounds. */
export class RecordingService {
  readonly clips: ClipFinder;
  readonly #options: RecordingOptions;
  readonly #catalogue: Catalogue;
  readonly #counts = new RecordingCounts();
  readonly #intake: Intake;
  readonly #uploader: Uploader;
  readonly #keeper: Keeper;
  readonly #clips: Clips;
  readonly #end = new AbortController();
  #watch: FolderWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Scans and sweeps follow each other. */
  #busy: Promise<void> = Promise.resolve();

  private constructor(options: RecordingOptions) {
    const { settings, emit, logger, stream, storeRecords } = options;
    const { dir, store, concurrency } = settings;
    this.#options = options;
    const catalogue = new Catalogue(settings.catalogueFile);
    this.#catalogue = catalogue;
    const counts = this.#counts;
    const shared = { catalogue, counts, emit, logger };
    this.#intake = new Intake({ ...shared, dir, stream, store: storeRecords });
    const pathOf = (row: SegmentRow): string => this.#intake.pathOf(row);
    this.#uploader = new Uploader({ ...shared, store, concurrency, pathOf });
    this.#keeper = new Keeper({
      ...{ ...shared, ...settings, pathOf },
      isUploading: (id) => this.#uploader.isUploading(id),
      openBytes: () => this.#intake.openBytes,
      onGone: (row) => this.#intake.forgetFile(row),
    });
    this.#clips = new Clips({ catalogue, store, pathOf });
    this.clips = this.#clips;
  }

  /**
   * Opens the catalogue and notes what a former run left open; call it before workers run.
   * @throws SightlineError `SL_CONFIG_INVALID` for a catalogue of a newer version
   */
  static async open(options: RecordingOptions): Promise<RecordingService> {
    await mkdir(options.settings.dir, { recursive: true });
    const service = new RecordingService(options);
    await service.#intake.noteLeft();
    return service;
  }

  /** Takes in what a former run left, and from now on what comes; call it when the streams are known. */
  start(): void {
    const { settings, sweepMs = SWEEP_MS } = this.#options;
    const { dir } = settings;
    this.#watch = new FolderWatch(dir, (folders) => this.#scan(folders));
    this.#timer = setInterval(() => void this.#sweep(), sweepMs);
    void this.#sweep();
  }

  figures(): RecordingFigures {
    const pending = this.#catalogue.pending();
    const { uploading, retries, error } = this.#uploader.state;
    return {
      streams: this.#counts.all(),
      pendingSegments: pending.segments,
      pendingBytes: pending.bytes,
      oldestPendingMs: pending.oldestMs === null ? 0 : Math.max(0, Date.now() - pending.oldestMs),
      localBytes: this.#catalogue.localTotals().bytes,
      openBytes: this.#intake.openBytes,
      ...{ uploading, retries },
      ...(error === undefined ? {} : { error }),
    };
  }

  /** Segments that touch the time, by their start and id; those after a place in that order. */
  segments(
    { streamId, fromMs, toMs }: SegmentsQuery,
    after: { readonly startMs: number; readonly id: number },
    limit: number,
  ): readonly SegmentRow[] {
    return this.#catalogue.page(streamId, [fromMs, toMs], after, limit);
  }

  /** @throws SightlineError `SL_NOT_FOUND` */
  gaps(streamId: string, date: string): Promise<GapReport> {
    const pathOf = (row: SegmentRow): string => this.#intake.pathOf(row);
    return gapReport({ catalogue: this.#catalogue, pathOf }, streamId, date);
  }

  /** See Clips. */
  video(id: number): Promise<VideoStream> {
    return this.#clips.segment(id, this.#end.signal);
  }

  /** See Clips. */
  clip({ streamId, fromMs, toMs }: SegmentsQuery): Promise<VideoStream> {
    return this.#clips.cut(streamId, fromMs, toMs, this.#end.signal);
  }

  /** Call it when no worker writes any more: takes in what they closed last. Idempotent. */
  async close(): Promise<void> {
    if (this.#end.signal.aborted) return;
    clearInterval(this.#timer);
    this.#watch?.close();
    await this.#run((signal) => this.#intake.scanAll(signal));
    this.#end.abort();
    await this.#uploader.close();
    this.#options.settings.store.close();
    this.#catalogue.shutdown();
  }

  #scan(folders: readonly string[]): void {
    void this.#run(async (signal) => {
      this.#watch?.refresh();
      for (const folder of folders) await this.#intake.scan(folder, signal);
      this.#uploader.wake();
    });
  }

  #sweep(): Promise<void> {
    return this.#run(async (signal) => {
      await this.#intake.scanAll(signal);
      this.#watch?.refresh();
      this.#uploader.wake();
      await this.#keeper.sweep(signal);
    });
  }

  /** One after the other; a failure is told and what failed comes up again with the next sweep. */
  #run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#busy = this.#busy.then(async () => {
      if (this.#end.signal.aborted) return;
      try {
        await work(this.#end.signal);
      } catch (thrown) {
        const { code, message: reason } = toSightlineError(thrown);
        this.#options.logger.error({ code, reason }, 'recording.failed');
      }
    });
    return this.#busy;
  }
}
