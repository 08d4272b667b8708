import { workerData } from 'node:worker_threads';
import type { DeliveryResult } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { packError } from '../../common/thread-calls.ts';
import { serveCalls } from '../../common/thread-server.ts';
import {
  type FileCalls,
  type FileThreadOptions,
  unpackBatch,
  type WriteReply,
} from './protocol.ts';
import { FileWriter } from './writer.ts';

// Entry of a file sink's thread: turning frames into JSON and waiting for the disk happen here.

const MAX_NOTES = 100;
const running = new Map<number, AbortController>();
let cut: WriteReply['cut'][number][] = [];
let notes: WriteReply['notes'][number][] = [];
const writer = new FileWriter({
  ...(workerData as FileThreadOptions),
  onCut: (path, bytes) => cut.push({ path, bytes }),
  onNote: (note) => {
    // What fails with every sweep while nothing is written is told once in a while, not each time.
    if (notes.length < MAX_NOTES) notes.push(note);
  },
});

function replyTo(results: readonly DeliveryResult[]): WriteReply {
  const failures = results.flatMap((result, index) =>
    !('error' in result) ? [] : [{ index, status: result.status, error: packError(result.error) }],
  );
  const reply = { failures, cut, notes };
  cut = [];
  notes = [];
  return reply;
}

serveCalls<FileCalls>({
  async write({ batchId, batch }) {
    const abort = new AbortController();
    running.set(batchId, abort);
    try {
      return replyTo(await writer.write(unpackBatch(batch), abort));
    } finally {
      running.delete(batchId);
    }
  },
  abort({ batchId }) {
    running.get(batchId)?.abort(new SightlineError('SL_CLOSED', 'The batch was given up'));
    return undefined;
  },
  async close() {
    await writer.close();
    return undefined;
  },
});
