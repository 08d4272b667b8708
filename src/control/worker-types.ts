import type { ErrorCode } from '../common/errors.ts';

export type LaneName = 'main' | 'suspects' | 'solo' | 'next';

/** `crash_loop`: it died too often and is tried only every few minutes. */
export type WorkerState =
  | 'starting'
  | 'running'
  | 'backoff'
  | 'crash_loop'
  | 'draining'
  | 'stopped';

/** How a worker process ended. */
export interface WorkerExit {
  /** `ended`: by itself, all streams were over. `stopped`: we asked. `died`: neither. */
  readonly kind: 'ended' | 'stopped' | 'died';
  /** Why we gave it up, where we did: `SL_WORKER_HUNG`, `SL_WORKER_NOT_READY`... */
  readonly fault?: ErrorCode;
  /** Exit code. */
  readonly code?: number;
  readonly signal?: string;
  /** One sentence: why, and for `stopped` how far we had to go (drained, SIGTERM, SIGKILL). */
  readonly message: string;
  /** Its last lines on stderr, secrets removed. */
  readonly stderrTail: readonly string[];
  readonly at: string;
}

export interface WorkerView {
  readonly pipelineId: string;
  readonly state: WorkerState;
  readonly streams: readonly string[];
  /** Absent while no process runs. */
  readonly pid?: number;
  /** As of its last report. */
  readonly rssBytes?: number;
  readonly threads?: number;
  readonly fds?: number;
  /** Cores in use over the last seconds. */
  readonly cpu?: number;
  /**
   * `main`, or why there is another one of this pipeline: `suspects` (some of its streams, one of which is thought to crash
   * it), `solo` (a suspect alone), `next` (a hand-over is under way).
   */
  readonly lane?: LaneName;
  /** Times it was started again after it died. */
  readonly restarts: number;
  readonly startedAt?: string;
  readonly retryAt?: string;
  readonly lastExit?: WorkerExit;
}
