import type { OutboxRecord, PendingRecord, RecordKind } from '../common/delivery.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { ThreadClient } from '../common/thread-client.ts';
import { Bounds } from './bounds.ts';
import { Committer } from './committer.ts';
import { LaneTable } from './lanes.ts';
import { type OutboxLimits, type OutboxOptions, type OutboxSink, withDefaults } from './options.ts';
import type {
  DeadLetter,
  JournalCalls,
  JournalState,
  JournalThread,
  NewDeadLetter,
} from './protocol.ts';
import { isFor } from './route.ts';
import { type ReadLimits, SinkReader } from './sink-reader.ts';
import { type OutboxStats, type SinkCounts, sumLanes } from './stats.ts';
import { TailCache } from './tail-cache.ts';

const SWEEP_INTERVAL_MS = 5_000;
/** Shedding goes on until this share of `maxBytes` is reached. */
const SHED_TO = 0.95;

/** What became of a record that was read. */
export type Fate =
  | { readonly status: 'delivered'; readonly record: PendingRecord }
  | {
      readonly status: 'dead-lettered';
      readonly record: PendingRecord;
      readonly error: Error;
      readonly attempts: number;
    };

/**
 * A durable queue with one cursor per sink. A record accepted and flushed survives kill -9 and is handed to every sink
 * that takes its kind until that sink acknowledges it: at least once, the copies with the same `recordId`. Per sink, at
 * all times, accepted = delivered + dead-lettered + shed + pending.
 */
export class Outbox implements AsyncDisposable {
  readonly #limits: Required<OutboxLimits>;
  readonly #logger: Logger | undefined;
  readonly #journal: JournalThread;
  readonly #lanes: LaneTable;
  readonly #committer: Committer;
  readonly #bounds: Bounds;
  readonly #sinks: ReadonlyMap<string, OutboxSink>;
  readonly #readers = new Map<string, SinkReader>();
  readonly #listeners = new Set<() => void>();
  readonly #refused = { 'queue-full': 0, failed: 0 };
  readonly #clock = wallClock();
  readonly #sweep: NodeJS.Timeout;
  #unrouted = 0;
  #enforcing = false;
  #closing: Promise<void> | undefined;
  #lastError: OutboxStats['lastError'];

