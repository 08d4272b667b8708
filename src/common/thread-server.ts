import { parentPort } from 'node:worker_threads';
import { type CallMessage, type CallTable, packError, type ReplyMessage } from './thread-calls.ts';

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
  const answer = async ({ id, call, args }: CallMessage): Promise<ReplyMessage> => {
    try {
      return { id, ok: true, result: await handlers[call as keyof C](args as never) };
    } catch (error) {
      return { id, ok: false, error: packError(error) };
    }
  };
  port.on('message', (message: CallMessage) => {
    void answer(message).then((reply) =>
      port.postMessage(reply, reply.ok ? transferables(reply.result) : []),
    );
  });
}
