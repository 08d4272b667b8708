import type { DeliveryResult, PendingRecord, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { packError } from '../../common/thread-calls.ts';
import { ThreadClient } from '../../common/thread-client.ts';
import type { EventLog } from '../event-log.ts';
import { type PackedBatch, packBatch } from './batch.ts';
import { BatchMemory } from './batch-memory.ts';
import type { LogEvent, SinkCalls, SinkThreadOptions } from './protocol.ts';
import { unpackResults } from './results.ts';

export type SinkThread = ThreadClient<SinkCalls>;

/** Before a thread that died without a record on its way is started anew. */
const RESTART_MS = 1_000;

/** A batch that the thread has already. */
interface Prepared {
  readonly thread: SinkThread;
  readonly batchId: number;
  readonly batch: readonly PendingRecord[];
}

export interface ThreadedSinkOptions extends SinkThreadOptions {
  readonly logger?: EventLog | undefined;
  /** Default: the sink of the spec in a worker thread. */
  readonly startThread?: (
    options: SinkThreadOptions,
    onEvent: (event: unknown) => void,
  ) => SinkThread;
}

/**
 * A sink in a thread of its own, so that neither its encoding nor its client library holds up the process, and what goes
 * wrong in them ends the thread alone. It is started with the first batch, or at once for a sink that does something
 * without records, and anew when it has died.
 */
export class ThreadedSink implements Sink {
  readonly id: string;
  readonly type: string;
  readonly kinds: Sink['kinds'];
  readonly limits: Sink['limits'];
  readonly copies = true;
  readonly start?: () => void;
  readonly #memory = new BatchMemory();
  readonly #options: ThreadedSinkOptions;
  #thread: SinkThread | undefined;
  #lastBatchId = 0;
  #prepared: Prepared | undefined;
  #isStarted = false;
  #isClosed = false;
  #restart: NodeJS.Timeout | undefined;

  /** @param facts the same sink as it was made to see whether its spec is good; it is not used */
  constructor(facts: Sink, options: ThreadedSinkOptions) {
    this.id = facts.id;
    this.type = facts.type;
    this.kinds = facts.kinds;
    this.limits = facts.limits;
    this.#options = options;
    if (facts.start !== undefined) {
      this.start = () => {
        this.#isStarted = true;
        this.#running();
      };
    }
  }

  /** Hands the batch over, where the thread runs. */
  prepare(batch: readonly PendingRecord[]): void {
    const thread = this.#thread;
    if (thread === undefined || thread.failed) return;
    const batchId = ++this.#lastBatchId;
    const packed = packBatch(batch, this.#memory);
    this.#prepared = { thread, batchId, batch };
    const args = { batchId, batch: packed };
    thread.call('prepare', args, buffersOf(packed)).catch(() => undefined);
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    signal.throwIfAborted();
    const thread = this.#running();
    const prepared = this.#takePrepared(thread, batch);
    const batchId = prepared?.batchId ?? ++this.#lastBatchId;
    const packed = prepared === undefined ? packBatch(batch, this.#memory) : undefined;
    const onAbort = (): void => {
      const reason = packError(signal.reason);
      thread.call('abort', { batchId, reason }).catch(() => undefined);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const args = { batchId, batch: packed };
      const { results, memory } = await thread.call('deliver', args, buffersOf(packed));
      if (memory !== undefined) this.#memory.put(memory);
      return unpackResults(results);
    } catch (error) {
      throw thread.failed ? this.#threadDied(error) : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread !== undefined && !thread.failed) await thread.close();
  }

  #takePrepared(thread: SinkThread, batch: readonly PendingRecord[]): Prepared | undefined {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared?.thread !== thread || prepared.batch.length !== batch.length) return undefined;
    return prepared.batch.every((record, at) => record === batch[at]) ? prepared : undefined;
  }

  #running(): SinkThread {
    if (this.#thread?.failed === false) return this.#thread;
    const { startThread = startSinkThread, spec, baseDir } = this.#options;
    const thread = startThread({ spec, baseDir }, (event) => this.#log(event as LogEvent));
    this.#thread = thread;
    if (this.#isStarted) {
      thread.call('start', undefined).catch(() => undefined);
      void thread.ended.then(() => this.#startAgain(thread));
    }
    return thread;
  }

  /** A sink that does something without records is not left dead until one comes. */
  #startAgain(thread: SinkThread): void {
    if (this.#isClosed || this.#thread !== thread) return;
    this.#options.logger?.error({ sink: this.id }, 'sink.threadDied');
    this.#restart = setTimeout(() => this.#running(), RESTART_MS);
    this.#restart.unref();
  }

  #log({ level, facts, event }: LogEvent): void {
    this.#options.logger?.[level](facts, event);
  }

  #threadDied(cause: unknown): SightlineError {
    const message = `The thread of sink ${this.id} died while it delivered; it is started anew with the next try`;
    return new SightlineError('SL_SINK_UNAVAILABLE', message, { cause });
  }
}

function buffersOf(packed: PackedBatch | undefined): ArrayBuffer[] {
  return packed === undefined ? [] : [packed.bytes.buffer as ArrayBuffer];
}

export function startSinkThread(
  workerData: SinkThreadOptions,
  onEvent?: (event: unknown) => void,
): SinkThread {
  const entry = new URL('./thread.ts', import.meta.url);
  const what = `The thread of sink ${workerData.spec.id}`;
  return new ThreadClient<SinkCalls>({ entry, what, workerData, ...(onEvent && { onEvent }) });
}
