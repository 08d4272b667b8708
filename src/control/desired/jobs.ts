import { randomUUID } from 'node:crypto';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { JobView, StreamChangeReport } from '../types.ts';

const KEPT = 1_000;

/** What the work of a job gave. */
export interface JobResult {
  /** One sentence. */
  readonly progress: string;
  readonly streams?: readonly StreamChangeReport[];
}

export interface Job {
  readonly id: string;
  /** Settles with the job; never rejects. */
  readonly ended: Promise<void>;
}

/** Work that takes longer than an answer may wait. The newest 1000 jobs are kept in memory; those that run always. */
export class Jobs {
  readonly #jobs = new Map<string, JobView>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Begins. What an error says may be shown. */
  start(
    facts: Pick<JobView, 'kind' | 'subject' | 'progress'>,
    work: (onProgress: (text: string) => void) => Promise<JobResult>,
  ): Job {
    const id = randomUUID();
    this.#jobs.set(id, { id, ...facts, state: 'running', createdAt: this.#now().toISOString() });
    this.#trim();
    const ended = work((progress) => this.#note(id, { progress })).then(
      (result) =>
        this.#note(id, { state: 'succeeded', ...result, endedAt: this.#now().toISOString() }),
      (error: unknown) => {
        const { code, message } = toSightlineError(error);
        const failure = { progress: message, error: { code, message } };
        this.#note(id, { state: 'failed', ...failure, endedAt: this.#now().toISOString() });
      },
    );
    return { id, ended };
  }

  /** Throws `SL_NOT_FOUND`. */
  get(id: string): JobView {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    throw new SightlineError(
      'SL_NOT_FOUND',
      `There is no job '${id}': they are kept until the server ends, the newest ${KEPT}`,
    );
  }

  /** Oldest first. */
  list(): readonly JobView[] {
    return [...this.#jobs.values()];
  }

  #note(id: string, news: Partial<JobView>): void {
    const job = this.#jobs.get(id);
    if (job?.state === 'running') this.#jobs.set(id, { ...job, ...news });
  }

  #trim(): void {
    for (const [id, { state }] of this.#jobs) {
      if (this.#jobs.size <= KEPT) return;
      if (state !== 'running') this.#jobs.delete(id);
    }
  }
}
