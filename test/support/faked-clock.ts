import { existsSync, readdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Steps that a clock of 1970 may be past its second 10 by now, and what an hour's step may be off. */
const TOLERANCE_MS = 10 * 60_000;

/** A wall clock that steps while processes run: Debian's libfaketime. Monotonic clocks stay true. */
export class FakedClock {
  /** For the environment of the processes. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  private constructor(file: string, library: string) {
    this.#file = file;
    this.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: '1',
    };
  }

  static async make(folder: string): Promise<FakedClock> {
    const clock = new FakedClock(join(folder, 'clock'), findLibrary());
    await clock.set('+0');
    return clock;
  }

  /** `+1h`, `-1h`, `+0`, or a time. Processes look at it once a second. */
  async set(step: string): Promise<void> {
    const text = /^[+-]/.test(step) ? step : `@${step}`;
    await writeFile(`${this.#file}.new`, `${text}\n`);
    await rename(`${this.#file}.new`, this.#file);
  }

  /** Whether a time that a process named can come from this step. */
  shows(step: string, timeMs: number): boolean {
    const offset = /^([+-]\d+)(h?)$/.exec(step);
    const expected =
      offset === null
        ? Date.parse(`${step.replace(' ', 'T')}Z`)
        : Date.now() + Number(offset[1]) * (offset[2] === 'h' ? 3_600_000 : 1000);
    return Math.abs(timeMs - expected) < TOLERANCE_MS;
  }
}

function findLibrary(): string {
  for (const architecture of readdirSync('/usr/lib')) {
    const file = join('/usr/lib', architecture, 'faketime', 'libfaketimeMT.so.1');
    if (existsSync(file)) return file;
  }
  throw new Error('libfaketime is not installed (npm run setup does it for tests)');
}
