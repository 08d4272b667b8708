import { stat } from 'node:fs/promises';
import { type SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { fullJitterMs } from '../common/retry.ts';
import type { Catalogue, SegmentRow } from './catalogue.ts';
import type { RecordingCounts } from './counts.ts';
import { CONTENT_TYPES } from './names.ts';
import type { EmitRecordingEvent } from './settings.ts';
import type { SegmentStore } from './stores/store.ts';

/** Of one upload: what a slow line needs for a large segment. */
const UPLOAD_LIMIT_MS = 600_000;
const RETRY = { baseMs: 1_000, capMs: 30_000 };
/** Credentials come back when somebody mends them. */
const UNAUTHORIZED_MS = { least: 15_000, most: 60_000 };
/** A segment the store refuses for itself is tried again as rarely. */
const REJECTED_MS = 600_000;

export interface UploaderOptions {
  readonly catalogue: Catalogue;
  readonly counts: RecordingCounts;
  readonly store: SegmentStore;
  readonly concurrency: number;
  readonly pathOf: (row: SegmentRow) => string;
  readonly emit: EmitRecordingEvent;
  readonly logger: Logger;
}

export interface UploaderState {
  readonly uploading: number;
  /** Why nothing is taken at the moment. */
  readonly error: SightlineError | undefined;
  readonly retries: number;
}

/**
 * Brings closed segments to the store, oldest first, for as long as it takes: a store that refuses is tried with one
 * segment after a wait with full jitter, and all go on when it takes that one.
 */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #end = new AbortController();
  readonly #running = new Map<number, Promise<void>>();
  /** Segments the store refused for themselves: not before this time; monotonic. */
  readonly #refused = new Map<number, number>();
  #error: SightlineError | undefined;
  #attempt = 0;
  #retries = 0;
  /** Nothing is begun before; monotonic. */
  #resumeMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  get state(): UploaderState {
    return { uploading: this.#running.size, error: this.#error, retries: this.#retries };
  }

  isUploading(id: number): boolean {
    return this.#running.has(id);
  }

  /** Begins what can be begun now. */
  wake(): void {
    if (this.#end.signal.aborted) return;
    const now = performance.now();
    if (now < this.#resumeMs) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.wake();
      }, this.#resumeMs - now);
      return;
    }
    // After a failure one segment has to get through first.
    const most = this.#error === undefined ? this.#options.concurrency : 1;
    const free = most - this.#running.size;
    if (free <= 0) return;
    const { catalogue } = this.#options;
    for (const [id, untilMs] of this.#refused) if (untilMs <= now) this.#refused.delete(id);
    const rows = catalogue
      .waiting(free + this.#running.size + this.#refused.size)
      .filter(({ id }) => !this.#running.has(id) && !this.#refused.has(id));
    for (const row of rows.slice(0, free)) {
      catalogue.setState(row.id, 'uploading');
      const work = this.#upload(row).finally(() => {
        this.#running.delete(row.id);
        this.wake();
      });
      this.#running.set(row.id, work);
    }
  }

  /** Ends what is on its way; it begins anew with the next start. Idempotent. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#end.abort();
    await Promise.all(this.#running.values());
  }

  async #upload(row: SegmentRow): Promise<void> {
    const { catalogue, counts, store } = this.#options;
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(UPLOAD_LIMIT_MS)]);
    try {
      if (await this.#isStored(row, signal)) {
        catalogue.setState(row.id, 'stored');
        counts.of(row.streamId).stored += 1;
      } else this.#lose(row);
      this.#recovered();
    } catch (thrown) {
      if (catalogue.byId(row.id)?.state === 'uploading') catalogue.setState(row.id, 'closed');
      if (!this.#end.signal.aborted) this.#failed(row, toSightlineError(thrown), store.name);
    }
  }

  /** False for a file that is neither here nor there. */
  async #isStored(row: SegmentRow, signal: AbortSignal): Promise<boolean> {
    const { store, pathOf } = this.#options;
    const file = fileOf(row, pathOf(row));
    const found = await stat(file.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found === undefined) return store.has(file, signal);
    await store.put(file, signal);
    return true;
  }

  #lose(row: SegmentRow): void {
    const { catalogue, counts, emit, logger } = this.#options;
    const { id, streamId, key, frames } = row;
    catalogue.setLost(id, frames);
    counts.of(streamId).lost += 1;
    logger.error({ streamId, key, frames }, 'recording.lost');
    emit('recording.lost', { streamId, key: key ?? '', frames });
  }

  #failed({ id, streamId, key }: SegmentRow, error: SightlineError, store: string): void {
    const { emit, logger } = this.#options;
    const { code, message: reason } = error;
    this.#retries++;
    const now = performance.now();
    if (code === 'SL_SINK_REJECTED') {
      this.#refused.set(id, now + REJECTED_MS);
      logger.error({ streamId, key, code, reason, store }, 'recording.rejected');
      emit('recording.rejected', { streamId, key: key ?? '', code, reason });
      return;
    }
    if (this.#error === undefined) {
      logger.warn({ code, reason, store }, 'recording.store_failing');
      emit('recording.store_failing', { code, reason });
    }
    this.#error = error;
    this.#attempt++;
    this.#resumeMs = now + waitMs(error, this.#attempt);
  }

  #recovered(): void {
    if (this.#error === undefined) return;
    this.#options.logger.info({ attempts: this.#attempt }, 'recording.store_recovered');
    this.#options.emit('recording.store_recovered', { attempts: this.#attempt });
    this.#error = undefined;
    this.#attempt = 0;
    this.#resumeMs = 0;
  }
}

function waitMs(error: SightlineError, attempt: number): number {
  if (error.code === 'SL_SINK_UNAUTHORIZED') {
    const { least, most } = UNAUTHORIZED_MS;
    return least + Math.random() * (most - least);
  }
  const told = Number(error.details['retryAfterMs'] ?? 0);
  return Math.max(told, fullJitterMs(attempt, RETRY));
}

function fileOf(row: SegmentRow, path: string) {
  const { bytes, sha256, container, streamId, session, startMs, frames } = row;
  return {
    ...{ path, bytes, sha256, key: row.key!, contentType: CONTENT_TYPES[container] },
    metadata: {
      'stream-id': streamId,
      session,
      'captured-at': new Date(startMs).toISOString(),
      frames: String(frames),
      'schema-version': '1',
    },
  };
}
