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
  /** The deaths within the window, oldest first; `crash`: its own doing. */
  #deaths: { readonly atMs: number; readonly crash: boolean }[] = [];
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
    this.#deaths = this.#deaths.filter(({ atMs }) => atMs > sinceMs);
    return this.#deaths.length;
  }

  /** Those of them that were the worker's own doing, and so may be a stream's. */
  get crashes(): number {
    return this.deaths === 0 ? 0 : this.#deaths.filter(({ crash }) => crash).length;
  }

  /** A worker that had started died after `ranMs`; `crash`: by its own doing, not killed from outside. */
  died(ranMs: number, crash: boolean): Restart {
    if (ranMs >= this.#rules.healthyMs) this.#failures = 0;
    this.#deaths.push({ atMs: this.#monotonicMs(), crash });
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
}
