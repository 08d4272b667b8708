import { closeSync, openSync, readSync } from 'node:fs';

/** A clock that never goes back and never jumps: the only one that leases are measured with. */
export interface FleetClock {
  /** ms since some moment. */
  readonly nowMs: () => number;
}

/**
 * Time since the machine started, in steps of 10 ms. Unlike the monotonic clock of Node, which stands still while a
 * machine sleeps (CLOCK_MONOTONIC, clock_gettime(2)), it counts that time too (`/proc/uptime` shows CLOCK_BOOTTIME): a
 * lease does not outlive a suspended virtual machine. Where there is no such file it is the monotonic clock.
 */
export class BootClock implements FleetClock, Disposable {
  readonly #buffer = Buffer.alloc(64);
  #file: number | undefined;

  constructor(file = '/proc/uptime') {
    try {
      this.#file = openSync(file, 'r');
    } catch {
      this.#file = undefined;
    }
  }

  readonly nowMs = (): number => {
    if (this.#file === undefined) return performance.now();
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    return Math.round(Number.parseFloat(this.#buffer.toString('latin1', 0, length)) * 1_000);
  };

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
