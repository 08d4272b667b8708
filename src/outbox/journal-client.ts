import { Worker } from 'node:worker_threads';
import { SightlineError } from '../common/errors.ts';
import type { CallMessage, JournalCall, JournalCalls, ReplyMessage } from './protocol.ts';

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The journal thread as seen from the main thread: calls in, promises out. */
export class JournalClient {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #failure: SightlineError | undefined;

  constructor() {
    this.#thread = startThread();
    this.#exited = new Promise((resolve) => this.#thread.once('exit', () => resolve()));
    this.#thread.on('message', (reply: ReplyMessage) => this.#settle(reply));
    this.#thread.on('error', (cause) => this.#fail(cause));
    this.#thread.on('exit', (code) => this.#fail(new Error(`The journal thread exited (${code})`)));
  }

  /** Calls run in the order they were made. `transfer` lists buffers that change hands. */
  call<C extends JournalCall>(
    call: C,
    args: JournalCalls[C]['args'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<JournalCalls[C]['result']> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    const message: CallMessage = { id, call, args };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiter['resolve'], reject });
      this.#thread.postMessage(message, transfer);
    });
  }

  /** Closes the journal's files, then the thread. */
  async close(): Promise<void> {
    try {
      await this.call('close', undefined);
    } finally {
      await this.#thread.terminate();
      await this.#exited;
    }
  }

  #settle(reply: ReplyMessage): void {
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) waiter?.resolve(reply.result);
    else {
      const { code, message, details } = reply;
      waiter?.reject(new SightlineError(code, message, { details }));
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= new SightlineError(
      'SL_CLOSED',
      'The journal thread of the outbox has ended',
      {
        cause,
      },
    );
    for (const waiter of this.#waiting.values()) waiter.reject(this.#failure);
    this.#waiting.clear();
  }
}

/** From source the thread needs tsx, which Node 20 does not hand on to worker threads. */
function startThread(): Worker {
  if (import.meta.url.endsWith('.js'))
    return new Worker(new URL('./journal-thread.js', import.meta.url));
  const entry = JSON.stringify(new URL('./journal-thread.ts', import.meta.url).href);
  const register = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const boot = `import(${register}).then(({ register }) => { register(); return import(${entry}); });`;
  return new Worker(boot, { eval: true });
}
