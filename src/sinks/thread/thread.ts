import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import type { PendingRecord, Sink } from '../../common/delivery.ts';
import { unpackError } from '../../common/thread-calls.ts';
import { serveCalls, tellOwner } from '../../common/thread-server.ts';
import { createDirectSink } from '../direct.ts';
import type { EventLog } from '../event-log.ts';
import { type PackedBatch, unpackBatch } from './batch.ts';
import type { LogEvent, SinkCalls, SinkThreadOptions } from './protocol.ts';
import { packResults } from './results.ts';

// Entry of a sink's thread: its client library, its encoding and its waits are here.

/** Of `nice`: what is late here waits in the outbox, what is late in the event loop is felt by everybody. */
const NICE = 5;

// On Linux this is of the calling thread alone.
if (process.platform === 'linux') setPriority(NICE);

let prepared: { readonly batchId: number; readonly records: PendingRecord[] } | undefined;
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

function recordsOf(batchId: number, batch: PackedBatch | undefined): PendingRecord[] {
  const ahead = prepared;
  prepared = undefined;
  if (batch !== undefined) return unpackBatch(batch);
  if (ahead?.batchId === batchId) return ahead.records;
  throw new Error(`Batch ${batchId} was not prepared`);
}

serveCalls<SinkCalls>({
  async start() {
    (await made).start?.();
    return undefined;
  },
  async prepare({ batchId, batch }) {
    const records = unpackBatch(batch);
    prepared = { batchId, records };
    (await made).prepare?.(records);
    return undefined;
  },
  async deliver({ batchId, batch }) {
    const records = recordsOf(batchId, batch);
    const abort = new AbortController();
    running.set(batchId, abort);
    try {
      const sink = await made;
      return packResults(await sink.deliver(records, { signal: abort.signal }));
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
