import type { OutboxRecord, PendingRecord, RecordKind } from '../common/delivery.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { ThreadClient } from '../common/thread-client.ts';
import { Bounds } from './bounds.ts';
import { Committer } from './committer.ts';
import { CorruptCount, Refusals } from './counts.ts';
import { DeadLetterDesk, type LetterChoice, type RetryResult } from './dead-letter-desk.ts';
import { LaneTable } from './lanes.ts';
import { type OutboxLimits, type OutboxOptions, type OutboxSink, withDefaults } from './options.ts';
import type {
  DeadLetter,
  DiskTrouble,
  JournalCalls,
  JournalState,
  JournalThread,
  NewDeadLetter,
  WholeDeadLetter,
} from './protocol.ts';
import type { ReadLimits } from './sink-reader.ts';
import { Sinks, unknownSink } from './sinks.ts';
import { type OutboxStats, type SinkCounts, sumLanes } from './stats.ts';
import { TailCache } from './tail-cache.ts';

const SWEEP_INTERVAL_MS = 5_000;
/** Shedding goes on until this share of `maxBytes` is reached. */
const SHED_TO = 0.95;

/** What became of a record that was read. */
export type Fate =
  | { readonly status: 'delivered' | 'filtered'; readonly record: PendingRecord }
  | {
      readonly status: 'dead-lettered';
      readonly record: PendingRecord;
      readonly error: Error;
      readonly attempts: number;
    };

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
  readonly #bounds: Bounds;
  readonly #sinks: Sinks;
  readonly #desk: DeadLetterDesk;
  readonly #listeners = new Set<() => void>();
  readonly #refusals = new Refusals();
  readonly #corrupt = new CorruptCount();
  readonly #clock = wallClock();
  readonly #sweep: NodeJS.Timeout;
  readonly #openedInMs: number;
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
    const started = performance.now();
    try {
      const state = await journal.call('open', {
        dir: options.dir,
        ballastBytes: limits.ballastBytes,
        deadLetterBytes: limits.deadLetterBytes,
        deadLetterAgeMs: limits.deadLetterAgeMs,
      });
      const outbox = new Outbox(options, limits, { journal, state, started });
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
    { journal, state, started }: Opened,
  ) {
    this.#limits = limits;
    this.#logger = options.logger;
    this.#journal = journal;
    this.#lanes = new LaneTable(options.sinks, state.lanes, state.lastSeq);
    const cache = new TailCache(limits.cacheBytes, state.lastSeq + 1);
    this.#committer = new Committer({
      journal,
      lanes: this.#lanes,
      cache,
      limits,
      state,
      nowMs: this.#clock,
      onCommit: ({ hasNewRecords }) => this.#afterCommit(hasNewRecords),
      onTrouble: (trouble) => this.#takeTrouble(trouble),
      onFailure: (error) => this.#report(error),
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
    this.#bounds = new Bounds(
      journal,
      () => this.#lanes.all,
      (lane) => !lane.orphaned && this.#sinks.isRequired(lane.sinkId),
    );
    this.#sweep = setInterval(() => void this.#enforce(true), SWEEP_INTERVAL_MS);
    this.#sweep.unref();
    this.#openedInMs = performance.now() - started;
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
    const { kind } = record;
    if (this.#committer.failure !== undefined) return this.#refusals.count(kind, 'failed');
    const queued = this.#committer.queuedBytes + record.payload.byteLength;
    if (queued > this.#limits.maxQueueBytes) return this.#refusals.count(kind, 'queue-full');
    const lanes = this.#lanes.takers(record);
    if (lanes.length === 0) {
      this.#unrouted++;
      return true;
    }
    this.#committer.add(record, this.#lanes.routeOf(record, lanes));
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
  async read(sinkId: string, limits: ReadLimits): Promise<PendingRecord[]> {
    return this.#sinks.reader(sinkId).read(limits);
  }

  /** Settles records that were read, in any order and number; one that was shed meanwhile stays shed. */
  ack(sinkId: string, fates: readonly Fate[]): void {
    const lanes = this.#lanes.ofSink(sinkId);
    if (lanes === undefined) throw unknownSink(sinkId);
    const letters: NewDeadLetter[] = [];
    for (const [kind, lane] of lanes) {
      const settled = { delivered: [] as number[], filtered: [] as number[] };
      for (const fate of fates) {
        const { record, status } = fate;
        if (record.kind !== kind) continue;
        if (status !== 'dead-lettered') settled[status].push(record.seq);
        else {
          const letter = toDeadLetter(sinkId, fate, this.#clock());
          if (lane.settleDead(record.seq, letter.code)) letters.push(letter);
        }
      }
      lane.settle(settled.delivered, 'delivered');
      lane.settle(settled.filtered, 'filtered');
    }
    this.#committer.state.addDeadLetters(letters);
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
    return sumLanes(sinkId, this.#sinks.isRequired(sinkId), lanes, this.#clock());
  }

  stats(): OutboxStats {
    return {
      state: this.#state(),
      ...this.#committer.figures(),
      refused: this.#refusals.byReason(),
      refusedByKind: this.#refusals.byKind(),
      unrouted: this.#unrouted,
      corruptRecords: this.#corrupt.records,
      recoverySeconds: this.#openedInMs / 1000,
      lastError: this.#lastError,
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

  #state(): OutboxStats['state'] {
    if (this.#closing !== undefined) return 'closed';
    if (this.#committer.failure !== undefined) return 'failed';
    return this.#committer.trouble === undefined ? 'ok' : 'storage-full';
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
      this.#committer.state.dropLanes(this.#lanes.removeOrphans());
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

  #takeTrouble(trouble: DiskTrouble | undefined): void {
    if (trouble === undefined) this.#logger?.info('outbox.resumed');
    else {
      this.#report(
        new SightlineError(
          'SL_OUTBOX_DISK_FULL',
          `Cannot store new records: ${trouble.message}. What was accepted before is kept; make room, storing resumes by itself`,
        ),
      );
    }
  }

  #report(error: SightlineError): void {
    const at = new Date().toISOString();
    this.#lastError = { code: error.code, message: error.message, at };
    this.#logger?.error({ code: error.code, reason: error.message }, 'outbox.trouble');
  }
}

interface Opened {
  readonly journal: JournalThread;
  readonly state: JournalState;
  /** Monotonic, when opening began. */
  readonly started: number;
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
