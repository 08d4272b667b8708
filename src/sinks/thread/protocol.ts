import type { ErrorMessage } from '../../common/thread-calls.ts';
import type { EventLog } from '../event-log.ts';
import type { SinkSpec } from '../specs.ts';
import type { PackedBatch } from './batch.ts';
import type { PackedResults } from './results.ts';

/** What a sink's thread is made with: its `workerData`. It never leaves the process. */
export interface SinkThreadOptions {
  readonly spec: SinkSpec;
  /** Where relative paths in the spec start. */
  readonly baseDir: string;
}

export interface SinkCalls {
  start: { args: undefined; result: undefined };
  /** What the next `deliver` is likely to be for; it takes the place of what was prepared before. */
  prepare: {
    args: { readonly batchId: number; readonly batch: PackedBatch };
    result: undefined;
  };
  deliver: {
    /** Without `batch`: the one that was prepared last, under the same number. */
    args: { readonly batchId: number; readonly batch: PackedBatch | undefined };
    result: DeliverReply;
  };
  /** Ends the attempt with a batch for a reason; its `deliver` fails or says what became of it. */
  abort: { args: { readonly batchId: number; readonly reason: ErrorMessage }; result: undefined };
  close: { args: undefined; result: undefined };
}

export interface DeliverReply {
  readonly results: PackedResults;
  /** What the batch came in; kept while the sink may still look at it. */
  readonly memory: ArrayBuffer | undefined;
}

/** A line for the log of the process. */
export interface LogEvent {
  readonly level: keyof EventLog;
  readonly facts: object;
  readonly event: string;
}
