import { byKind, type OutboxRecord, RECORD_KINDS } from '../common/delivery.ts';
import type { SightlineError } from '../common/errors.ts';
import { lastSeqOf } from './chunk.ts';
import type { CommitterOptions } from './committer-options.ts';
import { Gather } from './gather.ts';
import { Ledger } from './ledger.ts';
import type { CommitReply, CommitRequest, DiskTrouble, NewChunk } from './protocol.ts';
import { buffersOf, bytesOf, StateQueue } from './requests.ts';
import { type Revival, Revivals } from './revivals.ts';
import type { Route } from './route.ts';

const MAX_IN_FLIGHT = 2;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;
const MIN_GROUP_BYTES = 64 * 1024;
/** Gathered bytes that are not worth waiting longer with: of the journal, and with those of the spool. */
const POST_BYTES = 256 * 1024;
const POST_WHOLE_BYTES = 2 * 1024 * 1024;
const STATE_INTERVAL_MS = 200;
const PROBE_INTERVAL_MS = 1_000;

/** Group commit: gathers records and state, keeps up to two groups with the journal thread, deals with its answers. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #gather: Gather;
  readonly #groupBytes: number;
  readonly #ledger: Ledger;
  readonly #revivals: Revivals;
  readonly state = new StateQueue();
  #nextSeq: number;
  #inFlight = 0;
  #inFlightBytes = 0;
  #isDue = false;
  #timer: NodeJS.Timeout | undefined;
  #stateTimer: NodeJS.Timeout | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #trouble: DiskTrouble | undefined;
  #failure: SightlineError | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
    const { limits, state } = options;
    this.#ledger = new Ledger(state, options.lanes, options.cache);
    this.#gather = new Gather(limits.inlineBytes, options.cache.spares);
    this.#revivals = new Revivals(limits.inlineBytes);
    const share = limits.ballastBytes === 0 ? MAX_GROUP_BYTES : limits.ballastBytes / 4;
    this.#groupBytes = Math.max(MIN_GROUP_BYTES, Math.min(MAX_GROUP_BYTES, share));
    this.#nextSeq = state.lastSeq + 1;
  }

  get durableSeq(): number {
    return this.#ledger.durableSeq;
  }

  /** Nothing that is numbered from now on has a smaller or the same number. */
  get lastSeq(): number {
    return this.#nextSeq - 1;
  }

  get storedBytes(): number {
    return this.#ledger.storedBytes;
  }

  get trouble(): DiskTrouble | undefined {
    return this.#trouble;
  }

  /** Set once the journal thread is gone; nothing can be stored after that. */
  get failure(): SightlineError | undefined {
    return this.#failure;
  }

  get queuedBytes(): number {
    return this.#gather.bytes + this.#inFlightBytes;
  }

  figures() {
    return { ...this.#ledger.figures(), queuedBytes: this.queuedBytes };
  }

  get health(): 'ok' | 'storage-full' | 'storage-failed' | 'failed' {
    if (this.#failure !== undefined) return 'failed';
    if (this.#trouble === undefined) return 'ok';
    const { reason } = this.#trouble;
    return reason === 'disk-full' || reason === 'no-inodes' ? 'storage-full' : 'storage-failed';
  }

  add(record: OutboxRecord, route: Route): void {
    this.#gather.add(record, route);
    this.#ledger.flushes.appended++;
    if (this.#isWorthIt) this.#postDue();
    else if (this.#options.limits.commitIntervalMs === 0) queueMicrotask(() => this.#postDue());
    else this.#timer ??= setTimeout(() => this.#postDue(), this.#options.limits.commitIntervalMs);
  }

  /** What is gathered and not numbered yet is for the sinks that take its kind now, and for no later one. */
  closeRoutes(): void {
    for (const kind of RECORD_KINDS)
      this.#gather.nameSinks(kind, this.#options.lanes.sinksOf(kind));
  }

  /** Persists changed lanes soon, with the next records or alone. */
  scheduleState(): void {
    this.state.isDue = true;
    this.#stateTimer ??= setTimeout(() => this.#postDue(), STATE_INTERVAL_MS);
  }

  /** Resolves when changed lanes, as they are now, were handed to the disk (or could not be). */
  commitState(): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve();
    const done = this.state.wait();
    this.#postDue();
    return done;
  }

  /**
   * Stores records, for lanes that count them once they are numbered, in one step with the end of their dead letters.
   * False when one of the letters is gone, the disk did not take it or `isWanted` says no in the last moment: then
   * nothing has changed.
   */
  revive(
    letters: readonly number[],
    records: readonly OutboxRecord[],
    isWanted: () => boolean,
  ): Promise<boolean> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const stored = this.#revivals.add(letters, records, isWanted);
    this.#postDue();
    return stored;
  }

  /**
   * Resolves when everything appended so far is on the disk.
   * @throws SightlineError `SL_OUTBOX_DISK_FULL` when a part could not be stored (it is counted as shed)
   */
  flushed(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ledger.flushes.queued === 0) return Promise.resolve();
    const done = this.#ledger.flushes.wait();
    this.#postDue();
    return done;
  }

  stopTimers(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#stateTimer);
    clearTimeout(this.#probeTimer);
  }

  get #isWorthIt(): boolean {
    const { bytes, spooledBytes } = this.#gather;
    return bytes - spooledBytes >= POST_BYTES || bytes >= POST_WHOLE_BYTES;
  }

  #postDue(): void {
    this.#isDue = true;
    while (this.#isDue && this.#inFlight < MAX_IN_FLIGHT && this.#failure === undefined) {
      this.#isDue = false;
      if (this.#revivals.areWaiting) {
        // Alone in flight, so that no other request carries counters that its failure would take back.
        this.#isDue = true;
        if (this.#inFlight > 0) return;
        const revival = this.#revivals.next();
        if (revival !== undefined) this.#postRevival(revival);
        continue;
      }
      if (this.#gather.records === 0 && !this.state.isDue) return;
      this.#post(this.#gather, [], this.#groupBytes);
      if (this.#gather.records > 0) this.#isDue = true;
    }
  }

  #postRevival({ letters, records, resolve }: Revival): void {
    this.#inFlight++;
    void this.#post(records, letters, Number.POSITIVE_INFINITY).then((stored) => {
      this.#inFlight--;
      resolve(stored);
      this.#postDue();
    });
  }

  /** Sends a request to the journal thread and deals with its answer. Whether the chunks were stored. */
  async #post(gather: Gather, retried: readonly number[], maxBytes: number): Promise<boolean> {
    const { lanes, journal } = this.#options;
    const nowMs = Math.round(this.#options.nowMs());
    const chunks = gather.take(this.#nextSeq, nowMs, maxBytes);
    const last = chunks.at(-1);
    if (last !== undefined) this.#nextSeq = lastSeqOf(last) + 1;
    if (retried.length > 0) {
      for (const chunk of chunks) {
        for (const lane of lanes.waitingFor(chunk)) lane.accept(nowMs, chunk.count);
      }
    }
    clearTimeout(this.#timer);
    clearTimeout(this.#stateTimer);
    this.#timer = undefined;
    this.#stateTimer = undefined;
    const durable = this.#ledger.durableSeq;
    const { waiters, ...state } = this.state.take(lanes.all);
    const request: CommitRequest = {
      chunks,
      ...state,
      retried,
      free: byKind((kind) => lanes.free(kind, durable)),
      cursors: lanes.all.map(({ sinkId, kind, cursor }) => ({ sinkId, kind, cursor })),
      nowMs,
    };
    const bytes = bytesOf(chunks);
    this.#inFlight++;
    this.#inFlightBytes += bytes;
    try {
      const reply = await journal.call('commit', request, buffersOf(chunks));
      this.#take(request, reply);
      return reply.stored;
    } catch (error) {
      this.#fail(request, error as SightlineError);
      return false;
    } finally {
      this.#inFlight--;
      this.#inFlightBytes -= bytes;
      for (const resolve of waiters) resolve();
      if (this.#isDue || this.#ledger.flushes.isAwaited) this.#postDue();
    }
  }

  #take(request: CommitRequest, reply: CommitReply): void {
    if (!reply.stateSaved) this.state.putBack(request, this.#options.lanes.all);
    this.#ledger.take(request, reply);
    this.#setTrouble(reply.trouble);
    if (reply.moreToCollect) this.scheduleState();
    this.#options.onCommit({ hasNewRecords: reply.stored && request.chunks.length > 0 });
  }

  #setTrouble(trouble: DiskTrouble | undefined): void {
    if (trouble !== undefined) {
      this.#probeTimer ??= setTimeout(() => {
        this.#probeTimer = undefined;
        void this.commitState();
      }, PROBE_INTERVAL_MS);
    }
    const isNews = trouble?.reason !== this.#trouble?.reason;
    this.#trouble = trouble;
    if (isNews) this.#options.onTrouble(trouble);
  }

  #fail(request: CommitRequest, error: SightlineError): void {
    const isFirst = this.#failure === undefined;
    this.#failure ??= error;
    this.#ledger.giveUp(request, 'disk-error');
    const rest: NewChunk[] = this.#gather.take(this.#nextSeq, 0, Number.POSITIVE_INFINITY);
    const last = rest.at(-1);
    if (last !== undefined) this.#nextSeq = lastSeqOf(last) + 1;
    this.#ledger.giveUp({ ...request, chunks: rest, retried: [] }, 'disk-error');
    this.stopTimers();
    this.#ledger.flushes.failAll(error);
    this.state.giveUp();
    this.#revivals.giveUp();
    if (isFirst) this.#options.onFailure(error);
  }
}
