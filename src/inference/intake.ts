import { setTimeout as sleep } from 'node:timers/promises';
import { toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { settlesWithin } from '../common/waits.ts';
import { SeenRecords } from '../consumer/seen.ts';
import { FrameJob, type Outcome } from './frame-job.ts';
import type { Delivery, FrameQueue } from './frame-queue.ts';
import type { PoisonFolder } from './poison-folder.ts';
import { type QueuedFrame, readQueuedFrame } from './queued-frame.ts';
import type { Routes } from './routes.ts';

export interface IntakeLimits {
  /** Messages that are being worked on. */
  readonly maxFrames: number;
  /** Their bytes; one receipt of ten may go beyond it. */
  readonly maxBytes: number;
  readonly maxPixels: number;
  /** Receipts after which a message that cannot be used is a dead letter. */
  readonly maxReceives: number;
  /** So long an object that is not there may still come, ms. */
  readonly claimAgeMs: number;
  /** Ids of finished frames that are remembered. */
  readonly rememberFrames: number;
  /** Messages of one request. */
  readonly batch: number;
  /** Requests at a time. */
  readonly receivers: number;
}

export interface IntakeOptions {
  readonly queue: FrameQueue;
  readonly routes: Routes;
  readonly submit: (model: string, job: FrameJob) => void;
  /** False while there is no room for results: then nothing is received, and frames wait where they are. */
  readonly hasRoom: () => boolean;
  readonly poison: PoisonFolder;
  readonly limits: IntakeLimits;
  readonly logger: Logger;
}

/** Since the start. */
export interface IntakeCounts {
  frames: number;
  done: number;
  duplicates: number;
  /** Receipts of messages that cannot be used, sent back for another try. */
  refused: number;
  /** Came back to the queue: results that could not be stored, objects that are not there yet. */
  postponed: number;
  /** Dead letters. */
  poison: number;
}

/** A message that can be used. */
interface Opened {
  readonly frame: QueuedFrame;
  readonly models: readonly string[];
  readonly delivery: Delivery;
}

const RELEASE_MS = 1_000;
const ROOM_MS = 1_000;
const BURY_AGAIN_MS = 30_000;
/** Messages received earlier may hold back later ones for so long, so that a camera's frames keep their order. */
const ORDER_MS = 2_000;

/**
 * From messages to jobs and from their outcomes to the fate of messages. A message leaves the queue when the results of
 * all its models are durable, or as a dead letter; else it comes again.
 */
export class Intake {
  readonly counts: IntakeCounts = {
    ...{ frames: 0, done: 0, duplicates: 0, refused: 0, postponed: 0, poison: 0 },
  };
  readonly #options: IntakeOptions;
  readonly #stop = new AbortController();
  readonly #jobs = new Map<string, FrameJob>();
  readonly #seen: SeenRecords;
  /** Dead letters on their way. */
  readonly #burials = new Set<Promise<void>>();
  readonly #waiters: (() => void)[] = [];
  /** Messages without a job yet. */
  #opening = 0;
  #bytes = 0;
  #asked = 0;
  /** The messages received last have begun. */
  #begun: Promise<unknown> = Promise.resolve();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#seen = new SeenRecords(options.limits.rememberFrames);
  }

  /** Messages that are being worked on, and the bytes of their frames. */
  get working(): { readonly frames: number; readonly bytes: number } {
    const frames = this.#jobs.size + this.#opening + this.#burials.size;
    return { frames, bytes: this.#bytes };
  }

  /** Of the frames that are being worked on, ms since they were queued; since they were taken where the queue does not say. */
  get oldestAgeMs(): number {
    const now = performance.now();
    return Math.max(0, ...[...this.#jobs.values()].map(({ queuedMs }) => now - queuedMs));
  }

  start(): void {
    const { receivers } = this.#options.limits;
    this.#running = Promise.all(Array.from({ length: receivers }, () => this.#receive()));
  }

  /** Receives nothing more, and waits for what is being worked on. False when that took longer than `limitMs`. */
  async stop(limitMs: number): Promise<boolean> {
    this.#stop.abort();
    const finished = async () => {
      await this.#running;
      while (this.working.frames > 0) await this.#change();
    };
    return settlesWithin(finished(), limitMs);
  }

  async #receive(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const room = this.#room();
      if (room === 0) {
        await Promise.race([this.#change(), sleep(ROOM_MS, undefined, { ref: false })]);
        continue;
      }
      this.#asked += room;
      const deliveries = await this.#options.queue.receive(room, signal).finally(() => {
        this.#asked -= room;
      });
      this.#take(deliveries);
    }
  }

  /** Opened all at once, begun in the order in which they were received. */
  #take(deliveries: readonly Delivery[]): void {
    const before = this.#begun;
    const opened = Promise.all(deliveries.map((delivery) => this.#open(delivery)));
    this.#opening += deliveries.length;
    const begin = async (): Promise<void> => {
      const found = await opened;
      await settlesWithin(before, ORDER_MS);
      this.#opening -= deliveries.length;
      for (const one of found) if (one !== undefined) this.#begin(one);
      this.#changed();
    };
    this.#begun = begin();
  }

  #room(): number {
    const { maxFrames, maxBytes, batch } = this.#options.limits;
    const { frames, bytes } = this.working;
    if (bytes >= maxBytes || !this.#options.hasRoom()) return 0;
    return Math.max(0, Math.min(batch, maxFrames - frames - this.#asked));
  }

  /** Undefined for a message that cannot be used, which gets its fate. */
  async #open(delivery: Delivery): Promise<Opened | undefined> {
    const { limits, routes } = this.#options;
    let bytes: Uint8Array = new Uint8Array();
    try {
      bytes = await delivery.open(this.#stop.signal);
      const frame = readQueuedFrame(bytes, limits);
      return { frame, models: routes.modelsFor(frame), delivery };
    } catch (thrown) {
      const { code, message } = toSightlineError(thrown);
      const mayCome = code === 'SL_UNAVAILABLE' || this.#stop.signal.aborted;
      if (mayCome) this.#postpone(delivery, message);
      else this.#refuse(delivery, message, bytes);
      return undefined;
    }
  }

  #begin({ frame, models, delivery }: Opened): void {
    const working = this.#jobs.get(frame.frameId);
    if (working !== undefined || this.#seen.has(frame.frameId)) {
      this.counts.duplicates += 1;
      if (working !== undefined) working.join(delivery);
      else delivery.accept();
      return;
    }
    this.counts.frames += 1;
    const job = new FrameJob(frame, models, delivery, (over, outcome) =>
      this.#finish(over, outcome),
    );
    this.#jobs.set(frame.frameId, job);
    this.#bytes += job.bytes;
    for (const model of models) this.#options.submit(model, job);
  }

  #finish(job: FrameJob, outcome: Outcome): void {
    this.#jobs.delete(job.frame.frameId);
    this.#bytes -= job.bytes;
    if (outcome.kind === 'done') {
      this.counts.done += 1;
      this.#seen.add(job.frame.frameId);
      for (const delivery of job.deliveries) delivery.accept();
    } else if (outcome.kind === 'later') {
      this.counts.postponed += 1;
      for (const delivery of job.deliveries) delivery.release(outcome.delayMs);
    } else {
      const [last] = job.deliveries.slice(-1);
      for (const delivery of job.deliveries.slice(0, -1)) delivery.release(0);
      this.#bury(last!, outcome.reason, job.frame.bytes);
    }
    this.#changed();
  }

  /** The object of a claim check may be late, up to a point. */
  #postpone(delivery: Delivery, reason: string): void {
    const { aborted } = this.#stop.signal;
    if ((delivery.ageMs ?? 0) > this.#options.limits.claimAgeMs && !aborted) {
      this.#bury(delivery, reason, new Uint8Array());
      return;
    }
    this.counts.postponed += 1;
    delivery.release(aborted ? 0 : Math.min(60_000, 2_000 * delivery.receives));
  }

  /** What cannot be used once may be of use to another process; what cannot be used again and again is poison. */
  #refuse(delivery: Delivery, reason: string, bytes: Uint8Array): void {
    if (delivery.receives >= this.#options.limits.maxReceives) {
      this.#bury(delivery, reason, bytes);
      return;
    }
    this.counts.refused += 1;
    delivery.release(RELEASE_MS);
  }

  #bury(delivery: Delivery, reason: string, bytes: Uint8Array): void {
    this.counts.poison += 1;
    const burial = this.#putAway(delivery, reason, bytes).finally(() => {
      this.#burials.delete(burial);
      this.#changed();
    });
    this.#burials.add(burial);
  }

  async #putAway(delivery: Delivery, reason: string, bytes: Uint8Array): Promise<void> {
    const { poison, logger, queue } = this.#options;
    logger.warn({ messageId: delivery.id, reason, queue: queue.what }, 'infer.poison');
    try {
      if (await delivery.bury(reason)) return;
      await poison.keep({ id: delivery.id, reason, at: new Date(), bytes });
      delivery.accept();
    } catch (error) {
      logger.error({ err: error, messageId: delivery.id }, 'infer.bury-failed');
      delivery.release(BURY_AGAIN_MS);
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
