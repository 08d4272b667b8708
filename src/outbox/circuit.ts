import type { SightlineError } from '../common/errors.ts';
import { type BackoffOptions, fullJitterMs } from '../common/retry.ts';

/** Failures in a row that open the circuit. */
const OPEN_AFTER = 5;
/** It opens too when more than half of at least so many calls of the last 30 s failed. */
const OPEN_CALLS = 20;
const OPEN_WINDOW_MS = 30_000;
const MAX_CALLS = 500;
/** A sink that was well for so long starts again with short waits. */
const LASTING_MS = 30_000;
/** What one success takes off the level that decides the next wait. */
const RELIEF = 0.5;
const THROTTLE_FACTOR = 4;

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitOptions {
  readonly backoff: BackoffOptions;
  /** Wait between attempts while the sink refuses the credentials. */
  readonly authProbeMs: number;
  /** Monotonic time, ms. Default performance.now. */
  readonly nowMs?: () => number;
}

interface Call {
  readonly atMs: number;
  readonly failed: boolean;
}

/**
 * Decides how long to leave a failing sink alone, and that the first attempt after that is a small one. A success does
 * not forget the failures before it: a sink that flaps is left alone longer and longer, one that fails now and then is
 * not.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #nowMs: () => number;
  /** Failures since the last success. */
  #failures = 0;
  #level = 0;
  #wellSinceMs: number | undefined;
  #calls: Call[] = [];
  #state: CircuitState = 'closed';
  #isPaused = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
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
    const now = this.#nowMs();
    if (this.#state !== 'closed') this.#calls = [];
    this.#note({ atMs: now, failed: false });
    this.#failures = 0;
    this.#state = 'closed';
    this.#isPaused = false;
    this.#wellSinceMs ??= now;
    const lasts = now - this.#wellSinceMs >= LASTING_MS;
    this.#level = lasts ? 0 : Math.max(0, this.#level - RELIEF);
  }

  /** Returns how long to wait before the next attempt, ms. */
  fail(error: SightlineError): number {
    const isThrottled = error.code === 'SL_SINK_THROTTLED';
    this.#failures++;
    this.#level++;
    this.#wellSinceMs = undefined;
    // A sink that throttles is there.
    if (!isThrottled) this.#note({ atMs: this.#nowMs(), failed: true });
    this.#isPaused = error.code === 'SL_SINK_UNAUTHORIZED';
    if (this.#isPaused || this.#failures >= OPEN_AFTER || this.#mostlyFails()) this.#state = 'open';
    if (this.#isPaused) return this.#options.authProbeMs;
    const { backoff } = this.#options;
    if (!isThrottled) return fullJitterMs(Math.ceil(this.#level), backoff);
    const { retryAfterMs = 0 } = error.details as { retryAfterMs?: number };
    // The first is met by a slower pace alone.
    if (this.#failures === 1) return retryAfterMs;
    const baseMs = THROTTLE_FACTOR * (backoff.baseMs ?? 500);
    return Math.max(retryAfterMs, fullJitterMs(this.#failures - 1, { ...backoff, baseMs }));
  }

  #note(call: Call): void {
    this.#calls.push(call);
    const oldest = call.atMs - OPEN_WINDOW_MS;
    if (this.#calls[0]!.atMs < oldest || this.#calls.length > 2 * MAX_CALLS) {
      this.#calls = this.#calls.filter(({ atMs }) => atMs >= oldest).slice(-MAX_CALLS);
    }
  }

  #mostlyFails(): boolean {
    const failed = this.#calls.filter((call) => call.failed).length;
    return this.#calls.length >= OPEN_CALLS && failed > this.#calls.length / 2;
  }
}
