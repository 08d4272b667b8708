import type { Socket } from 'node:net';
import { ERROR_CODES, type ErrorCode, SightlineError } from '../common/errors.ts';
import { deferred } from '../common/waits.ts';
import type { WorkerEvent, WorkerMethods } from '../worker/protocol.ts';
import { JsonLineReader } from './json-lines.ts';

export interface WorkerLineOptions {
  readonly onEvent: (event: WorkerEvent) => void;
  /** The other side broke the protocol. Called at most once; nothing is read afterwards. */
  readonly onBroken: (error: SightlineError) => void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: SightlineError) => void;
}

/** The control line (fd 3) of one worker: requests with deadlines one way, replies and events the other. */
export class WorkerLine {
  readonly #socket: Socket;
  readonly #options: WorkerLineOptions;
  readonly #reader = new JsonLineReader();
  readonly #pending = new Map<number, Pending>();
  /** Settles when the other side has closed the line and all of it was read. */
  readonly ended: Promise<void>;
  #nextId = 1;
  #closed: SightlineError | undefined;
  #lateReplies = 0;

  constructor(socket: Socket, options: WorkerLineOptions) {
    this.#socket = socket;
    this.#options = options;
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
    // A reset means that the other end died; the process' exit tells why.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Replies that came after their request's deadline. */
  get lateReplies(): number {
    return this.#lateReplies;
  }

  /**
   * Asks the worker. Throws `SL_TIMEOUT` at the deadline, the worker's own code when it refuses, `SL_WORKER_DIED` when
   * the line closes first.
   */
  request<M extends keyof WorkerMethods>(
    method: M,
    params: WorkerMethods[M]['params'],
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<WorkerMethods[M]['result']> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = this.#nextId++;
    const { promise, resolve, reject } = deferred<unknown>();
    const giveUp = (when: string) =>
      reject(new SightlineError('SL_TIMEOUT', `The worker did not answer '${method}' ${when}`));
    const deadline = AbortSignal.timeout(options.timeoutMs);
    deadline.addEventListener('abort', () => giveUp(`within ${options.timeoutMs} ms`));
    const onAbort = () => giveUp('before the request was cancelled');
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#pending.set(id, { resolve, reject });
    this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    return promise.finally(() => {
      this.#pending.delete(id);
      options.signal?.removeEventListener('abort', onAbort);
    }) as Promise<WorkerMethods[M]['result']>;
  }

  /** Fails every open request and takes no new ones; what still arrives is read. */
  fail(error: SightlineError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const pending of this.#pending.values()) pending.reject(error);
  }

  /** Closes the line: a healthy worker then stops by itself. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    try {
      for (const message of this.#reader.push(chunk)) this.#dispatch(message);
    } catch (error) {
      this.#socket.removeAllListeners('data');
      this.#socket.destroy();
      const broken = error instanceof SightlineError ? error : undefinedMessage(error);
      this.fail(broken);
      this.#options.onBroken(broken);
    }
  }

  #dispatch(message: unknown): void {
    if (message === null || typeof message !== 'object') throw undefinedMessage(message);
    if ('event' in message && typeof message.event === 'string') {
      this.#options.onEvent(message as WorkerEvent);
    } else if ('id' in message && typeof message.id === 'number') {
      this.#settle(message.id, message as { result?: unknown; error?: unknown });
    } else {
      throw undefinedMessage(message);
    }
  }

  #settle(id: number, reply: { result?: unknown; error?: unknown }): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) this.#lateReplies += 1;
    else if (reply.error === undefined) pending.resolve(reply.result);
    else pending.reject(errorOfReply(reply.error));
  }
}

function errorOfReply(error: unknown): SightlineError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return new SightlineError(knownCode(code), String(message ?? 'The worker gave no reason'));
}

/** The worker's code when we know it, else the one that says that its pipeline failed. */
export function knownCode(code: unknown): ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
    ? (code as ErrorCode)
    : 'SL_PIPELINE_FAILED';
}

function undefinedMessage(cause: unknown): SightlineError {
  return new SightlineError(
    'SL_WORKER_DIED',
    'The worker sent a control message that is neither an event nor a reply; it is broken and must be restarted',
    { cause },
  );
}
