import type { Clock } from '../stream-state.ts';
import type { CameraSpec, Condition } from '../types.ts';

/** This many intervals without a word, and the camera counts as unreachable. */
const MISSED_INTERVALS = 3;

/** Whether a camera reports in time. Ages are by the monotonic clock. */
export class Reachable {
  readonly #clock: Clock;
  #intervalMs: number | undefined;
  #status: Condition['status'] = 'unknown';
  #since: Date;
  /** From here the intervals count: the last beat, or when beats were first expected. */
  #fromMs: number;
  #lastBeat: Date | undefined;

  constructor(clock: Clock, spec: CameraSpec) {
    this.#clock = clock;
    this.#since = clock.now();
    this.#fromMs = clock.monotonicMs();
    this.#intervalMs = spec.heartbeatIntervalMs;
  }

  get lastBeat(): Date | undefined {
    return this.#lastBeat;
  }

  get status(): Condition['status'] {
    return this.#status;
  }

  /** Since the last beat, or since the first is awaited. */
  get silentMs(): number {
    return this.#clock.monotonicMs() - this.#fromMs;
  }

  /** Takes over what is expected from now on. */
  expect(spec: CameraSpec): void {
    if (spec.heartbeatIntervalMs === this.#intervalMs) return;
    this.#intervalMs = spec.heartbeatIntervalMs;
    this.#fromMs = this.#clock.monotonicMs();
    if (this.#intervalMs === undefined) this.#become('unknown');
  }

  /** True when this makes it reachable. */
  beat(): boolean {
    this.#fromMs = this.#clock.monotonicMs();
    this.#lastBeat = this.#clock.now();
    return this.#intervalMs !== undefined && this.#become('true');
  }

  /** True when this finds that it no longer is reachable. */
  check(): boolean {
    if (this.#intervalMs === undefined) return false;
    return this.silentMs > MISSED_INTERVALS * this.#intervalMs && this.#become('false');
  }

  condition(): Condition {
    const silentMs = Math.round(this.silentMs);
    const interval = this.#intervalMs;
    const facts = { type: 'Reachable', status: this.#status, since: this.#since.toISOString() };
    if (interval === undefined) {
      const message = 'The camera need not report: it has no heartbeatIntervalMs';
      return { ...facts, type: 'Reachable', reason: 'NotAsked', message };
    }
    const observed = { silentMs, heartbeatIntervalMs: interval };
    const [reason, message] = {
      true: ['Ok', 'The camera reports in time'],
      false: ['SL_SOURCE_UNREACHABLE', this.silence()],
      unknown: ['Waiting', 'The camera has not reported yet'],
    }[this.#status] as [string, string];
    return { ...facts, type: 'Reachable', reason, message, observed };
  }

  /** One sentence on a camera that does not report. */
  silence(): string {
    const silentS = Math.round(this.silentMs / 1_000);
    return `The camera has not reported for ${silentS} s; it should at least every ${this.#intervalMs} ms`;
  }

  #become(status: Condition['status']): boolean {
    if (status === this.#status) return false;
    this.#status = status;
    this.#since = this.#clock.now();
    return true;
  }
}
