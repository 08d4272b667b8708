import type { OutboxRecord } from '../common/delivery.ts';
import { SightlineError } from '../common/errors.ts';
import { lastSeqOf } from './chunk.ts';
import { Gather } from './gather.ts';
import type { LaneTable } from './lanes.ts';
import type { OutboxLimits } from './options.ts';
import type {
  CommitReply,
  CommitRequest,
  DiskTrouble,
  JournalThread,
  NewChunk,
  NewDeadLetter,
  ShedReason,
} from './protocol.ts';
import { isFor } from './route.ts';
import type { TailCache } from './tail-cache.ts';

const MAX_IN_FLIGHT = 2;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;
const MIN_GROUP_BYTES = 64 * 1024;
/** Gathered bytes that are not worth waiting longer with. */
const POST_BYTES = 256 * 1024;
const STATE_INTERVAL_MS = 200;
const PROBE_INTERVAL_MS = 1_000;

type DroppedLane = CommitRequest['dropLanes'][number];

interface FlushWaiter {
  readonly target: number;
  readonly unstoredBefore: number;
  resolve(): void;
  reject(error: Error): void;
}

export interface CommitterOptions {
  readonly journal: JournalThread;
  readonly lanes: LaneTable;
  readonly cache: TailCache;
  readonly limits: Required<OutboxLimits>;
  readonly lastSeq: number;
  readonly storedBytes: number;
  readonly nowMs: () => number;
  /** After each commit, with what changed. */
  readonly onCommit: (event: { readonly hasNewRecords: boolean }) => void;
  readonly onTrouble: (trouble: SightlineError | undefined) => void;
}

