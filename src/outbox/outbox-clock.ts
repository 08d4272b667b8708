const DAY_MS = 24 * 3600 * 1000;
/** How long nothing is given up for its age after a start at which the clock stood more than a day ahead. */
const GRACE_MS = 10 * 60 * 1000;

/**
 * The time that ages of records are counted in: ms since the Unix epoch, more or less. It follows the monotonic clock,
 * so setting the wall clock does not move it. At a start it goes on from where it was left, by the time the wall clock
 * says has passed but by a day at most: a clock that stands in 2099 or 1970 cannot make every record old at once.
 */
export class OutboxClock {
  readonly #offsetMs: number;
  readonly #gracefulUntilMs: number;

  /**
   * @param lastMs what it showed last, 0 when it never ran
   * @param wallMs the wall clock
   */
  constructor(lastMs: number, wallMs: number) {
    const away = Math.max(0, wallMs - lastMs);
    const jumped = lastMs > 0 && away > DAY_MS;
    const startMs = lastMs === 0 ? wallMs : lastMs + Math.min(away, DAY_MS);
    const now = performance.now();
    this.#offsetMs = startMs - now;
    this.#gracefulUntilMs = jumped ? now + GRACE_MS : 0;
  }

  now(): number {
    return this.#offsetMs + performance.now();
  }

  /** Whether ages may be acted upon. */
  get isTrusted(): boolean {
    return performance.now() >= this.#gracefulUntilMs;
  }
}
