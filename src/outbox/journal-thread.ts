import { parentPort } from 'node:worker_threads';
import { toSightlineError } from '../common/errors.ts';
import { Journal } from './journal.ts';
import type { CallMessage, JournalCall, JournalCalls, ReplyMessage } from './protocol.ts';

// Entry of the journal thread: one call after the other, in the order they were posted.

type Handlers = {
  [C in JournalCall]: (args: JournalCalls[C]['args']) => JournalCalls[C]['result'];
};

let journal: Journal | undefined;

function opened(): Journal {
  if (journal === undefined) throw new Error('The journal is not open');
  return journal;
}

const HANDLERS: Handlers = {
  open(options) {
    journal = new Journal(options);
    return journal.state();
  },
  commit: (request) => opened().commit(request),
  read: (request) => opened().read(request),
  readBlobs: (seqs) => opened().readBlobs(seqs),
  oldest: (request) => opened().oldest(request),
  deadLetters: ({ sinkId, limit }) => opened().deadLetters(sinkId, limit),
  close() {
    journal?.close();
    journal = undefined;
    return undefined;
  },
};

function answer(message: CallMessage): ReplyMessage {
  try {
    const handler = HANDLERS[message.call] as (args: unknown) => unknown;
    return { id: message.id, ok: true, result: handler(message.args) };
  } catch (error) {
    const { code, message: text, details } = toSightlineError(error);
    return { id: message.id, ok: false, code, message: text, details };
  }
}

/** The buffers of a reply that may change hands. */
function transferables(reply: ReplyMessage): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const visit = (value: unknown): void => {
    if (value instanceof Uint8Array) buffers.add(value.buffer as ArrayBuffer);
    else if (Array.isArray(value)) for (const item of value) visit(item);
  };
  if (!reply.ok || typeof reply.result !== 'object' || reply.result === null) return [];
  visit(Object.values(reply.result));
  if (Array.isArray(reply.result)) {
    for (const item of reply.result)
      if (item !== undefined) visit((item as { data?: unknown }).data);
  }
  return [...buffers];
}

const port = parentPort;
if (port === null) throw new Error('journal-thread.ts runs in a worker thread only');
port.on('message', (message: CallMessage) => {
  const reply = answer(message);
  port.postMessage(reply, transferables(reply));
});
