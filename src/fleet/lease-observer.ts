import type { FleetClock } from './clock.ts';
import type { LeaseRow } from './store.ts';

/**
 * Tells when a lease of somebody else may be taken: when nobody holds it, or when one and the same version was seen for a
 * whole duration by the watcher's own clock. (The rule of the AWS Labs DynamoDB lock client, README "How we handle clock
 * skew".)
 */
export class LeaseObserver {
  readonly #clock: FleetClock;
  readonly #seen = new Map<string, { readonly version: string; readonly sinceMs: number }>();

  constructor(clock: FleetClock) {
    this.#clock = clock;
  }

  /**
   * Takes note of a row that was read.
   * @param askedMs when the read began: a read that was held up says nothing about later
   * @returns whether it may be taken over now
   */
  look(row: LeaseRow, askedMs: number): boolean {
    const known = this.#seen.get(row.key);
    if (known?.version !== row.version) {
      this.#seen.set(row.key, { version: row.version, sinceMs: this.#clock.nowMs() });
      return row.owner === '';
    }
    return row.owner === '' || askedMs - known.sinceMs >= row.durationMs;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}
