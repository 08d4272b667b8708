import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventLog } from '../event-log.ts';
import type { CapacityView } from '../types.ts';
import {
  costsOf,
  estimate,
  type PlannedStream,
  type StreamCost,
  type WorkerSample,
} from './cost.ts';
import { Governor } from './governor.ts';
import type { AdmissionSettings } from './settings.ts';

const TICK_MS = 1_000;
/** `used` is the mean of so many looks. */
const WINDOW = 10;
/** A new stream counts with its estimate until it was measured, at most so long. */
const UNMEASURED_MS = 30_000;

export interface AdmissionOptions {
  readonly settings: AdmissionSettings;
  readonly cores: number;
  readonly events: EventLog;
  readonly logger: Logger;
  readonly monotonicMs: () => number;
  /** What runs now. */
  readonly workers: () => readonly WorkerSample[];
  /** Imposes an inference interval on a stream, 0 for none; false when it cannot. */
  readonly impose: (streamId: string, interval: number) => Promise<boolean>;
}

/** Holds streams to what the box has: measures them, refuses new ones or throttles those of little priority. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #governor = new Governor();
  readonly #looks: number[] = [];
  readonly #promised = new Map<string, { readonly cores: number; readonly atMs: number }>();
  #costs: readonly StreamCost[] = [];
  #cpu = process.cpuUsage();
  #lookedMs: number;
  #timer: NodeJS.Timeout | undefined;
  #imposing: Promise<void> | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#lookedMs = options.monotonicMs();
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), TICK_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#imposing;
  }

  /** Throws `SL_ADMISSION_DENIED` with the numbers where the policy is `reject` and the streams do not fit. */
  admit(streams: readonly (PlannedStream & { readonly id: string })[]): void {
    if (this.#options.settings.policy === 'off') return;
    const needs = streams.map((stream) => [stream.id, estimate(stream, this.#costs)] as const);
    const needed = sum(needs.map(([, cores]) => cores));
    const used = this.#used + this.#unmeasured();
    const limit = this.#limit;
    if (this.#options.settings.policy === 'reject' && needed > 0 && used + needed > limit) {
      const { cores } = this.#options;
      const details = { needed: round(needed), used: round(used), limit: round(limit), cores };
      throw new SightlineError(
        'SL_ADMISSION_DENIED',
        `Cannot take ${streams.map(({ id }) => `'${id}'`).join(', ')}: it would need ${details.needed} cores, ${details.used} of ${details.limit} are in use (${cores} in the box). Remove streams, raise their infer.interval, or set admission.policy`,
        { details },
      );
    }
    const atMs = this.#options.monotonicMs();
    for (const [id, cores] of needs) this.#promised.set(id, { cores, atMs });
  }

  view(): CapacityView {
    const { cores, settings } = this.#options;
    return {
      cores,
      limit: round(this.#limit),
      used: round(this.#used),
      policy: settings.policy,
      streams: this.#costs.map(({ id, priority, used, demand, imposed }) => ({
        id,
        priority,
        used: round(used),
        demand: round(demand),
        imposedInterval: imposed,
      })),
    };
  }

  /** Measures, and throttles or gives back where it is time to. */
  look(): void {
    const nowMs = this.#options.monotonicMs();
    const workers = this.#options.workers();
    this.#costs = workers.flatMap(costsOf);
    this.#looks.push(sum(workers.map(({ cores }) => cores)) + this.#own(nowMs));
    if (this.#looks.length > WINDOW) this.#looks.shift();
    this.#settle(nowMs);
    if (this.#options.settings.policy !== 'degrade' || this.#imposing !== undefined) return;
    const intervals = this.#governor.decide(nowMs, this.#used, this.#limit, this.#costs);
    if (intervals.size === 0) return;
    this.#imposing = this.#impose(intervals).finally(() => {
      this.#imposing = undefined;
    });
  }

  async #impose(intervals: ReadonlyMap<string, number>): Promise<void> {
    const { events, logger, impose } = this.#options;
    for (const [streamId, interval] of intervals) {
      try {
        if (!(await impose(streamId, interval))) continue;
      } catch (error) {
        const { code, message } = toSightlineError(error);
        logger.warn({ stream: streamId, code, message }, 'admission.not_imposed');
        continue;
      }
      const type = interval > 0 ? 'stream.throttled' : 'stream.unthrottled';
      const { priority } = this.#costs.find(({ id }) => id === streamId) ?? { priority: 0 };
      const box = { used: round(this.#used), limit: round(this.#limit) };
      events.emit(type, { streamId, interval, priority, ...box, cores: this.#options.cores });
    }
  }

  /** Cores that this process used since the last look. */
  #own(nowMs: number): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    const elapsedMs = nowMs - this.#lookedMs;
    this.#cpu = process.cpuUsage();
    this.#lookedMs = nowMs;
    return elapsedMs > 0 ? (user + system) / 1_000 / elapsedMs : 0;
  }

  #settle(nowMs: number): void {
    const measured = new Set(this.#costs.filter(({ used }) => used > 0).map(({ id }) => id));
    for (const [id, { atMs }] of this.#promised) {
      if (measured.has(id) || nowMs - atMs > UNMEASURED_MS) this.#promised.delete(id);
    }
  }

  #unmeasured(): number {
    return sum([...this.#promised.values()].map(({ cores }) => cores));
  }

  get #used(): number {
    return this.#looks.length === 0 ? 0 : sum(this.#looks) / this.#looks.length;
  }

  get #limit(): number {
    return this.#options.cores * this.#options.settings.maxCpu;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
