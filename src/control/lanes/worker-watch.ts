import type { StatsEvent } from '../../worker/protocol.ts';
import type { Reason } from '../types.ts';
import type { WorkerProcess } from '../worker-process.ts';
import { exceeded } from './budget.ts';
import type { WorkerSettings } from './settings.ts';

const CHECKS_PER_LIMIT = 10;
/** A check that comes so late says that this very process stood still: its worker's word may wait to be read. */
const LATE_FACTOR = 3;
/** Reports that the use of processors is measured over. */
const CPU_REPORTS = 5;

export interface WorkerWatchOptions {
  readonly settings: WorkerSettings;
  /** How many streams it runs now. */
  readonly streams: () => number;
  readonly onOverBudget: (reason: Reason) => void;
}

/** Looks at one worker's reports: that they come, and what they say of its use of the machine. Monotonic clock. */
export class WorkerWatch {
  readonly #worker: WorkerProcess;
  readonly #options: WorkerWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #heardMs = 0;
  #checkedMs = 0;
  #reports: StatsEvent[] = [];

  constructor(worker: WorkerProcess, options: WorkerWatchOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  get last(): StatsEvent | undefined {
    return this.#reports.at(-1);
  }

  /** Cores in use over the last reports. */
  get cores(): number | undefined {
    const first = this.#reports[0];
    const { last } = this;
    if (first === undefined || last === undefined || last.monotonicMs <= first.monotonicMs) {
      return undefined;
    }
    const share = (last.cpuMs - first.cpuMs) / (last.monotonicMs - first.monotonicMs);
    return Number.isFinite(share) ? Math.round(share * 1_000) / 1_000 : undefined;
  }

  /** From now on reports must come. */
  begin(): void {
    const everyMs = this.#options.settings.heartbeatMs / CHECKS_PER_LIMIT;
    this.#heardMs = performance.now();
    this.#checkedMs = this.#heardMs;
    this.#timer = setInterval(() => this.#check(everyMs), everyMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  heard(event: StatsEvent): void {
    this.#heardMs = performance.now();
    this.#reports.push(event);
    if (this.#reports.length > CPU_REPORTS + 1) this.#reports.shift();
    const { settings, streams, onOverBudget } = this.#options;
    const reason = exceeded(event, settings.budget, streams());
    if (reason !== undefined) onOverBudget(reason);
  }

  #check(everyMs: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#checkedMs > everyMs * LATE_FACTOR) this.#heardMs = nowMs;
    this.#checkedMs = nowMs;
    const silentMs = nowMs - this.#heardMs;
    const { heartbeatMs, abortMs } = this.#options.settings;
    if (silentMs < heartbeatMs) return;
    this.end();
    const reason: Reason = {
      code: 'SL_WORKER_HUNG',
      message: `The worker has not reported for ${Math.round(silentMs)} ms; it is ended by SIGABRT, and by SIGKILL ${abortMs} ms later`,
    };
    this.#worker.abort(reason, abortMs);
  }
}
