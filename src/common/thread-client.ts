import { Worker } from 'node:worker_threads';
import { SightlineError } from './errors.ts';
import {
  type CallMessage,
  type CallTable,
  type ReplyMessage,
  unpackError,
} from './thread-calls.ts';
import { settlesWithin } from './waits.ts';

const CLOSE_LIMIT_MS = 10_000;

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface ThreadOptions {
  /** Module of the thread, as a .ts URL; the compiled one beside it runs when we are compiled. It calls serveCalls(). */
  readonly entry: URL;
  /** For messages: `The journal thread of the outbox`. */
  readonly what: string;
  readonly workerData?: unknown;
  /** How long the `close` call may take, and again the end of the thread. Default 10000. */
  readonly closeLimitMs?: number;
  /** What the thread says with `tellOwner`. */
  readonly onEvent?: (event: unknown) => void;
}

/** A worker thread of ours as seen from the main thread: calls in, promises out. It keeps the process alive. */
export class ThreadClient<
  C extends CallTable<C> & { readonly close: { args: undefined; result: undefined } },
> {
  readonly #what: string;
  readonly #closeLimitMs: number;
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #onEvent: ((event: unknown) => void) | undefined;
  /** Resolves when the thread has ended, whatever ended it. */
  readonly ended: Promise<void>;
  #tellEnded: () => void = () => undefined;
  #nextId = 1;
  #failure: SightlineError | undefined;

  constructor({ entry, what, workerData, closeLimitMs, onEvent }: ThreadOptions) {
    this.#what = what;
    this.#closeLimitMs = closeLimitMs ?? CLOSE_LIMIT_MS;
    this.#onEvent = onEvent;
    this.ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
    this.#thread = startThread(entry, workerData);
    this.#thread.on('message', (reply: ReplyMessage) => this.#settle(reply));
    this.#thread.on('error', (cause) => this.#fail(cause));
    this.#thread.on('exit', (code) => this.#fail(new Error(`It exited (${code})`)));
  }

  /** True once the thread has ended, whatever ended it: every call fails. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Calls begin in the order they were made. `transfer` lists buffers that change hands. Throws what the thread threw,
   * `SL_CLOSED` when the thread has ended.
   */
  call<K extends keyof C & string>(
    call: K,
    args: C[K]['args'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<C[K]['result']> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    const message: CallMessage = { id, call, args };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiter['resolve'], reject });
      this.#thread.postMessage(message, transfer);
    });
  }

  /** Calls `close`, up to its limit, then ends the thread whatever it does. Throws what that call threw. */
  async close(): Promise<void> {
    const closing = this.call('close', undefined);
    try {
      if (await settlesWithin(closing, this.#closeLimitMs)) await closing;
    } finally {
      // A thread that is held by the disk ends only with the process.
      await settlesWithin(this.#thread.terminate(), this.#closeLimitMs);
    }
  }

  #settle(reply: ReplyMessage): void {
    if ('event' in reply) {
      this.#onEvent?.(reply.event);
      return;
    }
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) waiter?.resolve(reply.result);
    else waiter?.reject(unpackError(reply.error));
  }

  #fail(cause: unknown): void {
    this.#failure ??= new SightlineError('SL_CLOSED', `${this.#what} has ended`, { cause });
    for (const waiter of this.#waiting.values()) waiter.reject(this.#failure);
    this.#waiting.clear();
    this.#tellEnded();
  }
}

/** From source the thread needs tsx, which Node 20 does not hand on to worker threads. */
function startThread(entry: URL, workerData: unknown): Worker {
  if (import.meta.url.endsWith('.js')) {
    return new Worker(new URL(entry.href.replace(/\.ts$/, '.js')), { workerData });
  }
  const register = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const module = JSON.stringify(entry.href);
  const boot = `import(${register}).then(({ register }) => { register(); return import(${module}); });`;
  return new Worker(boot, { eval: true, workerData });
}
