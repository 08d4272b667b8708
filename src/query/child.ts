import { setPriority } from 'node:os';
import { SightlineError } from '../common/errors.ts';
import { packError } from '../common/thread-calls.ts';
import { type EngineJob, runQuery } from './engine.ts';

/**
 * The process of one query: a job comes over the channel, an answer or an error goes back, and it ends. Cameras go first,
 * so it is a nice one.
 */

/** Beside DuckDB's own memory: Node, the engine, and what is between them. */
const OVERHEAD_BYTES = 512 * 1024 * 1024;
const WATCH_MS = 25;
const NICE = 10;

const reply = (message: object): void => {
  process.send?.(message, end);
};

/** exit() would wait for the thread of a query that runs. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

process.once('disconnect', end);
process.once('message', (job: EngineJob) => {
  setPriority(NICE);
  // Texts on their way into the answer are not in DuckDB's count.
  setInterval(() => {
    if (process.memoryUsage.rss() < job.memoryBytes + OVERHEAD_BYTES) return;
    const message = 'Cannot run the query: it needs too much memory';
    reply({ error: packError(new SightlineError('SL_REQUEST_INVALID', message)) });
  }, WATCH_MS);
  runQuery(job).then(
    (answer) => reply({ answer }),
    (error: unknown) => reply({ error: packError(error) }),
  );
});
