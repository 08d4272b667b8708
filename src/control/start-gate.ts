import { availableParallelism } from 'node:os';

/** Lets only so many workers start at once, so that a crowd does not make each other miss the ready limit. */
export class StartGate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `width`: default one a core, at least 2. */
  constructor(width: number = Math.max(2, availableParallelism())) {
    this.#free = width;
  }

  async run<T>(start: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await start();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
