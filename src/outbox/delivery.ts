import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PendingRecord } from '../common/delivery.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import { fullJitterMs } from '../common/retry.ts';
import { attempt, type Outcome } from './attempt.ts';
import { Circuit } from './circuit.ts';
import { type AttemptReport, DeliveryMeters } from './delivery-meters.ts';
import type { DeliveryOptions, DeliveryStats } from './delivery-options.ts';
import type { Fate } from './fates.ts';
import { Pace } from './pace.ts';
import { WakeUp } from './wake-up.ts';
import { type Batch, DeliveryWindow } from './window.ts';

const IDLE_MS = 60_000;
const THROTTLED = 'SL_SINK_THROTTLED';
const NOTHING: Batch = { records: [], bytes: 0, sinceMs: undefined, isRetry: false, isFull: false };

export type { DeliveryOptions, DeliveryStats };

/** Carries one sink's records from the outbox to it, for as long as it takes. Sinks do not wait for each other. */
export class Delivery implements AsyncDisposable {
  readonly #options: DeliveryOptions;
  readonly #window: DeliveryWindow;
  readonly #circuit: Circuit;
  readonly #pace = new Pace();
  readonly #meters = new DeliveryMeters();
  readonly #wakeUp = new WakeUp();
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  #running: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isDraining = false;
  #isPaused: boolean;
  #notBeforeMs = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#window = new DeliveryWindow(options.sink.limits);
    const { backoff = {}, authProbeMs = 60_000, paused = false } = options;
    this.#isPaused = paused;
    this.#circuit = new Circuit({ backoff, authProbeMs });
    this.#unsubscribe = options.outbox.onStored(() => this.#wakeUp.wake());
  }

  get sinkId(): string {
    return this.#options.sink.id;
  }

  /** Begins to deliver. Call once. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#options.sink.start?.();
    this.#running = this.#run();
  }

  /** Sends nothing from now on and keeps everything. Resolves when an attempt that was under way has ended. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#sending;
  }

  /** Goes on at once after `pause`, also where the sink was being left alone for a while. */
  resume(): void {
    this.#isPaused = false;
    this.#notBeforeMs = 0;
    this.#wakeUp.wake();
  }

  stats(): DeliveryStats {
    const { outbox, sink } = this.#options;
    const { health } = this.#circuit;
    const pauseReason = this.#isPaused ? 'operator' : 'credentials';
    const state = this.#isPaused ? 'paused' : health;
    const { lastError } = this.#meters;
    return {
      ...outbox.countsOf(sink.id),
      ...this.#meters.figures(),
      type: sink.type,
      state: this.#closing === undefined ? state : 'closed',
      ...(state === 'paused' && this.#closing === undefined ? { pauseReason } : {}),
      circuit: this.#circuit.state,
      nextAttemptInMs: Math.max(0, this.#notBeforeMs - performance.now()),
      ...(lastError === undefined ? {} : { lastError }),
      ...(sink.backupObjects === undefined ? {} : { backupObjects: sink.backupObjects }),
    };
  }

  /**
   * Delivers what waits, for at most `drainMs` (default 3000) and only while the sink takes it, then closes the sink.
   * What is left stays in the outbox. Idempotent.
   */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? 3_000);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    this.#isDraining = true;
    this.#wakeUp.wake();
    const timer = setTimeout(() => this.#abort(), drainMs);
    if (this.#isPaused || this.#circuit.health !== 'ok') this.#abort();
    await this.#running;
    clearTimeout(timer);
    this.#unsubscribe();
    await this.#options.sink.close();
  }

  #abort(): void {
    const { id } = this.#options.sink;
    this.#stop.abort(new SightlineError('SL_CLOSED', `Delivery to sink ${id} was stopped`));
    this.#wakeUp.wake();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        if (await this.#step()) return;
      } catch (thrown) {
        const error = toSightlineError(thrown);
        this.#note(error);
        await this.#wakeUp.wait(this.#circuit.fail(error));
      }
    }
  }

  /** Sends a batch or waits for one. True when there is nothing left to drain. */
  async #step(): Promise<boolean> {
    const added = await this.#fill();
    const now = performance.now();
    const batch = this.#nextBatch(now);
    const waitMs = this.#waitMs(batch, now);
    if (waitMs === 0) {
      const sending = this.#send(batch);
      this.#sending = sending;
      await Promise.all([sending, this.#prepareNext(batch, sending)]);
      return false;
    }
    if (added > 0) return false;
    if (this.#isDraining && this.#window.size === 0) return true;
    await this.#wakeUp.wait(waitMs);
    return false;
  }

  /** Reads up to one batch; no more, so that what is there already does not wait for what keeps coming. */
  async #fill(): Promise<number> {
    const { outbox, sink } = this.#options;
    const maxRecords = Math.min(this.#window.freeRecords, sink.limits.maxRecords);
    if (maxRecords <= 0) return 0;
    const { maxBytes } = sink.limits;
    const lent = sink.copies === true ? { lentFrom: this.#window.firstSeq } : {};
    const records = await outbox.read(sink.id, { maxRecords, maxBytes, ...lent });
    this.#window.add(records, performance.now());
    return records.length;
  }

  /**
   * Reads on while a batch is under way, and tells the sink what comes after it. Each is milliseconds for thousands of
   * records: others get their turn between.
   */
  async #prepareNext(batch: Batch, sending: Promise<void>): Promise<void> {
    const { sink } = this.#options;
    let isUnderWay = true;
    const ended = (): void => {
      isUnderWay = false;
    };
    void sending.then(ended, ended);
    await nextTurn();
    await this.#fill();
    if (sink.prepare === undefined) return;
    await nextTurn();
    if (!isUnderWay) return;
    const next = this.#window.takeAfter(batch, sink.limits);
    if (next !== undefined) sink.prepare(next);
  }

  #nextBatch(now: number): Batch {
    const { limits } = this.#options.sink;
    if (this.#isPaused || this.#notBeforeMs > now) return NOTHING;
    const isProbe = this.#circuit.begin();
    return this.#window.take(isProbe ? { ...limits, maxRecords: 1 } : limits, now);
  }

  /** 0 when the batch is to be sent now. */
  #waitMs({ sinceMs, isRetry, isFull }: Batch, now: number): number {
    if (this.#isPaused) return IDLE_MS;
    if (this.#notBeforeMs > now) return this.#notBeforeMs - now;
    if (sinceMs === undefined) return (this.#window.nextTryMs(now) ?? now + IDLE_MS) - now;
    if (isFull || this.#isDraining || isRetry) return 0;
    return Math.max(0, sinceMs + this.#options.sink.limits.maxWaitMs - now);
  }

  async #send({ records, bytes }: Batch): Promise<void> {
    const { outbox, sink, attemptTimeoutMs = 60_000 } = this.#options;
    const isOpen = (record: PendingRecord): boolean => outbox.isOpen(sink.id, record);
    const open = records.every(isOpen) ? records : records.filter(isOpen);
    if (open.length === 0) return this.#window.retain(isOpen);
    const started = performance.now();
    this.#pace.begin(started);
    const limits = { timeoutMs: attemptTimeoutMs, signal: this.#stop.signal };
    const outcome = await attempt(sink, open, limits);
    this.#acknowledge(outcome);
    if (!this.#stop.signal.aborted) this.#judge(outcome, open.length);
    this.#window.retain(isOpen);
    this.#reportAttempt({ records: open, bytes }, outcome, performance.now() - started);
  }

  #acknowledge(outcome: Outcome): void {
    const { outbox, sink, logger } = this.#options;
    const fates: Fate[] = [];
    for (const record of outcome.accepted) fates.push({ status: 'delivered', record });
    for (const record of outcome.filtered) fates.push({ status: 'filtered', record });
    for (const { record, error } of outcome.rejected) {
      const attempts = this.#window.attemptsOf(record) + 1;
      fates.push({ status: 'dead-lettered', record, error, attempts });
      const rejection = toSightlineError(error);
      this.#meters.note(rejection);
      const reason = rejection.message;
      logger?.warn({ sink: sink.id, recordId: record.recordId, reason }, 'sink.rejected');
    }
    outbox.ack(sink.id, fates);
  }

  /** Decides from an attempt when and what to try next. */
  #judge(outcome: Outcome, sent: number): void {
    const now = performance.now();
    const { accepted, filtered, rejected, retry } = outcome;
    const progressed = accepted.length + rejected.length > 0;
    const [firstRetry] = retry;
    const failure =
      outcome.failure ??
      (progressed || firstRetry === undefined ? undefined : toSightlineError(firstRetry.error));
    for (const { record, error } of retry) {
      const reason = toSightlineError(error);
      const attempts = this.#window.attemptsOf(record) + 1;
      const waitMs = failure === undefined ? fullJitterMs(attempts, this.#options.backoff) : 0;
      this.#window.fail(record, now + waitMs);
      this.#meters.retried(reason.code);
      if (failure === undefined) this.#note(reason);
    }
    const codes = retry.map(({ error }) => toSightlineError(error).code);
    if (failure?.code === THROTTLED || codes.includes(THROTTLED)) this.#pace.throttled();
    else if (progressed) this.#pace.succeeded();
    if (failure === undefined) {
      this.#notBeforeMs = this.#pace.nextMs();
      // A batch that was filtered whole says nothing about the sink.
      if (progressed) this.#circuit.succeed();
      return;
    }
    const decided = accepted.length + filtered.length + rejected.length + retry.length;
    this.#meters.retried(failure.code, sent - decided);
    this.#notBeforeMs = Math.max(this.#pace.nextMs(), now + this.#circuit.fail(failure));
    this.#note(failure);
  }

  #note(error: SightlineError): void {
    const { sink, logger } = this.#options;
    if (!this.#meters.note(error)) return;
    logger?.warn({ sink: sink.id, code: error.code, reason: error.message }, 'sink.failed');
  }

  #reportAttempt(
    { records, bytes }: Pick<Batch, 'records' | 'bytes'>,
    outcome: Outcome,
    durationMs: number,
  ): void {
    const settled = outcome.accepted.length + outcome.filtered.length;
    const report: AttemptReport = {
      sinkId: this.#options.sink.id,
      records: records.length,
      ...{ bytes, durationMs },
      outcome: settled === records.length ? 'ok' : settled === 0 ? 'failed' : 'partial',
    };
    this.#meters.attempted(report);
    this.#options.onAttempt?.(report);
  }
}
