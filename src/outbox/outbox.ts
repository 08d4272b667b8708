import type { OutboxRecord, PendingRecord, RecordKind } from '../common/delivery.ts';
import { SightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { ThreadClient } from '../common/thread-client.ts';
import { Bounds } from './bounds.ts';
import { Committer } from './committer.ts';
import { Complaints } from './complaints.ts';
import { CorruptCount, Refusals } from './counts.ts';
import { DeadLetterDesk, type LetterChoice, type RetryResult } from './dead-letter-desk.ts';
import { type Fate, settle } from './fates.ts';
import { Keeper } from './keeper.ts';
import { LaneTable } from './lanes.ts';
import { type OutboxLimits, type OutboxOptions, type OutboxSink, withDefaults } from './options.ts';
import { OutboxClock } from './outbox-clock.ts';
import { isRefused } from './pressure.ts';
import type {
  DeadLetter,
  JournalCalls,
  JournalState,
  JournalThread,
  WholeDeadLetter,
} from './protocol.ts';
import type { ReadLimits } from './sink-reader.ts';
import { Sinks, unknownSink } from './sinks.ts';
import { type OutboxStats, type SinkCounts, sumLanes } from './stats.ts';
import { TailCache } from './tail-cache.ts';

/**
 * Dead letters that may wait in memory for a disk that takes nothing; beyond, nothing is handed out until it does. The
 * records are safe where they are.
 */
const MAX_LETTER_BYTES = 32 * 1024 * 1024;

/**
 * A durable queue with one cursor per sink. A record accepted and flushed survives kill -9 and is handed to every sink
 * that takes its kind until that sink acknowledges it: at least once, the copies with the same `recordId`. Per sink, at
 * all times, accepted = delivered + filtered + dead-lettered + shed + pending.
 */
export class Outbox implements AsyncDisposable {
  readonly #limits: Required<OutboxLimits>;
  readonly #logger: Logger | undefined;
  readonly #journal: JournalThread;
  readonly #lanes: LaneTable;
  readonly #committer: Committer;
  readonly #keeper: Keeper;
  readonly #sinks: Sinks;
  readonly #desk: DeadLetterDesk;
  readonly #listeners = new Set<() => void>();
  readonly #refusals = new Refusals();
  readonly #complaints: Complaints;
  readonly #corrupt = new CorruptCount();
  readonly #clock: OutboxClock;
  readonly #openedInMs: number;
  #unrouted = 0;
  #isHeldUp = false;
  #closing: Promise<void> | undefined;

  /**
   * Opens or makes the outbox in `dir`, alone in it until `close`. Sinks that are new start with what is appended from
   * now on; the backlog of sinks no longer listed is kept within the bounds until they return or `forget` is called.
   * @throws SightlineError `SL_DATA_DIR_LOCKED`, `SL_OUTBOX_FORMAT`, `SL_OUTBOX_CORRUPT`, `SL_OUTBOX_DISK_FULL`,
   *   `SL_OUTBOX_KEY`
   */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const limits = withDefaults(options.limits);
    const journal: JournalThread = new ThreadClient<JournalCalls>({
      entry: new URL('./journal-thread.ts', import.meta.url),
      what: 'The journal thread of the outbox',
    });
    const started = performance.now();
    try {
      const state = await journal.call('open', {
        dir: options.dir,
        ballastBytes: limits.ballastBytes,
        deadLetterBytes: limits.deadLetterBytes,
        deadLetterAgeMs: limits.deadLetterAgeMs,
        encryption: options.encryption,
      });
      const outbox = new Outbox(options, limits, { journal, state, started });
      await outbox.#committer.commitState();
      void outbox.#keeper.sweep();
      return outbox;
    } catch (error) {
      await journal.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(
    options: OutboxOptions,
    limits: Required<OutboxLimits>,
    { journal, state, started }: Opened,
  ) {
    this.#limits = limits;
    this.#logger = options.logger;
    this.#complaints = new Complaints(options.logger);
    this.#journal = journal;
    this.#clock = new OutboxClock(state.clockMs, options.wallMs ?? Date.now());
    this.#lanes = new LaneTable(options.sinks, state.lanes, state.lastSeq);
    const cache = new TailCache(limits.cacheBytes, state.lastSeq + 1);
    this.#committer = new Committer({
      journal,
      lanes: this.#lanes,
      cache,
      limits,
      state,
      nowMs: () => this.#clock.now(),
      onCommit: ({ hasNewRecords }) => this.#afterCommit(hasNewRecords),
      onTrouble: (trouble) => this.#complaints.disk(trouble),
      onFailure: (error) => this.#complaints.report(error),
    });
    this.#committer.state.dropLanes(this.#lanes.removeOrphans());
    this.#sinks = new Sinks(options.sinks, {
      lanes: this.#lanes,
      committer: this.#committer,
      cache,
      journal,
      onCorrupt: (firstSeq, count) => this.#corrupt.add(firstSeq, count),
    });
    this.#desk = new DeadLetterDesk(journal, this.#committer, this.#lanes);
    const bounds = new Bounds({
      journal,
      lanes: () => this.#lanes.all,
      isRequired: (lane) => !lane.orphaned && this.#sinks.isRequired(lane.sinkId),
    });
    this.#keeper = new Keeper({
      ...{ dir: options.dir, limits, journal, bounds },
      lanes: this.#lanes,
      committer: this.#committer,
      clock: this.#clock,
      report: (error) => this.#complaints.report(error),
    });
    this.#openedInMs = performance.now() - started;
  }

  /**
   * Takes a record for every sink that takes its kind and that it is for; copies it. False when it was refused (a bound
   * has no room, the queue in memory is full, or the journal has failed), which `stats().refused` counts. A record that
   * the disk cannot take afterwards is counted as shed.
   * @throws SightlineError `SL_CLOSED`
   */
  append(record: OutboxRecord): boolean {
    if (this.#closing !== undefined) {
      throw new SightlineError(
        'SL_CLOSED',
        `Cannot append ${record.recordId}: the outbox is closed`,
      );
    }
    const { kind } = record;
    if (this.#committer.failure !== undefined) return this.#refusals.count(kind, 'failed');
    if (isRefused(this.#keeper.pressure, kind)) return this.#refusals.count(kind, 'pressure');
    const queued = this.#committer.queuedBytes + record.payload.byteLength;
    if (queued > this.#limits.maxQueueBytes) return this.#refusals.count(kind, 'queue-full');
    const lanes = this.#lanes.takers(record);
    if (lanes.length === 0) {
      this.#unrouted++;
      return true;
    }
    this.#committer.add(record, this.#lanes.routeOf(record, lanes));
    const now = this.#clock.now();
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
  async read(sinkId: string, limits: ReadLimits): Promise<PendingRecord[]> {
    const reader = this.#sinks.reader(sinkId);
    if (this.#committer.state.letterBytes <= MAX_LETTER_BYTES) return reader.read(limits);
    this.#isHeldUp = true;
    return [];
  }

  /** Settles records that were read, in any order and number; one that was shed meanwhile stays shed. */
  ack(sinkId: string, fates: readonly Fate[]): void {
    const lanes = this.#lanes.ofSink(sinkId);
    if (lanes === undefined) throw unknownSink(sinkId);
    this.#committer.state.addDeadLetters(settle(sinkId, lanes, fates));
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

  /**
   * Serves one more sink from now on. One that was removed, or that an earlier configuration had, goes on with what it
   * left; one that is new starts with what is appended after the call.
   * @throws SightlineError `SL_CONFLICT` when there is a sink with the id
   */
  addSink(sink: OutboxSink): Promise<void> {
    return this.#sinks.add(sink);
  }

  /**
   * Accepts nothing more for the sink. What waits for it is kept within the bounds, first of all to be shed after
   * pictures, until it comes back or `forget` is called. Close its `Delivery` before.
   * @throws SightlineError `SL_NOT_FOUND`
   */
  removeSink(sinkId: string): Promise<void> {
    return this.#sinks.remove(sinkId);
  }

  /**
   * Goes on with a sink that was changed (what it takes, whether it is required): what has no fate yet is handed out
   * again, what is appended meanwhile is for it, too. Close its `Delivery` before.
   * @throws SightlineError `SL_NOT_FOUND`
   */
  replaceSink(sink: OutboxSink): Promise<void> {
    return this.#sinks.replace(sink);
  }

  /**
   * Gives up the backlog of a sink that is no longer configured.
   * @throws SightlineError `SL_NOT_FOUND`
   */
  forget(sinkId: string): Promise<void> {
    return this.#sinks.forget(sinkId);
  }

  /** Dead letters without their payload, newest first. Default limit 100; `beforeId`: only those with a smaller id. */
  deadLetters(
    query: { readonly sinkId?: string; readonly beforeId?: number; readonly limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    return this.#desk.list(query);
  }

  /**
   * One dead letter with its payload.
   * @throws SightlineError `SL_NOT_FOUND`
   */
  deadLetter(id: number): Promise<WholeDeadLetter> {
    return this.#desk.get(id);
  }

  /**
   * Appends the records of dead letters anew, each for its sink alone, and ends the letters, in one step: a crash leaves
   * either. The record keeps its id and comes after what its stream appended meanwhile; the sink counts one more
   * accepted.
   * @throws SightlineError `SL_OUTBOX_DISK_FULL` when they could not be stored: they stay dead letters
   */
  retryDeadLetters(choice: LetterChoice): Promise<RetryResult> {
    return this.#desk.retry(choice);
  }

  /** Deletes dead letters for good. Resolves with how many there were. */
  purgeDeadLetters(choice: LetterChoice): Promise<number> {
    return this.#desk.purge(choice);
  }

  /** Counters of one sink, also of one that is gone and left a backlog. */
  countsOf(sinkId: string): SinkCounts {
    const lanes = this.#lanes.all.filter((lane) => lane.sinkId === sinkId);
    return sumLanes(sinkId, this.#sinks.isRequired(sinkId), lanes, this.#clock.now());
  }

  stats(): OutboxStats {
    return {
      state: this.#closing === undefined ? this.#committer.health : 'closed',
      pressure: this.#keeper.pressure,
      space: this.#keeper.space,
      ...this.#committer.figures(),
      refused: this.#refusals.byReason(),
      refusedByKind: this.#refusals.byKind(),
      unrouted: this.#unrouted,
      corruptRecords: this.#corrupt.records,
      recoverySeconds: this.#openedInMs / 1000,
      lastError: this.#complaints.last,
      sinks: [...this.#sinks.ids(), ...this.#lanes.orphans()].map((id) => this.countsOf(id)),
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
    this.#keeper.close();
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
    const goesOn = this.#isHeldUp && this.#committer.state.letterBytes <= MAX_LETTER_BYTES;
    if (goesOn) this.#isHeldUp = false;
    if (hasNewRecords || goesOn) for (const listener of this.#listeners) listener();
    this.#keeper.committed();
  }
}

interface Opened {
  readonly journal: JournalThread;
  readonly state: JournalState;
  /** Monotonic, when opening began. */
  readonly started: number;
}
