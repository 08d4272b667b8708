import { standBehindMainThread } from '../common/thread-priority.ts';
import { type CallHandlers, serveInTurn } from '../common/thread-server.ts';
import { Journal } from './journal.ts';
import type { JournalCalls } from './protocol.ts';

// Entry of the journal thread: one call after the other, in the order they were posted but for reads. What a read asks
// for is on the disk, and a sink with a backlog would wait for the commits of all that comes in meanwhile.

/** In front of the sinks. Further back, intake would fall behind on a box whose workers keep every core busy. */
const NICE = 2;

standBehindMainThread(NICE);

let journal: Journal | undefined;

function opened(): Journal {
  if (journal === undefined) throw new Error('The journal is not open');
  return journal;
}

const HANDLERS: CallHandlers<JournalCalls> = {
  open(options) {
    journal = new Journal(options);
    return journal.state();
  },
  commit: (request) => opened().commit(request),
  read: (request) => opened().read(request),
  readBlobs: (seqs) => opened().readBlobs(seqs),
  headers: (request) => opened().headers(request),
  shrink: ({ maxBytes }) => opened().shrink(maxBytes),
  deadLetters: (query) => opened().deadLetters(query),
  takeDeadLetters: (request) => opened().takeDeadLetters(request),
  purgeDeadLetters: (choice) => opened().purgeDeadLetters(choice),
  close() {
    journal?.close();
    journal = undefined;
    return undefined;
  },
};

/** Of objects in each other, in a result. */
const MAX_DEPTH = 2;

/** The buffers in a result that change hands. Shared ones do not. */
function transferables(result: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const visit = (value: unknown, depth: number): void => {
    if (value instanceof Uint8Array) {
      if (value.buffer instanceof ArrayBuffer) buffers.add(value.buffer);
    } else if (Array.isArray(value)) for (const item of value) visit(item, depth);
    else if (depth > 0 && typeof value === 'object' && value !== null) {
      for (const member of Object.values(value)) visit(member, depth - 1);
    }
  };
  visit(result, MAX_DEPTH);
  return [...buffers];
}

serveInTurn<JournalCalls>(HANDLERS, ['read', 'readBlobs'], transferables);
