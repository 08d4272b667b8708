import { setTimeout as wait } from 'node:timers/promises';
import { SightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { deferred, settlesWithin } from '../common/waits.ts';
import type { EngineRequest } from '../pipeline/engine-request.ts';
import { describeEngine } from './engine-reason.ts';
import type { EngineProgress, EngineStats, EngineStore } from './types.ts';

const PROGRESS_MS = 1_000;
const LOCK_POLL_MS = 1_000;

/** The files of the cache. Each may throw `SL_UNAVAILABLE` when the folder cannot be used. */
export interface EngineFiles {
  /** True when the engine is there, whole and marked; it counts as used now. */
  ready(request: EngineRequest): Promise<boolean>;
  /** Lays out the engine's folder; what a broken build left is removed. */
  prepare(request: EngineRequest): Promise<void>;
  /** Marks the engine as whole. Throws `SL_ENGINE_FAILED` when there is none. */
  complete(request: EngineRequest, facts: { readonly buildSeconds: number }): Promise<void>;
  /** Takes the cache for one build; undefined while another process of this machine builds. */
  tryLock(): { release(): void } | undefined;
}

/** Builds one engine; resolves when it ran. Throws `SL_ENGINE_FAILED`; ends soon when `signal` aborts. */
export type EngineBuilder = (request: EngineRequest, signal: AbortSignal) => Promise<void>;

export interface EngineStoreOptions {
  readonly files: EngineFiles;
  readonly build: EngineBuilder;
  readonly logger: Logger;
  /** Longest build, and longest wait for one of another process. Default 30 minutes. */
  readonly limitMs?: number;
}

export const ENGINE_BUILD_LIMIT_MS = 30 * 60_000;

/** One engine that is queued or built, with everyone who waits for it. */
interface Job {
  readonly request: EngineRequest;
  readonly done: Promise<void>;
  readonly abort: AbortController;
  buildingSinceMs?: number;
  waiters: number;
}

/** Creates the store of a control process. */
export function createEngineStore(options: EngineStoreOptions): EngineStore {
  return new QueueingEngineStore(options);
}

/** Builds engines one after the other: two builds at once would both be slow and may not fit the GPU's memory. */
class QueueingEngineStore implements EngineStore {
  readonly #options: EngineStoreOptions;
  readonly #limitMs: number;
  readonly #jobs = new Map<string, Job>();
  #last: Promise<unknown> = Promise.resolve();
  #reused = 0;
  #built = 0;
  #failed = 0;
  #building = 0;
  #buildSeconds = 0;

  constructor(options: EngineStoreOptions) {
    this.#options = options;
    this.#limitMs = options.limitMs ?? ENGINE_BUILD_LIMIT_MS;
  }

  get stats(): EngineStats {
    return {
      reused: this.#reused,
      built: this.#built,
      failed: this.#failed,
      building: this.#building,
      buildSeconds: this.#buildSeconds,
    };
  }

  async ensure(
    requests: readonly EngineRequest[],
    options: { signal: AbortSignal; onProgress: (progress: EngineProgress) => void },
  ): Promise<void> {
    const unique = new Map(requests.map((request) => [request.key, request]));
    for (const request of unique.values()) {
      throwIfAborted(options.signal);
      if (!this.#jobs.has(request.key) && (await this.#options.files.ready(request))) {
        this.#reused += 1;
        continue;
      }
      throwIfAborted(options.signal);
      await this.#await(request, options);
    }
  }

  /** Waits for the job of this engine, which it begins when there is none. */
  async #await(
    request: EngineRequest,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (p: EngineProgress) => void },
  ): Promise<void> {
    const job = this.#jobOf(request);
    job.waiters += 1;
    const sinceMs = performance.now();
    const tell = () =>
      onProgress({
        request,
        phase: job.buildingSinceMs === undefined ? 'queued' : 'building',
        elapsedMs: performance.now() - (job.buildingSinceMs ?? sinceMs),
      });
    const aborted = deferred<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      tell();
      const over = Promise.race([job.done, aborted.promise]);
      while (!(await settlesWithin(over, PROGRESS_MS))) tell();
      throwIfAborted(signal);
      await job.done;
    } finally {
      signal.removeEventListener('abort', onAbort);
      job.waiters -= 1;
      if (job.waiters === 0) job.abort.abort();
    }
  }

  /** The job under way, unless it was given up and only ends. */
  #jobOf(request: EngineRequest): Job {
    const known = this.#jobs.get(request.key);
    if (known !== undefined && !known.abort.signal.aborted) return known;
    const abort = new AbortController();
    const done = this.#last.then(() => this.#run(job));
    const job: Job = { request, done, abort, waiters: 0 };
    this.#last = done.catch(() => undefined);
    this.#jobs.set(request.key, job);
    void this.#last.then(() => {
      if (this.#jobs.get(request.key) === job) this.#jobs.delete(request.key);
    });
    return job;
  }

  async #run(job: Job): Promise<void> {
    const { request } = job;
    const { signal } = job.abort;
    const { files } = this.#options;
    throwIfAborted(signal);
    const lock = await this.#lock(request, signal);
    try {
      // Another process may have built it meanwhile.
      if (await files.ready(request)) this.#reused += 1;
      else await this.#build(job);
    } finally {
      lock.release();
    }
  }

  async #build(job: Job): Promise<void> {
    const { request } = job;
    const { files, build, logger } = this.#options;
    const engine = describeEngine(request);
    const startedMs = performance.now();
    job.buildingSinceMs = startedMs;
    this.#building += 1;
    logger.info({ engine, key: request.key }, 'engine.building');
    const timeout = AbortSignal.timeout(this.#limitMs);
    try {
      await files.prepare(request);
      await build(request, AbortSignal.any([job.abort.signal, timeout]));
      const buildSeconds = Math.round((performance.now() - startedMs) / 1000);
      await files.complete(request, { buildSeconds });
      this.#built += 1;
      this.#buildSeconds += buildSeconds;
      logger.info({ engine, key: request.key, buildSeconds }, 'engine.built');
    } catch (error) {
      throwIfAborted(job.abort.signal);
      this.#failed += 1;
      if (!timeout.aborted) throw error;
      throw new SightlineError(
        'SL_ENGINE_FAILED',
        `The TensorRT engine of ${engine} was not built within ${Math.round(this.#limitMs / 1000)} s: ` +
          'raise deepstream.buildLimitMs, or choose a smaller batch or model',
        { cause: error },
      );
    } finally {
      this.#building -= 1;
    }
  }

  async #lock(request: EngineRequest, signal: AbortSignal): Promise<{ release(): void }> {
    const deadlineMs = performance.now() + this.#limitMs;
    for (;;) {
      const lock = this.#options.files.tryLock();
      if (lock !== undefined) return lock;
      if (performance.now() >= deadlineMs) {
        throw new SightlineError(
          'SL_ENGINE_FAILED',
          `Cannot build the TensorRT engine of ${describeEngine(request)}: another process has used the cache for more than ${Math.round(this.#limitMs / 1000)} s`,
        );
      }
      await wait(LOCK_POLL_MS, undefined, { signal }).catch(() => undefined);
      throwIfAborted(signal);
    }
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new SightlineError('SL_CLOSED', 'The wait for an engine was given up');
}
