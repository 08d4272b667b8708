import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import type { Sink } from '../../common/delivery.ts';
import { unpackError } from '../../common/thread-calls.ts';
import { serveCalls, tellOwner } from '../../common/thread-server.ts';
import { createDirectSink } from '../direct.ts';
import type { EventLog } from '../event-log.ts';
import { unpackBatch } from './batch.ts';
import type { LogEvent, SinkCalls, SinkThreadOptions } from './protocol.ts';
import { packResults } from './results.ts';

// Entry of a sink's thread: its client library, its encoding and its waits are here.

/** Of `nice`: what is late here waits in the outbox, what is late in the event loop is felt by everybody. */
const NICE = 5;

// On Linux this is of the calling thread alone.
if (process.platform === 'linux') setPriority(NICE);

const running = new Map<number, AbortController>();
const { spec, baseDir } = workerData as SinkThreadOptions;
const made: Promise<Sink> = createDirectSink(spec, { baseDir, logger: log() });
// What is wrong with it is said to every call.
made.catch(() => undefined);

function log(): EventLog {
  const at = (level: LogEvent['level']) => (facts: object, event: string) => {
    try {
      tellOwner({ level, facts, event } satisfies LogEvent);
    } catch {
      // Facts that cannot be cloned.
      tellOwner({ level, facts: { sink: spec.id }, event } satisfies LogEvent);
    }
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

serveCalls<SinkCalls>({
  async start() {
    (await made).start?.();
    return undefined;
  },
  async deliver({ batchId, batch }) {
    const abort = new AbortController();
    running.set(batchId, abort);
    try {
      const sink = await made;
      return packResults(await sink.deliver(unpackBatch(batch), { signal: abort.signal }));
    } finally {
      running.delete(batchId);
    }
  },
  abort({ batchId, reason }) {
    running.get(batchId)?.abort(unpackError(reason));
    return undefined;
  },
  async close() {
    await (await made).close();
    return undefined;
  },
});
