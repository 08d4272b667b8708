import { type MessagePort, parentPort } from 'node:worker_threads';
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

/**
 * Answers the calls of a ThreadClient: the whole body of a thread's module. Handlers begin in the order of the calls.
 * `transferables` lists the buffers of a result that may change hands (default none: they are copied).
 */
export function serveCalls<C extends CallTable<C>>(
  handlers: CallHandlers<C>,
  transferables: (result: unknown) => readonly ArrayBuffer[] = () => [],
): void {
  const port = parentPort;
  if (port === null) throw new Error('A module of a thread runs in a worker thread only');
  const answer = async ({ id, call, args }: CallMessage): Promise<CallReply> => {
    try {
      return { id, ok: true, result: await handlers[call as keyof C](args as never) };
    } catch (error) {
      return { id, ok: false, error: packError(error) };
    }
  };
  port.on('message', (message: CallMessage) => {
    void answer(message).then((reply) => post(port, reply, transferables));
  });
}

/** Tells whoever made this thread something that no call asked for. It must be fit for structured cloning. */
export function tellOwner(event: unknown): void {
  parentPort?.postMessage({ event } satisfies EventMessage);
}

function post(
  port: MessagePort,
  reply: CallReply,
  transferables: (result: unknown) => readonly ArrayBuffer[],
): void {
  try {
    port.postMessage(reply, reply.ok ? transferables(reply.result) : []);
  } catch (thrown) {
    // Details of an error that cannot be cloned stay behind, what it says does not.
    const error = reply.ok ? packError(thrown) : { ...reply.error, details: {} };
    port.postMessage({ id: reply.id, ok: false, error } satisfies ReplyMessage);
  }
}
