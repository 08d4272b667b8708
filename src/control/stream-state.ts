import type { StalledLayer } from '../worker/protocol.ts';
import type { Reason, StreamState } from './types.ts';

/**
 * Which state may follow which. Within one try the way is forward only (connecting, live, ..., backoff); a new try
 * begins at `connecting` or, when the worker itself must come back first, at `pending`, from where it passes `preparing`
 * when engines must be built.
 */
const NEXT: Readonly<Record<StreamState, readonly StreamState[]>> = {
  disabled: ['pending', 'draining', 'stopped'],
  pending: [
    'preparing',
    'connecting',
    'backoff',
    'draining',
    'stopped',
    'rejected',
    'quarantined',
    'disabled',
  ],
  preparing: ['pending', 'backoff', 'draining', 'stopped', 'rejected', 'quarantined', 'disabled'],
  connecting: ['connecting', 'live', 'backoff', 'draining', 'stopped', 'rejected', 'quarantined'],
  // Live again with another session: a fresh worker has taken over.
  live: [
    'live',
    'connecting',
    'degraded',
    'stalled',
    'backoff',
    'draining',
    'stopped',
    'rejected',
    'quarantined',
  ],
  degraded: [
    'connecting',
    'live',
    'stalled',
    'backoff',
    'draining',
    'stopped',
    'rejected',
    'quarantined',
  ],
  stalled: ['connecting', 'live', 'backoff', 'draining', 'stopped', 'rejected', 'quarantined'],
  backoff: ['backoff', 'pending', 'connecting', 'draining', 'stopped', 'rejected', 'quarantined'],
  draining: ['stopped'],
  stopped: ['pending', 'disabled'],
  rejected: [
    'rejected',
    'pending',
    'connecting',
    'backoff',
    'draining',
    'stopped',
    'quarantined',
    'disabled',
  ],
  quarantined: ['quarantined', 'pending', 'connecting', 'draining', 'stopped', 'disabled'],
};

/** States that say nothing without a reason. */
const NEEDS_REASON: ReadonlySet<StreamState> = new Set([
  'preparing',
  'degraded',
  'stalled',
  'backoff',
  'rejected',
  'quarantined',
  'disabled',
]);

const HAS_FRAMES: ReadonlySet<StreamState> = new Set(['live', 'degraded', 'stalled']);

export interface Clock {
  /** Monotonic, ms: for timers and ages. */
  readonly monotonicMs: () => number;
  /** Wall clock: for showing only. */
  readonly now: () => Date;
}

export const SYSTEM_CLOCK: Clock = {
  monotonicMs: () => performance.now(),
  now: () => new Date(),
};

export interface Evidence {
  readonly reason?: Reason;
  /** Session of the decoded frame; required for `live`. */
  readonly session?: string;
  /** Until the next try. */
  readonly retryInMs?: number;
  /** Where its frames stopped. */
  readonly layer?: StalledLayer;
  /** What was measured, units in the names. */
  readonly observed?: Readonly<Record<string, number | string>>;
}

export interface StateChange {
  readonly from: StreamState;
  readonly to: StreamState;
  /** How long `from` lasted. */
  readonly afterMs: number;
}

/**
 * One stream's state with the evidence for it. Has one writer (its supervisor). A step that the table does not know is
 * refused and counted, so that a late message of a former try cannot turn time back.
 */
export class StreamStateMachine {
  readonly #clock: Clock;
  #state: StreamState = 'pending';
  #since: Date;
  #sinceMonotonicMs: number;
  #reason: Reason | undefined;
  #retryAt: Date | undefined;
  #session: string | undefined;
  #attempt = 0;
  #connects = 0;
  #refused = 0;

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.#since = clock.now();
    this.#sinceMonotonicMs = clock.monotonicMs();
  }

  get state(): StreamState {
    return this.#state;
  }
  get since(): Date {
    return this.#since;
  }
  /** How long the state has lasted, by the monotonic clock. */
  get ageMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMonotonicMs;
  }
  get reason(): Reason | undefined {
    return this.#reason;
  }
  get retryAt(): Date | undefined {
    return this.#retryAt;
  }
  get session(): string | undefined {
    return this.#session;
  }
  /** Tries to connect since the stream was last live. */
  get attempt(): number {
    return this.#attempt;
  }
  /** Times a try or a live session ended in another try. */
  get reconnects(): number {
    return Math.max(0, this.#connects - 1);
  }
  /** Steps that were asked for and not allowed. */
  get refused(): number {
    return this.#refused;
  }
  get hasFrames(): boolean {
    return HAS_FRAMES.has(this.#state);
  }

  /** Takes the step, or returns undefined when it is not allowed or lacks its evidence. */
  enter(to: StreamState, evidence: Evidence = {}): StateChange | undefined {
    if (!NEXT[this.#state].includes(to) || !hasEvidence(to, evidence)) {
      this.#refused += 1;
      return undefined;
    }
    const from = this.#state;
    const change = { from, to, afterMs: Math.round(this.ageMs) };
    this.#count(to);
    this.#state = to;
    this.#since = this.#clock.now();
    this.#sinceMonotonicMs = this.#clock.monotonicMs();
    // While a new try runs, the reason of the failed one stays: it is what a person wants to know.
    if (from === 'preparing' || (to !== 'connecting' && to !== 'pending')) {
      this.#reason = evidence.reason;
    }
    if (evidence.session !== undefined) this.#session = evidence.session;
    this.#retryAt =
      evidence.retryInMs === undefined
        ? undefined
        : new Date(this.#since.getTime() + evidence.retryInMs);
    return change;
  }

  /** A newer word on why the state is as it is; the state and its age stay. */
  explain(reason: Reason): void {
    this.#reason = reason;
  }

  #count(to: StreamState): void {
    if (to === 'live') this.#attempt = 0;
    if (to !== 'connecting') return;
    this.#attempt += 1;
    this.#connects += 1;
  }
}

function hasEvidence(to: StreamState, evidence: Evidence): boolean {
  if (to === 'live') return evidence.session !== undefined;
  return evidence.reason !== undefined || !NEEDS_REASON.has(to);
}
