import { readFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

/** The longest time the event loop of this thread was held, ms. */
export interface LoopPauses {
  /** As whoever waits for it sees it. */
  readonly longestMs: number;
  /**
   * Without the time in which the thread wanted to run and had no core, which is the machine's and not ours. The time it
   * waited for helpers of the garbage collector or for a disk counts as ours.
   */
  readonly ownMs: number;
  /** The longest step of the garbage collector, which is a part of one of them. */
  readonly gcMs: number;
}

const STEP_MS = 1;

/** Watches the event loop of the main thread, a look each millisecond. */
export class LoopWatch {
  #longestMs = 0;
  #ownMs = 0;
  #gcMs = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #observer = new PerformanceObserver((list) => this.#collected(list.getEntries()));

  start(): void {
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#look(performance.now(), waitedMs());
  }

  stop(): LoopPauses {
    clearTimeout(this.#timer);
    this.#collected(this.#observer.takeRecords());
    this.#observer.disconnect();
    return { longestMs: this.#longestMs, ownMs: this.#ownMs, gcMs: this.#gcMs };
  }

  #look(lastMs: number, lastWaitedMs: number): void {
    this.#timer = setTimeout(() => {
      const now = performance.now();
      const waited = waitedMs();
      const pauseMs = now - lastMs - STEP_MS;
      this.#longestMs = Math.max(this.#longestMs, pauseMs);
      this.#ownMs = Math.max(this.#ownMs, pauseMs - (waited - lastWaitedMs));
      this.#look(now, waited);
    }, STEP_MS);
  }

  #collected(steps: readonly { readonly duration: number }[]): void {
    for (const { duration } of steps) this.#gcMs = Math.max(this.#gcMs, duration);
  }
}

/** Time this process' main thread was ready to run and had no core, since its start; 0 where the kernel does not say. */
function waitedMs(): number {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
    return Number(text.split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
