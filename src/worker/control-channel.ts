import { Socket } from 'node:net';
import { toSightlineError } from '../common/errors.ts';
import type { WorkerEvent, WorkerMethods, WorkerReply, WorkerRequest } from './protocol.ts';

/** Unread bytes after which events that can be missed (stats, logs) are dropped and counted. 1 MiB. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** A longer line is no request of ours. 64 MiB: a start request carries every graph. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

export type WorkerHandlers = {
  readonly [M in keyof WorkerMethods]: (
    params: WorkerMethods[M]['params'],
  ) => Promise<WorkerMethods[M]['result']>;
};

export interface ControlChannelOptions {
  readonly handlers: WorkerHandlers;
  /** A request came; `about` is the graph it is about, where it is about one. */
  readonly onRequest: (method: string, about: string) => void;
  /** The control process has closed the line or is gone. Called once. */
  readonly onClosed: () => void;
}

/** The worker's end of the control line: requests in, replies and events out, a JSON text a line. */
export class ControlChannel {
  readonly #socket: Socket;
  readonly #handlers: WorkerHandlers;
  readonly #onRequest: ControlChannelOptions['onRequest'];
  #unread = '';
  #dropped = 0;
  #open = true;

  constructor(fd: number, options: ControlChannelOptions) {
    this.#handlers = options.handlers;
    this.#onRequest = options.onRequest;
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => this.#read(text));
    // EPIPE and resets: the other end is gone; `close` follows.
    this.#socket.on('error', () => undefined);
    const close = () => {
      if (!this.#open) return;
      this.#open = false;
      options.onClosed();
    };
    this.#socket.on('end', close);
    this.#socket.on('close', close);
  }

  /** Sends an event. Stats and logs are dropped while the reader is far behind; the next log tells how many. */
  send(event: WorkerEvent): void {
    const canBeMissed = event.event === 'stats' || event.event === 'log';
    if (canBeMissed && this.#socket.writableLength > MAX_UNREAD_BYTES) {
      this.#dropped += 1;
      return;
    }
    if (event.event === 'log' && this.#dropped > 0) {
      const fields = { ...event.fields, eventsDropped: this.#dropped };
      this.#dropped = 0;
      this.#write({ ...event, fields });
    } else {
      this.#write(event);
    }
  }

  /** Flushes what was sent, for at most `limitMs`, and closes the line. */
  async close(limitMs: number): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#socket.once('error', () => resolve());
      this.#socket.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#socket.destroy();
  }

  #write(message: WorkerEvent | WorkerReply): void {
    if (this.#open) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    if (this.#unread.length > MAX_LINE_BYTES) throw new Error('A control line is too long');
    for (const line of lines) void this.#answer(JSON.parse(line) as WorkerRequest);
  }

  async #answer({ id, method, params }: WorkerRequest): Promise<void> {
    try {
      this.#onRequest(method, graphsOf(params));
      // The protocol ties the method to its parameters; the union of both cannot say so here.
      const handler = this.#handlers[method] as (params: unknown) => Promise<unknown>;
      this.#write({ id, result: await handler(params) });
    } catch (cause) {
      const { code, message } = toSightlineError(cause);
      this.#write({ id, error: { code, message } });
    }
  }
}

function graphsOf(params: WorkerRequest['params']): string {
  if ('graphId' in params) return params.graphId;
  if ('graph' in params) return params.graph.id;
  return 'graphs' in params ? params.graphs.map(({ id }) => id).join(' ') : '';
}
