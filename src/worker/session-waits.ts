import type { SightlineError } from '../common/errors.ts';
import { fullJitterMs } from '../common/retry.ts';
import { DEFAULT_SHARED_POLICY, type StreamPolicy } from './protocol.ts';

/** A graph that was live this long starts its back-off anew. */
const SETTLED_AFTER_MS = 60_000;

/** What a person has to mend: trying soon again does not help, and may lock an account. */
const SLOW_PROBES: ReadonlySet<string> = new Set([
  'SL_SOURCE_UNAUTHORIZED',
  'SL_SOURCE_REDIRECTED',
]);

/** How long a graph waits between two sessions. */
export class SessionWaits {
  readonly #policy: StreamPolicy;
  #attempt = 0;
  #rescues = 0;

  constructor(policy: StreamPolicy) {
    this.#policy = policy;
  }

  /** Sessions since the graph was last settled. */
  get attempt(): number {
    return this.#attempt;
  }

  /** A stream that cannot come back inside of a shared graph waits so long until that is started anew. */
  get rescueMs(): number {
    const { rescueBaseMs, rescueCapMs } = { ...DEFAULT_SHARED_POLICY, ...this.#policy.shared };
    return Math.min(rescueCapMs, rescueBaseMs * 2 ** this.#rescues);
  }

  begun(): void {
    this.#attempt += 1;
  }

  ended(liveForMs: number): void {
    if (liveForMs >= SETTLED_AFTER_MS) this.#attempt = 0;
  }

  /** The graph is started anew for the sake of one stream. */
  rescued(): void {
    this.#rescues += 1;
  }

  /** Until the next session. `alone`: the graph has one stream. */
  afterMs(error: SightlineError, alone: boolean): number {
    const { authProbeMs, backoffBaseMs, backoffCapMs } = this.#policy;
    // Of several streams one camera's refusal must not keep the others waiting.
    if (SLOW_PROBES.has(error.code) && alone) return authProbeMs;
    const attempt = Math.max(1, this.#attempt);
    return fullJitterMs(attempt, { baseMs: backoffBaseMs, capMs: backoffCapMs });
  }
}
