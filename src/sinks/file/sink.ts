import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { unpackError } from '../../common/thread-calls.ts';
import { ThreadClient } from '../../common/thread-client.ts';
import { type FileCalls, type FileThreadOptions, packBatch, type WriteReply } from './protocol.ts';
import type { FileSinkSpec } from './spec.ts';

const ACCEPTED: DeliveryResult = { status: 'accepted' };

type FileThread = ThreadClient<FileCalls>;

export interface FileSinkOptions {
  /** Absolute folder. */
  readonly root: string;
  readonly logger?: Logger;
  /** Default: file-thread.ts in a worker thread. */
  readonly startThread?: (options: FileThreadOptions) => FileThread;
}

/**
 * Writes below `dir`, see FileWriter for the names. A thread of its own does the work, so that neither the encoding nor
 * the disk holds up the process; it is started with the first batch, and anew when it has died.
 */
export class FileSink implements Sink {
  readonly id: string;
  readonly type = 'file';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #logger: Logger | undefined;
  readonly #start: () => FileThread;
  readonly #makesParquet: boolean;
  #thread: FileThread | undefined;
  #lastBatchId = 0;

  constructor(spec: FileSinkSpec, options: FileSinkOptions) {
    const { formats, maxFileBytes, maxFileAgeMs, maxWaitMs } = spec;
    const { root, logger, startThread = startFileThread } = options;
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.limits = { maxRecords: 4000, maxBytes: 8 * 1024 * 1024, maxWaitMs };
    this.#logger = logger;
    this.#makesParquet = formats.includes('parquet');
    this.#start = () => startThread({ root, formats, maxFileBytes, maxFileAgeMs });
  }

  /** What a former run staged for Parquet files is made into them without waiting for a record. */
  start(): void {
    if (this.#makesParquet) this.#thread ??= this.#start();
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    signal.throwIfAborted();
    if (this.#thread?.failed) this.#thread = undefined;
    this.#thread ??= this.#start();
    const thread = this.#thread;
    const batchId = ++this.#lastBatchId;
    const packed = packBatch(batch);
    const onAbort = (): void => void thread.call('abort', { batchId }).catch(() => undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const args = { batchId, batch: packed };
      const reply = await thread.call('write', args, [packed.payloads.buffer as ArrayBuffer]);
      return this.#resultsOf(batch, reply);
    } catch (error) {
      throw thread.failed ? this.#threadDied(error) : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread !== undefined && !thread.failed) await thread.close();
  }

  #resultsOf(
    batch: readonly PendingRecord[],
    { failures, cut, notes }: WriteReply,
  ): DeliveryResult[] {
    for (const facts of notes) {
      this.#logger?.warn({ sink: this.id, ...facts }, 'sink.file.parquet');
    }
    for (const facts of cut) {
      this.#logger?.warn({ sink: this.id, ...facts }, 'sink.file.tornTailCut');
    }
    const results = batch.map(() => ACCEPTED);
    for (const { index, status, error } of failures) {
      results[index] = { status, error: unpackError(error) };
    }
    return results;
  }

  #threadDied(cause: unknown): SightlineError {
    const message = `The thread of sink ${this.id} died while it wrote; it is started anew with the next try`;
    return new SightlineError('SL_SINK_UNAVAILABLE', message, { cause });
  }
}

export function startFileThread(workerData: FileThreadOptions): FileThread {
  const entry = new URL('./thread.ts', import.meta.url);
  return new ThreadClient<FileCalls>({ entry, what: 'The thread of a file sink', workerData });
}