/** Group commit: gathers records and state, keeps up to two groups with the journal thread, deals with its answers. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #gather: Gather;
  readonly #groupBytes: number;
  #nextSeq: number;
  #durableSeq: number;
  #storedBytes: number;
  #appended = 0;
  #processed = 0;
  #unstored = 0;
  #inFlight = 0;
  #inFlightBytes = 0;
  #isDue = false;
  #hasState = false;
  #timer: NodeJS.Timeout | undefined;
  #stateTimer: NodeJS.Timeout | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #deadLetters: NewDeadLetter[] = [];
  #dropLanes: DroppedLane[] = [];
  #waiters: FlushWaiter[] = [];
  #stateWaiters: (() => void)[] = [];
  #trouble: SightlineError | undefined;
  #failure: SightlineError | undefined;
  deadLettersDropped = 0;
  /** Duration of the last commit in the journal thread. */
  lastCommitMs = 0;

  constructor(options: CommitterOptions) {
    this.#options = options;
    const { limits, lastSeq, storedBytes } = options;
    this.#gather = new Gather(limits.inlineBytes);
    const share = limits.ballastBytes === 0 ? MAX_GROUP_BYTES : limits.ballastBytes / 4;
    this.#groupBytes = Math.max(MIN_GROUP_BYTES, Math.min(MAX_GROUP_BYTES, share));
    this.#nextSeq = lastSeq + 1;
    this.#durableSeq = lastSeq;
    this.#storedBytes = storedBytes;
  }

  get durableSeq(): number {
    return this.#durableSeq;
  }

  get storedBytes(): number {
    return this.#storedBytes;
  }

  get appended(): number {
    return this.#appended;
  }

  get queuedRecords(): number {
    return this.#appended - this.#processed;
  }

  get queuedBytes(): number {
    return this.#gather.bytes + this.#inFlightBytes;
  }

  get trouble(): SightlineError | undefined {
    return this.#trouble;
  }

  /** Set once the journal thread is gone; nothing can be stored after that. */
  get failure(): SightlineError | undefined {
    return this.#failure;
  }

  add(record: OutboxRecord): void {
    this.#gather.add(record);
    this.#appended++;
    if (this.#gather.bytes >= POST_BYTES) this.#postDue();
    else if (this.#options.limits.commitIntervalMs === 0) queueMicrotask(() => this.#postDue());
    else this.#timer ??= setTimeout(() => this.#postDue(), this.#options.limits.commitIntervalMs);
  }

  addDeadLetters(letters: readonly NewDeadLetter[]): void {
    this.#deadLetters.push(...letters);
  }

  addDroppedLanes(lanes: readonly DroppedLane[]): void {
    this.#dropLanes.push(...lanes.map(({ sinkId, kind }) => ({ sinkId, kind })));
  }

  /** Persists changed lanes soon, with the next records or alone. */
  scheduleState(): void {
    this.#hasState = true;
    this.#stateTimer ??= setTimeout(() => this.#postDue(), STATE_INTERVAL_MS);
  }

  /** Resolves when changed lanes, as they are now, were handed to the disk (or could not be). */
  commitState(): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stateWaiters.push(resolve);
      this.#hasState = true;
      this.#postDue();
    });
  }

  /**
   * Resolves when everything appended so far is on the disk.
   * @throws SightlineError `SL_OUTBOX_DISK_FULL` when a part could not be stored (it is counted as shed)
   */
  flushed(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#processed === this.#appended) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({
        target: this.#appended,
        unstoredBefore: this.#unstored,
        resolve,
        reject,
      });
      this.#postDue();
    });
  }

  stopTimers(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#stateTimer);
    clearTimeout(this.#probeTimer);
  }

  #postDue(): void {
    this.#isDue = true;
    while (this.#isDue && this.#inFlight < MAX_IN_FLIGHT) {
      this.#isDue = false;
      if (this.#gather.records === 0 && !this.#hasState) return;
      this.#post();
      if (this.#gather.records > 0) this.#isDue = true;
    }
  }

  #post(): void {
    if (this.#failure !== undefined) return;
    const { lanes, journal } = this.#options;
    const nowMs = this.#options.nowMs();
    const chunks = this.#gather.take(this.#nextSeq, Math.round(nowMs), this.#groupBytes);
    const last = chunks.at(-1);
    if (last !== undefined) this.#nextSeq = lastSeqOf(last) + 1;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearTimeout(this.#stateTimer);
    this.#stateTimer = undefined;
    this.#hasState = false;
    const request: CommitRequest = {
      chunks,
      lanes: lanes.all.filter((lane) => lane.dirty).map((lane) => lane.takeRow()),
      dropLanes: this.#dropLanes,
      deadLetters: this.#deadLetters,
      floors: {
        frame: lanes.floor('frame', this.#durableSeq),
        image: lanes.floor('image', this.#durableSeq),
        event: lanes.floor('event', this.#durableSeq),
      },
      nowMs: Math.round(nowMs),
    };
    this.#dropLanes = [];
    this.#deadLetters = [];
    const stateWaiters = this.#stateWaiters;
    this.#stateWaiters = [];
    this.#inFlight++;
    this.#inFlightBytes += bytesOf(chunks);
    journal
      .call('commit', request, buffersOf(chunks))
      .then(
        (reply) => this.#take(request, reply),
        (error: SightlineError) => this.#fail(request, error),
      )
      .finally(() => {
        for (const resolve of stateWaiters) resolve();
        if (this.#isDue || this.#waiters.length > 0) this.#postDue();
      });
  }

  #take(request: CommitRequest, reply: CommitReply): void {
    this.#inFlight--;
    this.#inFlightBytes -= bytesOf(request.chunks);
    this.#storedBytes -= reply.freedBytes;
    this.deadLettersDropped = reply.deadLettersDropped;
    this.lastCommitMs = reply.fsyncMs;
    if (!reply.stateSaved) this.#putBack(request);
    if (reply.stored) this.#keep(request.chunks, reply.data);
    else this.#shed(request.chunks, reply.trouble?.reason ?? 'disk-error');
    this.#setTrouble(reply.trouble);
    if (reply.moreToCollect) this.scheduleState();
    this.#settleWaiters();
    this.#options.onCommit({ hasNewRecords: reply.stored && request.chunks.length > 0 });
  }

  #keep(chunks: readonly NewChunk[], data: readonly Uint8Array[]): void {
    for (const [index, chunk] of chunks.entries()) {
      const { blobs: _, ...kept } = chunk;
      this.#options.cache.add({ ...kept, data: data[index]! });
      this.#storedBytes += chunk.bytes;
      this.#processed += chunk.count;
      this.#durableSeq = lastSeqOf(chunk);
    }
  }

  #shed(chunks: readonly NewChunk[], reason: ShedReason): void {
    for (const chunk of chunks) {
      for (const lane of this.#options.lanes.active(chunk.kind)) {
        if (isFor(chunk, lane.sinkId)) lane.shedUnstored(chunk.count, reason);
      }
      this.#processed += chunk.count;
      this.#unstored += chunk.count;
      this.#durableSeq = lastSeqOf(chunk);
    }
  }

  /** What a failed commit carried besides its chunks goes with the next one. */
  #putBack(request: CommitRequest): void {
    const saved = new Set(request.lanes.map((row) => `${row.kind}/${row.sinkId}`));
    for (const lane of this.#options.lanes.all) {
      if (saved.has(`${lane.kind}/${lane.sinkId}`)) lane.dirty = true;
    }
    this.#deadLetters = [...request.deadLetters, ...this.#deadLetters];
    this.#dropLanes = [...request.dropLanes, ...this.#dropLanes];
  }

  #setTrouble(trouble: DiskTrouble | undefined): void {
    if (trouble === undefined) {
      if (this.#trouble === undefined) return;
      this.#trouble = undefined;
      this.#options.onTrouble(undefined);
      return;
    }
    this.#probeTimer ??= setTimeout(() => {
      this.#probeTimer = undefined;
      void this.commitState();
    }, PROBE_INTERVAL_MS);
    if (this.#trouble !== undefined) return;
    this.#trouble = new SightlineError(
      'SL_OUTBOX_DISK_FULL',
      `Cannot store new records: ${trouble.message}. What was accepted before is kept; make room, storing resumes by itself`,
    );
    this.#options.onTrouble(this.#trouble);
  }

  #settleWaiters(): void {
    while (this.#waiters.length > 0 && this.#waiters[0]!.target <= this.#processed) {
      const waiter = this.#waiters.shift()!;
      if (this.#unstored === waiter.unstoredBefore) waiter.resolve();
      else {
        waiter.reject(
          new SightlineError(
            'SL_OUTBOX_DISK_FULL',
            `Cannot store ${this.#unstored - waiter.unstoredBefore} records: the disk of the outbox is full or fails`,
          ),
        );
      }
    }
  }

  #fail(request: CommitRequest, error: SightlineError): void {
    this.#inFlight--;
    this.#inFlightBytes -= bytesOf(request.chunks);
    this.#failure ??= error;
    this.#shed(request.chunks, 'disk-error');
    const rest = this.#gather.take(this.#nextSeq, 0, Number.POSITIVE_INFINITY);
    this.#shed(rest, 'disk-error');
    this.stopTimers();
    for (const waiter of this.#waiters) waiter.reject(error);
    for (const resolve of this.#stateWaiters) resolve();
    this.#waiters = [];
    this.#stateWaiters = [];
    this.#options.onTrouble(error);
  }
}

function buffersOf(chunks: readonly NewChunk[]): ArrayBuffer[] {
  return chunks.flatMap((chunk) => [
    chunk.data.buffer as ArrayBuffer,
    ...chunk.blobs.map((blob) => blob.data.buffer as ArrayBuffer),
  ]);
}

function bytesOf(chunks: readonly NewChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
}
