import type { Job } from '../api/schemas.ts';
import { Resource } from './resource.ts';
import { pause } from './transport.ts';
import type { CallOptions } from './types.ts';

export interface JobFilters {
  readonly state?: Job['state'];
  /** Of this pipeline or stream. */
  readonly subject?: string;
}

/** A job ended without success; `job.error` says why. */
export class SightlineJobError extends Error {
  readonly job: Job;

  constructor(job: Job) {
    super(`${job.kind} of ${job.subject} failed: ${job.error?.message ?? job.progress}`);
    this.name = 'SightlineJobError';
    this.job = job;
  }
}

const FIRST_POLL_MS = 100;
const LAST_POLL_MS = 2_000;

export class Jobs extends Resource<Job, JobFilters> {
  /** Waits until it has ended well, at most `timeoutMs` (default 120000). Throws SightlineJobError when it fails. */
  async wait(id: string, options: CallOptions & { timeoutMs?: number } = {}): Promise<Job> {
    const { timeoutMs = 120_000, signal } = options;
    const until = performance.now() + timeoutMs;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LAST_POLL_MS)) {
      const job = await this.get(id, options);
      if (job.state === 'succeeded') return job;
      if (job.state === 'failed') throw new SightlineJobError(job);
      if (performance.now() + pollMs > until) {
        throw new Error(`${job.kind} of ${job.subject} still runs after ${timeoutMs} ms`);
      }
      await pause(pollMs, signal);
      signal?.throwIfAborted();
    }
  }
}
