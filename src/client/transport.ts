import { type Problem, SightlineApiError, SightlineConnectionError } from './errors.ts';
import type { CallOptions, ChangeOptions } from './types.ts';

export interface ClientOptions {
  /** Where the server listens, for example `http://127.0.0.1:8080`. In a browser, default: where the page came from. */
  readonly baseUrl?: string;
  /** Default: the global fetch. */
  readonly fetch?: typeof fetch;
  /** Limit of one try, ms. Default 30000. */
  readonly timeoutMs?: number;
  /** Tries after the first of what may be sent twice: GETs, and POSTs by their key. Default 3. */
  readonly retries?: number;
  /** First wait between tries, doubled each time up to 5 s, full jitter, ms. Default 200. */
  readonly retryBaseMs?: number;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Call extends CallOptions {
  readonly query?: object;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
}

const RETRY_CAP_MS = 5_000;
/** Answers that only ask to come again. */
const COME_AGAIN: ReadonlySet<string> = new Set(['SL_IN_PROGRESS', 'SL_UNAVAILABLE']);

/** Resolves after `ms`, at once when `signal` aborts: the caller looks at it. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted) done();
    else signal?.addEventListener('abort', done, { once: true });
  });
}

/** Sends requests, and sends those again that may be when no answer comes. */
export class Transport {
  readonly #options: ClientOptions;
  readonly #base: string;

  constructor(options: ClientOptions) {
    const { location } = globalThis as { location?: { origin: string } };
    const base = options.baseUrl ?? location?.origin;
    if (base === undefined) throw new TypeError('baseUrl is missing');
    this.#options = options;
    this.#base = base.replace(/\/+$/, '');
  }

  async json<T>(method: string, path: string, call: Call = {}): Promise<T> {
    return (await (await this.send(method, path, call)).json()) as T;
  }

  /** The answer, of whatever status below 400. Throws SightlineApiError, SightlineConnectionError, or why `signal` aborted. */
  async send(method: string, path: string, call: Call = {}): Promise<Response> {
    const { retries = 3, retryBaseMs = 200 } = this.#options;
    const mayRepeat = method === 'GET' || (method === 'POST' && call.idempotencyKey !== undefined);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#try(method, path, call);
      } catch (error) {
        call.signal?.throwIfAborted();
        const transient =
          error instanceof SightlineConnectionError ||
          (error instanceof SightlineApiError && COME_AGAIN.has(error.code));
        if (!transient || !mayRepeat || attempt >= retries) throw error;
        await pause(
          Math.random() * Math.min(RETRY_CAP_MS, retryBaseMs * 2 ** attempt),
          call.signal,
        );
        call.signal?.throwIfAborted();
      }
    }
  }

  /** One try without a limit in time, for streams; `signal` ends it. */
  async open(path: string, call: Call, signal: AbortSignal): Promise<Response> {
    return this.#fetch('GET', path, call, signal);
  }

  async #try(method: string, path: string, call: Call): Promise<Response> {
    const limit = AbortSignal.timeout(this.#options.timeoutMs ?? 30_000);
    const signal = call.signal === undefined ? limit : AbortSignal.any([call.signal, limit]);
    return this.#fetch(method, path, call, signal);
  }

  async #fetch(method: string, path: string, call: Call, signal: AbortSignal): Promise<Response> {
    const send = this.#options.fetch ?? fetch;
    const { body, idempotencyKey } = call;
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    let response: Response;
    try {
      response = await send(`${this.#base}${path}${queryOf(call.query)}`, {
        method,
        signal,
        headers: {
          ...this.#options.headers,
          ...(body === undefined ? {} : { 'content-type': type }),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
          ...call.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new SightlineConnectionError(method, path, cause);
    }
    if (response.ok) return response;
    throw new SightlineApiError(response.status, await problemOf(response));
  }
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  const text = await response.text().catch(() => '');
  if (isProblem !== true) return undefined;
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return undefined;
  }
}

function queryOf(query: object = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  const pairs = given.map(([name, value]): [string, string] => [name, String(value)]);
  return `?${new URLSearchParams(pairs)}`;
}

/** The header for a change of what was read. */
export function ifMatch({
  ifMatch: match,
}: Pick<ChangeOptions, 'ifMatch'>): Record<string, string> {
  return { 'if-match': match === 'any' ? '*' : `"${match}"` };
}

/** A path of names; each is one step of it. */
export function pathOf(...steps: readonly (string | number)[]): string {
  return `/v1/${steps.map((step) => encodeURIComponent(step)).join('/')}`;
}

/** A key for one call: the server does what carries it once. */
export function newKey(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}
