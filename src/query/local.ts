import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SightlineError } from '../common/errors.ts';
import { type ErrorMessage, unpackError } from '../common/thread-calls.ts';
import { deferred } from '../common/waits.ts';
import type { EngineJob } from './engine.ts';
import type { QueryAnswer, QueryRequest } from './request.ts';

type Reply = { readonly answer: QueryAnswer } | { readonly error: ErrorMessage };

/** At once; each has a process with its own memory. */
const MAX_RUNNING = 2;
/** Start of the process, and the time that an interrupt may take. */
const GRACE_MS = 5_000;

/**
 * Queries over the Parquet files of file sinks. Each runs in a process of its own: whatever a query does to the engine, the
 * server goes on, and what it held in memory is given back.
 */
export class LocalQueries {
  readonly #options: Pick<EngineJob, 'folders' | 'memoryBytes'>;
  readonly #running = new Set<ChildProcess>();

  constructor(options: Pick<EngineJob, 'folders' | 'memoryBytes'>) {
    this.#options = options;
  }

  /**
   * `signal` ends the query.
   * @throws SightlineError `SL_REQUEST_INVALID`, `SL_TIMEOUT`, `SL_UNAVAILABLE`, `SL_CLOSED` when it was ended
   */
  async run(request: QueryRequest, signal?: AbortSignal): Promise<QueryAnswer> {
    if (this.#running.size >= MAX_RUNNING) {
      const message = `Cannot run the query: ${MAX_RUNNING} others are running`;
      throw new SightlineError('SL_UNAVAILABLE', message);
    }
    const child = startChild();
    this.#running.add(child);
    const { promise, resolve, reject } = deferred<QueryAnswer>();
    const ended = () => reject(new SightlineError('SL_CLOSED', 'The query was ended'));
    const limit = setTimeout(() => {
      const message = `The query was ended after ${request.timeoutMs} ms`;
      reject(new SightlineError('SL_TIMEOUT', message));
    }, request.timeoutMs + GRACE_MS);
    child.once('message', (reply: Reply) => {
      if ('answer' in reply) resolve(reply.answer);
      else reject(unpackError(reply.error));
    });
    child.once('error', (cause) => reject(unavailable(String(cause))));
    child.once('exit', (code, killedBy) =>
      reject(unavailable(`it ended with ${killedBy ?? code}`)),
    );
    signal?.addEventListener('abort', ended, { once: true });
    if (signal?.aborted) ended();
    else child.send({ ...this.#options, ...request }, () => undefined);
    try {
      return await promise;
    } finally {
      clearTimeout(limit);
      signal?.removeEventListener('abort', ended);
      child.kill('SIGKILL');
      this.#running.delete(child);
    }
  }

  /** Ends what runs. */
  close(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }
}

function unavailable(why: string): SightlineError {
  return new SightlineError('SL_UNAVAILABLE', `The process of the query failed: ${why}`);
}

/** It inherits nothing of the environment: there may be credentials in it. */
function startChild(): ChildProcess {
  const fromSource = import.meta.url.endsWith('.ts');
  const entry = new URL(fromSource ? './child.ts' : './child.js', import.meta.url);
  return fork(fileURLToPath(entry), [], {
    execArgv: fromSource ? ['--import', import.meta.resolve('tsx')] : [],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}
