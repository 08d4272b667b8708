import { workerData } from 'node:worker_threads';
import type { DeliveryResult, PendingRecord, Sink } from '../../common/delivery.ts';
import { unpackError } from '../../common/thread-calls.ts';
import { standBehindMainThread } from '../../common/thread-priority.ts';
import { serveCalls, tellOwner } from '../../common/thread-server.ts';
import { createDirectSink } from '../direct.ts';
import type { EventLog } from '../event-log.ts';
import { type PackedBatch, unpackBatch } from './batch.ts';
import type { DeliverReply, LogEvent, SinkCalls, SinkThreadOptions } from './protocol.ts';
import { packResults } from './results.ts';

// Entry of a sink's thread: its client library, its encoding and its waits are here.

/** What is late here waits in the outbox. */
const NICE = 5;

standBehindMainThread(NICE);

interface Unpacked {
  readonly records: PendingRecord[];
  readonly memory: ArrayBuffer;
}

let prepared: (Unpacked & { readonly batchId: number }) | undefined;
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

function unpack(batch: PackedBatch): Unpacked {
  return { records: unpackBatch(batch), memory: batch.bytes.buffer as ArrayBuffer };
}

function unpackedOf(batchId: number, batch: PackedBatch | undefined): Unpacked {
  const ahead = prepared;
  prepared = undefined;
  if (batch !== undefined) return unpack(batch);
  if (ahead?.batchId === batchId) return ahead;
  throw new Error(`Batch ${batchId} was not prepared`);
}

/** A sink may remember a record that it will be given again, and send what is on its way for longer than it waited. */
function isDoneWith(results: readonly DeliveryResult[]): boolean {
  return results.every(({ status }) => status !== 'retry');
}

function buffersOf(result: unknown): ArrayBuffer[] {
  const { memory } = (result ?? {}) as Partial<DeliverReply>;
  return memory === undefined ? [] : [memory];
}

serveCalls<SinkCalls>(
  {
    async start() {
      (await made).start?.();
      return undefined;
    },
    async prepare({ batchId, batch }) {
      const unpacked = unpack(batch);
      prepared = { ...unpacked, batchId };
      (await made).prepare?.(unpacked.records);
      return undefined;
    },
    async deliver({ batchId, batch }) {
      const { records, memory } = unpackedOf(batchId, batch);
      const abort = new AbortController();
      running.set(batchId, abort);
      try {
        const sink = await made;
        const results = await sink.deliver(records, { signal: abort.signal });
        const isDone = !abort.signal.aborted && isDoneWith(results);
        return { results: packResults(results), memory: isDone ? memory : undefined };
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
  },
  buffersOf,
);
