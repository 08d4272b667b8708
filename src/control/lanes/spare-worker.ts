import type { Logger } from '../../common/logger.ts';
import type { IncidentStore } from '../incidents/incident-store.ts';
import { Scrubber } from '../scrubber.ts';
import type { StartGate } from '../start-gate.ts';
import type { WorkerCommand } from '../worker-command.ts';
import { type WorkerLimits, WorkerProcess } from '../worker-process.ts';

/** After a worker has begun to run: its start has the processors for itself until then. */
const CALM_MS = 2_000;
/** One that died is not followed sooner. */
const AFTER_DEATH_MS = 30_000;
/** A healthy one answers in a few; else it is not used. */
const ANSWER_MS = 300;

export interface SpareWorkerOptions {
  readonly command: WorkerCommand;
  readonly gate: StartGate;
  readonly logger: Logger;
  readonly limits?: Partial<WorkerLimits>;
  readonly incidents?: IncidentStore;
  /** Default 2000. */
  readonly calmMs?: number;
}

/** One started worker that waits, ready and idle, for whoever needs one next: that one's streams are live sooner. */
export class SpareWorker {
  readonly #options: SpareWorkerOptions;
  readonly #closing = new AbortController();
  #worker: WorkerProcess | undefined;
  #launching: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Those that did not answer. */
  #ending: Promise<unknown> = Promise.resolve();
  #started = 0;
  #used = 0;
  #lost = 0;

  constructor(options: SpareWorkerOptions) {
    this.#options = options;
  }

  /** Since the start of the process; `lost`: died, or did not answer when it was needed. */
  get stats(): { readonly started: number; readonly used: number; readonly lost: number } {
    return { started: this.#started, used: this.#used, lost: this.#lost };
  }

  /** Of the one that waits. */
  get pid(): number | undefined {
    return this.#worker?.pid;
  }

  /** Sees to it that one waits, soon. */
  prepare(afterMs: number = this.#options.calmMs ?? CALM_MS): void {
    if (this.#worker !== undefined || this.#launching !== undefined) return;
    if (this.#closing.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#launching = this.#launch().finally(() => {
        this.#launching = undefined;
      });
    }, afterMs);
    this.#timer.unref();
  }

  /** The one that waits, or undefined where none does; it is the caller's to adopt and to end. */
  async take(): Promise<WorkerProcess | undefined> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return undefined;
    if (await worker.answers(ANSWER_MS)) {
      this.#used += 1;
      return worker;
    }
    this.#lost += 1;
    this.#ending = Promise.all([this.#ending, worker.stop({ drainMs: 0 })]);
    return undefined;
  }

  /** Ends it; no process is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#launching;
    await Promise.all([this.#worker?.stop({ drainMs: 0 }), this.#ending]);
  }

  async #launch(): Promise<void> {
    const { command, gate, logger, limits, incidents } = this.#options;
    const blackBox = incidents?.openBlackBox();
    try {
      const worker = await gate.run(() =>
        WorkerProcess.launch(
          {
            ...{ command, logger, scrubber: new Scrubber() },
            ...(limits === undefined ? {} : { limits }),
            ...(blackBox === undefined ? {} : { blackBox }),
            onEvent: () => undefined,
            onRecords: () => undefined,
            onExit: () => undefined,
          },
          { signal: this.#closing.signal },
        ),
      );
      this.#started += 1;
      this.#worker = worker;
      void worker.exited.then(() => this.#onExit(worker));
    } catch {
      // A worker that is needed will say why; this one is tried again after the next that runs.
      if (!this.#closing.signal.aborted) this.#lost += 1;
    }
  }

  #onExit(worker: WorkerProcess): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    if (this.#closing.signal.aborted) return;
    this.#lost += 1;
    this.prepare(AFTER_DEATH_MS);
  }
}
