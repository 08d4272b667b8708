import { type BackoffOptions, fullJitterMs } from '../../common/retry.ts';
import type { RestartRules } from './settings.ts';

export interface Restart {
  readonly waitMs: number;
  /** It died too often: this is the slow retry. */
  readonly crashLoop: boolean;
}

/** Decides how long a pipeline waits before its worker is started again. Monotonic clock. */
export class RestartPolicy {
  readonly #rules: RestartRules;
  readonly #monotonicMs: () => number;
  /** Of the deaths within the window, oldest first. */
  #deathsMs: number[] = [];
  /** Failed runs since the last healthy one. */
  #failures = 0;
  #restarts = 0;

  constructor(rules: RestartRules, monotonicMs: () => number) {
    this.#rules = rules;
    this.#monotonicMs = monotonicMs;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Times it was started again, over all workers. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Deaths within the window. */
  get deaths(): number {
    const sinceMs = this.#monotonicMs() - this.#rules.windowMs;
    this.#deathsMs = this.#deathsMs.filter((atMs) => atMs > sinceMs);
    return this.#deathsMs.length;
  }

  /** A worker that had started died after `ranMs`. */
  died(ranMs: number): Restart {
    if (ranMs >= this.#rules.healthyMs) this.#failures = 0;
    this.#deathsMs.push(this.#monotonicMs());
    const crashLoop = this.deaths > this.#rules.maxDeaths;
    const { failures } = this;
    this.#failures += 1;
    this.#restarts += 1;
    if (crashLoop) return { waitMs: this.#rules.crashLoopMs, crashLoop };
    return { waitMs: failures === 0 ? 0 : fullJitterMs(failures, this.#rules.backoff), crashLoop };
  }

  /** It could not be started. */
  failed(backoff: BackoffOptions = this.#rules.backoff): Restart {
    this.#failures += 1;
    this.#restarts += 1;
    return { waitMs: fullJitterMs(this.#failures, backoff), crashLoop: false };
  }

  /** What ran is no longer what crashed. */
  forgive(): void {
    this.#failures = 0;
    this.#deathsMs = [];
  }
}
