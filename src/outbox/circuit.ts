import type { SightlineError } from '../common/errors.ts';
import { type BackoffOptions, fullJitterMs } from '../common/retry.ts';

const OPEN_AFTER = 5;
const THROTTLE_FACTOR = 4;

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitOptions {
  readonly backoff: BackoffOptions;
  /** Wait between attempts while the sink refuses the credentials. */
  readonly authProbeMs: number;
}

/** Decides how long to leave a failing sink alone, and that the first attempt after that is a small one. */
export class Circuit {
  readonly #options: CircuitOptions;
  #failures = 0;
  #state: CircuitState = 'closed';
  #isPaused = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    return this.#state;
  }

  get health(): 'ok' | 'backoff' | 'paused' {
    if (this.#isPaused) return 'paused';
    return this.#failures === 0 ? 'ok' : 'backoff';
  }

  /** Call before an attempt. True when it has to be a probe of one record. */
  begin(): boolean {
    if (this.#state === 'open') this.#state = 'half-open';
    return this.#state === 'half-open';
  }

  succeed(): void {
    this.#failures = 0;
    this.#state = 'closed';
    this.#isPaused = false;
  }

  /** Returns how long to wait before the next attempt, ms. */
  fail(error: SightlineError): number {
    this.#failures++;
    const { backoff, authProbeMs } = this.#options;
    this.#isPaused = error.code === 'SL_SINK_UNAUTHORIZED';
    if (this.#isPaused || this.#failures >= OPEN_AFTER) this.#state = 'open';
    if (this.#isPaused) return authProbeMs;
    if (error.code !== 'SL_SINK_THROTTLED') return fullJitterMs(this.#failures, backoff);
    const { retryAfterMs } = error.details as { retryAfterMs?: number };
    const { baseMs = 500 } = backoff;
    const wait = fullJitterMs(this.#failures, { ...backoff, baseMs: THROTTLE_FACTOR * baseMs });
    return Math.max(wait, retryAfterMs ?? 0);
  }
}