  /**
   * Opens or makes the outbox in `dir`, alone in it until `close`. Sinks that are new start with what is appended from
   * now on; the backlog of sinks no longer listed is kept within the bounds until they return or `forget` is called.
   * @throws SightlineError `SL_DATA_DIR_LOCKED`, `SL_OUTBOX_FORMAT`, `SL_OUTBOX_CORRUPT`, `SL_OUTBOX_DISK_FULL`
   */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const limits = withDefaults(options.limits);
    const journal: JournalThread = new ThreadClient<JournalCalls>({
      entry: new URL('./journal-thread.ts', import.meta.url),
      what: 'The journal thread of the outbox',
    });
    try {
      const state = await journal.call('open', {
        dir: options.dir,
        ballastBytes: limits.ballastBytes,
        deadLetterBytes: limits.deadLetterBytes,
        deadLetterAgeMs: limits.deadLetterAgeMs,
      });
      const outbox = new Outbox(options, limits, journal, state);
      await outbox.#committer.commitState();
      void outbox.#enforce(true);
      return outbox;
    } catch (error) {
      await journal.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(
    options: OutboxOptions,
    limits: Required<OutboxLimits>,
    journal: JournalThread,
    state: JournalState,
  ) {
    this.#limits = limits;
    this.#logger = options.logger;
    this.#journal = journal;
    this.#sinks = new Map(options.sinks.map((sink) => [sink.id, sink]));
    this.#lanes = new LaneTable(options.sinks, state.lanes, state.lastSeq);
    const cache = new TailCache(limits.cacheBytes, state.lastSeq + 1);
    this.#committer = new Committer({
      journal,
      lanes: this.#lanes,
      cache,
      limits,
      lastSeq: state.lastSeq,
      storedBytes: state.storedBytes,
      nowMs: this.#clock,
      onCommit: ({ hasNewRecords }) => this.#afterCommit(hasNewRecords),
      onTrouble: (trouble) => this.#report(trouble),
    });
    this.#committer.deadLettersDropped = state.deadLettersDropped;
    this.#committer.addDroppedLanes(this.#lanes.removeOrphans());
    for (const { id } of options.sinks) {
      const lanes = this.#lanes.ofSink(id)!;
      this.#readers.set(
        id,
        new SinkReader(lanes, cache, journal, () => this.#committer.durableSeq),
      );
    }
    this.#bounds = new Bounds(
      journal,
      () => this.#lanes.all,
      (lane) => !lane.orphaned && this.#isRequired(lane.sinkId),
    );
    this.#sweep = setInterval(() => void this.#enforce(true), SWEEP_INTERVAL_MS);
    this.#sweep.unref();
  }

  /**
   * Takes a record for every sink that takes its kind and that it is for; copies it. False when it was refused (the queue in memory is
   * full, or the journal has failed): the caller counts it, `stats().refused` does too. A record that the disk cannot
   * take afterwards is counted as shed (`disk-full`).
   * @throws SightlineError `SL_CLOSED`
   */
  append(record: OutboxRecord): boolean {
    if (this.#closing !== undefined) {
      throw new SightlineError(
        'SL_CLOSED',
        `Cannot append ${record.recordId}: the outbox is closed`,
      );
    }
    if (this.#committer.failure !== undefined) return this.#refuse('failed');
    const queued = this.#committer.queuedBytes + record.payload.byteLength;
    if (queued > this.#limits.maxQueueBytes) return this.#refuse('queue-full');
    const all = this.#lanes.active(record.kind);
    const lanes =
      record.sinks === undefined ? all : all.filter(({ sinkId }) => isFor(record, sinkId));
    if (lanes.length === 0) {
      this.#unrouted++;
      return true;
    }
    this.#committer.add(record);
    const now = this.#clock();
    for (const lane of lanes) lane.accept(now);
    return true;
  }

  /**
   * Resolves when everything appended so far is on the disk.
   * @throws SightlineError `SL_OUTBOX_DISK_FULL` when a part of it could not be stored
   */
  flushed(): Promise<void> {
    return this.#committer.flushed();
  }

  /**
   * The next records of a sink in order, from those that are durable and were not handed out since the start; empty
   * when there are none now (`onStored` tells when to ask again). One call at a time per sink.
   */
  read(sinkId: string, limits: ReadLimits): Promise<PendingRecord[]> {
    const reader = this.#readers.get(sinkId);
    if (reader === undefined) return Promise.reject(this.#unknown(sinkId));
    return reader.read(limits);
  }

  /** Settles records that were read, in any order and number; one that was shed meanwhile stays shed. */
  ack(sinkId: string, fates: readonly Fate[]): void {
    const lanes = this.#lanes.ofSink(sinkId);
    if (lanes === undefined) throw this.#unknown(sinkId);
    for (const [kind, lane] of lanes) {
      const delivered: number[] = [];
      const dead: Extract<Fate, { status: 'dead-lettered' }>[] = [];
      for (const fate of fates) {
        if (fate.record.kind !== kind) continue;
        if (fate.status === 'delivered') delivered.push(fate.record.seq);
        else if (lane.isOpen(fate.record.seq)) dead.push(fate);
      }
      lane.settle(delivered, 'delivered');
      lane.settle(
        dead.map((fate) => fate.record.seq),
        'dead-lettered',
      );
      this.#committer.addDeadLetters(dead.map((fate) => toDeadLetter(sinkId, fate, this.#clock())));
    }
    this.#committer.scheduleState();
  }

  /** Whether a record that was read still waits for its fate: false once it was shed. */
  isOpen(sinkId: string, record: { readonly kind: RecordKind; readonly seq: number }): boolean {
    return this.#lanes.ofSink(sinkId)?.get(record.kind)?.isOpen(record.seq) ?? false;
  }

  /** Calls `listener` whenever new records became durable. Returns how to stop it. */
  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Dead letters without their payload, newest first. Default limit 100. */
  async deadLetters(
    options: { readonly sinkId?: string; readonly limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    const { sinkId, limit = 100 } = options;
    await this.#committer.commitState();
    return this.#journal.call('deadLetters', { sinkId, limit });
  }

  /** Gives up the backlog of a sink that is no longer configured. */
  async forget(sinkId: string): Promise<void> {
    const removed = this.#lanes.removeOrphans(sinkId);
    if (removed.length === 0) throw this.#unknown(sinkId);
    this.#committer.addDroppedLanes(removed);
    await this.#committer.commitState();
  }

  /** Counters of one sink, also of one that is gone and left a backlog. */
  countsOf(sinkId: string): SinkCounts {
    const lanes = this.#lanes.all.filter((lane) => lane.sinkId === sinkId);
    return sumLanes(sinkId, this.#isRequired(sinkId), lanes, this.#clock());
  }

  stats(): OutboxStats {
    const { trouble, failure } = this.#committer;
    const running = trouble === undefined ? 'ok' : 'storage-full';
    const state = this.#closing === undefined ? running : 'closed';
    return {
      state: failure !== undefined && this.#closing === undefined ? 'failed' : state,
      bytes: this.#committer.storedBytes,
      queuedRecords: this.#committer.queuedRecords,
      queuedBytes: this.#committer.queuedBytes,
      appended: this.#committer.appended,
      refused: { ...this.#refused },
      unrouted: this.#unrouted,
      deadLettersDropped: this.#committer.deadLettersDropped,
      lastCommitMs: this.#committer.lastCommitMs,
      lastError: this.#lastError,
      sinks: [...this.#sinks.keys(), ...this.#lanes.orphans()].map((id) => this.countsOf(id)),
    };
  }

  /** Stores what was appended and acknowledged, then closes the files. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweep);
    await this.#committer.flushed().catch((error) => {
      this.#logger?.error({ err: error }, 'outbox.close.unstored');
    });
    await this.#committer.commitState();
    this.#committer.stopTimers();
    this.#listeners.clear();
    await this.#journal.close().catch((error) => {
      this.#logger?.error({ err: error }, 'outbox.close.failed');
    });
  }

  #afterCommit(hasNewRecords: boolean): void {
    if (hasNewRecords) for (const listener of this.#listeners) listener();
    if (this.#committer.storedBytes > this.#limits.maxBytes) void this.#enforce(false);
  }

  /** Brings the outbox back within its bounds, one run at a time. */
  async #enforce(withAge: boolean): Promise<void> {
    if (this.#enforcing || this.#closing !== undefined) return;
    this.#enforcing = true;
    try {
      const before = this.#clock() - this.#limits.maxAgeMs;
      if (withAge && (await this.#bounds.shedOlderThan(before)) > 0) {
        this.#report(
          new SightlineError('SL_OUTBOX_FULL', 'Records that waited too long were shed'),
        );
        await this.#committer.commitState();
      }
      if (this.#committer.storedBytes > this.#limits.maxBytes) await this.#shedToFit();
      this.#committer.addDroppedLanes(this.#lanes.removeOrphans());
    } catch (error) {
      this.#report(toSightlineError(error));
    } finally {
      this.#enforcing = false;
    }
  }

  async #shedToFit(): Promise<void> {
    const { maxBytes } = this.#limits;
    this.#report(
      new SightlineError(
        'SL_OUTBOX_FULL',
        `The outbox holds more than its ${maxBytes} bytes: the oldest records are shed`,
      ),
    );
    for (;;) {
      const excess = this.#committer.storedBytes - SHED_TO * maxBytes;
      if (excess <= 0 || (await this.#bounds.shedBytes(excess)) === 0) return;
      await this.#committer.commitState();
    }
  }

  #report(error: SightlineError | undefined): void {
    if (error === undefined) {
      this.#logger?.info('outbox.resumed');
      return;
    }
    const at = new Date().toISOString();
    this.#lastError = { code: error.code, message: error.message, at };
    this.#logger?.error({ code: error.code, reason: error.message }, 'outbox.trouble');
  }

  #refuse(reason: 'queue-full' | 'failed'): false {
    this.#refused[reason]++;
    return false;
  }

  #isRequired(sinkId: string): boolean {
    return this.#sinks.get(sinkId)?.required ?? this.#sinks.has(sinkId);
  }

  #unknown(sinkId: string): SightlineError {
    return new SightlineError('SL_NOT_FOUND', `The outbox knows no sink ${sinkId}`);
  }
}

/** Wall time that a jump of the clock cannot move: set once, then driven by the monotonic clock. */
function wallClock(): () => number {
  const offset = Date.now() - performance.now();
  return () => offset + performance.now();
}

function toDeadLetter(
  sinkId: string,
  fate: Extract<Fate, { status: 'dead-lettered' }>,
  nowMs: number,
): NewDeadLetter {
  const { record, error, attempts } = fate;
  const { code, message } = toSightlineError(error);
  const { seq, kind, streamId, recordId, atMs } = record;
  const payload = Uint8Array.from(record.payload);
  return {
    ...{ sinkId, seq, kind, streamId, recordId, atMs, attempts, code, payload },
    deadMs: Math.round(nowMs),
    reason: message,
  };
}
