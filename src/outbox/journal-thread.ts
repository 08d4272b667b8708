import { type CallHandlers, serveInTurn } from '../common/thread-server.ts';
import { Journal } from './journal.ts';
import type { JournalCalls } from './protocol.ts';

// Entry of the journal thread: one call after the other, in the order they were posted but for reads. What a read asks
// for is on the disk, and a sink with a backlog would wait for the commits of all that comes in meanwhile.

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

/** Byte arrays of a result: its members, members of its lists, and the `data` or `payload` of its items. */
function transferables(result: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const visit = (value: unknown): void => {
    if (value instanceof Uint8Array) buffers.add(value.buffer as ArrayBuffer);
    else if (Array.isArray(value)) for (const item of value) visit(item);
  };
  if (typeof result !== 'object' || result === null) return [];
  visit(Object.values(result));
  if (Array.isArray(result)) {
    for (const item of result) {
      const { data, payload } = (item ?? {}) as { data?: unknown; payload?: unknown };
      visit(data);
      visit(payload);
    }
  }
  return [...buffers];
}

serveInTurn<JournalCalls>(HANDLERS, ['read', 'readBlobs'], transferables);
