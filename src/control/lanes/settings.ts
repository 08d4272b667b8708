import type { ErrorCode } from '../../common/errors.ts';
import type { BackoffOptions } from '../../common/retry.ts';
import type { StreamPolicy } from '../../worker/protocol.ts';

/** Above one of these a worker is replaced by a fresh one, without a gap. */
export interface WorkerBudget {
  /** Default 1 GiB, and 512 MiB for each stream. */
  readonly rssBytes: number;
  /** Default 128, and 64 for each stream. */
  readonly threads: number;
  /** Default 256, and 64 for each stream. */
  readonly fds: number;
}

/** When a worker that died is started again. The first death after a healthy run is answered at once. */
export interface RestartRules {
  /** Of the waits after further deaths. Default 500 ms doubled up to 30 s, full jitter. */
  readonly backoff: BackoffOptions;
  /** A worker that ran this long starts over with the shortest wait. Default 60000. */
  readonly healthyMs: number;
  /** More deaths than this within `windowMs` are a crash loop. Default 5. */
  readonly maxDeaths: number;
  /** This many deaths within `windowMs` of a worker with several streams begin the search for the one at fault. Default 3. */
  readonly suspectDeaths: number;
  /** Default 600000. */
  readonly windowMs: number;
  /** Wait between tries in a crash loop. Default 300000. */
  readonly crashLoopMs: number;
}

/** How the control process treats its workers. All times in ms, monotonic clock. */
export interface WorkerSettings {
  /** No report of a worker for this long: it hangs, and is ended. Default 10000. */
  readonly heartbeatMs: number;
  /** Between SIGABRT, which leaves a core dump, and SIGKILL. Default 5000. */
  readonly abortMs: number;
  /** A started worker waits, ready, for the next pipeline that needs one. Default true. */
  readonly spare: boolean;
  readonly budget: Partial<WorkerBudget>;
  /** A worker over its budget is replaced no more often. Default 600000. */
  readonly recycleEveryMs: number;
  readonly restart: RestartRules;
  /** A fresh worker has this long, beyond the limits of a start, until its streams are live. Default 20000. */
  readonly handOverMs: number;
  /** Before a quarantined stream is tried again alone. Default 3600000. */
  readonly quarantineMs: number;
  /** A suspect that runs this long without a crash is none. Default 600000. */
  readonly acquitMs: number;
}

/** Any part of it; the rest is as by default. */
export type WorkerSettingsInput = Partial<Omit<WorkerSettings, 'restart'>> & {
  readonly restart?: Partial<RestartRules>;
};

export const RESTART_BACKOFF: BackoffOptions = { baseMs: 500, capMs: 30_000 };
/** Likewise where an engine could not be built: a try takes minutes of the whole GPU. */
export const ENGINE_BACKOFF: BackoffOptions = { baseMs: 10_000, capMs: 600_000 };

const DEFAULTS: WorkerSettings = {
  heartbeatMs: 10_000,
  abortMs: 5_000,
  spare: true,
  budget: {},
  recycleEveryMs: 600_000,
  restart: {
    backoff: RESTART_BACKOFF,
    healthyMs: 60_000,
    maxDeaths: 5,
    suspectDeaths: 3,
    windowMs: 600_000,
    crashLoopMs: 300_000,
  },
  handOverMs: 20_000,
  quarantineMs: 3_600_000,
  acquitMs: 600_000,
};

export function workerSettings(given: WorkerSettingsInput = {}): WorkerSettings {
  return { ...DEFAULTS, ...given, restart: { ...DEFAULTS.restart, ...given.restart } };
}

export const STREAM_POLICY: StreamPolicy = {
  firstFrameTimeoutMs: 15_000,
  stallTimeoutMs: 10_000,
  backoffBaseMs: 1_000,
  backoffCapMs: 30_000,
  authProbeMs: 300_000,
};

/** Refusals by the camera: the state is `rejected`. The worker goes on trying, after a refused password slowly. */
export const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'SL_SOURCE_UNAUTHORIZED',
  'SL_SOURCE_NOT_FOUND',
  'SL_SOURCE_REDIRECTED',
  'SL_SOURCE_UNSUPPORTED',
]);
