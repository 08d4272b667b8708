import { settlesWithin } from '../../common/waits.ts';
import type { EventFacts } from '../event-log.ts';
import type { WorkerProcess } from '../worker-process.ts';

/** At least this long is what a gone worker had sent read out, whatever the drain took. */
const READ_OUT_MS = 100;

/** The data lines of a lane's workers that are not read to their end; some of the workers are gone already. */
export class DataLines {
  readonly #unread = new Set<WorkerProcess>();
  readonly #onLost: (facts: EventFacts) => void;

  /** `onLost` hears of a line that was given up with something in it. */
  constructor(onLost: (facts: EventFacts) => void) {
    this.#onLost = onLost;
  }

  add(worker: WorkerProcess): void {
    this.#unread.add(worker);
    void worker.drained.then(() => this.#unread.delete(worker));
  }

  /** What workers had sent is still taken, as far as the consumer does so until `deadlineMs` (monotonic). */
  async close(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#unread].map((worker) => this.#readOut(worker, deadlineMs)));
  }

  async #readOut(worker: WorkerProcess, deadlineMs: number): Promise<void> {
    const leftMs = Math.max(READ_OUT_MS, deadlineMs - performance.now());
    if (await settlesWithin(worker.drained, leftMs)) return;
    worker.discardData();
    const message =
      'The consumer held back until the end of the drain; what was still in the line is lost';
    this.#onLost({ pid: worker.pid, code: 'SL_OUTBOX_FULL', message });
  }
}
