import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import {
  type CallMessage,
  type CallTable,
  type EventMessage,
  packError,
  type ReplyMessage,
} from './thread-calls.ts';

type CallReply = Exclude<ReplyMessage, EventMessage>;

export type CallHandlers<C extends CallTable<C>> = {
  readonly [K in keyof C]: (args: C[K]['args']) => C[K]['result'] | Promise<C[K]['result']>;
};

/** Lists the buffers of a result that may change hands; the others are copied. */
type Transferables = (result: unknown) => readonly ArrayBuffer[];

/** Answers the calls of a ThreadClient: the whole body of a thread's module. Handlers begin in the order of the calls. */
export function serveCalls<C extends CallTable<C>>(
  handlers: CallHandlers<C>,
  transferables: Transferables = () => [],
): void {
  const port = ownPort();
  port.on('message', (message: CallMessage) => {
    void answer(handlers, message).then((reply) => post(port, reply, transferables));
  });
}

/**
 * The same, one call after the other: the next begins when the answer to the last is posted. Calls named in `first`
 * overtake the others that wait.
 */
export function serveInTurn<C extends CallTable<C>>(
  handlers: CallHandlers<C>,
  first: readonly (keyof C)[],
  transferables: Transferables,
): void {
  const port = ownPort();
  const waiting: CallMessage[] = [];
  const next = (): CallMessage | undefined => {
    for (;;) {
      const more = receiveMessageOnPort(port);
      if (more === undefined) break;
      waiting.push(more.message as CallMessage);
    }
    const urgent = waiting.findIndex(({ call }) => first.includes(call as keyof C));
    return waiting.splice(Math.max(0, urgent), 1)[0];
  };
  let isServing = false;
  const serve = async (): Promise<void> => {
    isServing = true;
    for (let message = next(); message !== undefined; message = next()) {
      post(port, await answer(handlers, message), transferables);
    }
    isServing = false;
  };
  port.on('message', (message: CallMessage) => {
    waiting.push(message);
    if (!isServing) void serve();
  });
}

function ownPort(): MessagePort {
  if (parentPort === null) throw new Error('A module of a thread runs in a worker thread only');
  return parentPort;
}

async function answer<C extends CallTable<C>>(
  handlers: CallHandlers<C>,
  { id, call, args }: CallMessage,
): Promise<CallReply> {
  try {
    return { id, ok: true, result: await handlers[call as keyof C](args as never) };
  } catch (error) {
    return { id, ok: false, error: packError(error) };
  }
}

/** Tells whoever made this thread something that no call asked for. It must be fit for structured cloning. */
export function tellOwner(event: unknown): void {
  parentPort?.postMessage({ event } satisfies EventMessage);
}

function post(port: MessagePort, reply: CallReply, transferables: Transferables): void {
  try {
    port.postMessage(reply, reply.ok ? transferables(reply.result) : []);
  } catch (thrown) {
    // Details of an error that cannot be cloned stay behind, what it says does not.
    const error = reply.ok ? packError(thrown) : { ...reply.error, details: {} };
    port.postMessage({ id: reply.id, ok: false, error } satisfies ReplyMessage);
  }
}
