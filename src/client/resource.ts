import { SightlineApiError } from './errors.ts';
import { type Call, ifMatch, pathOf, type Transport } from './transport.ts';
import type { CallOptions, Changed, ListOptions, Page } from './types.ts';

/** How often `update` reads and writes again when others change the same thing. */
const UPDATE_TRIES = 5;

/** What every kind of thing has: one, a page, all. */
export class Resource<T, Filters extends object = object> {
  protected readonly transport: Transport;
  protected readonly name: string;

  constructor(transport: Transport, name: string) {
    this.transport = transport;
    this.name = name;
  }

  get(id: string, options: CallOptions = {}): Promise<T> {
    return this.transport.json<T>('GET', pathOf(this.name, id), options);
  }

  /** One page. */
  page(options: Filters & ListOptions = {} as Filters & ListOptions): Promise<Page<T>> {
    return pageAt<T>(this.transport, pathOf(this.name), options);
  }

  /** All of them, page after page: `for await (const stream of client.streams.all())`. */
  all(options: Filters & ListOptions = {} as Filters & ListOptions): AsyncGenerator<T> {
    return allOf<T>(this.transport, pathOf(this.name), options);
  }
}

export function pageAt<T>(
  transport: Transport,
  path: string,
  { signal, ...query }: ListOptions,
): Promise<Page<T>> {
  return transport.json<Page<T>>('GET', path, { query, ...(signal && { signal }) });
}

export async function* allOf<T>(
  transport: Transport,
  path: string,
  options: ListOptions,
): AsyncGenerator<T> {
  let page = await pageAt<T>(transport, path, { limit: 200, ...options });
  for (;;) {
    yield* page.items;
    if (page.next === undefined) return;
    page = await pageAt<T>(transport, path, { limit: 200, ...options, cursor: page.next });
  }
}

/** Sends a change: what it gave, and the job that finishes it. */
export async function change<T>(
  transport: Transport,
  method: string,
  path: string,
  call: Call,
): Promise<Changed<T>> {
  const response = await transport.send(method, path, call);
  const job = /^\/v1\/jobs\/(.+)$/.exec(response.headers.get('location') ?? '')?.[1];
  return {
    value: (await response.json()) as T,
    created: response.status === 201,
    ...(response.status === 202 && job !== undefined ? { jobId: decodeURIComponent(job) } : {}),
  };
}

/**
 * Reads, and writes what `write` makes of it; when somebody changed it in between, both again.
 *
 * @throws SightlineApiError `SL_PRECONDITION_FAILED` when others are always faster (5 tries).
 */
export async function readModifyWrite<T extends { readonly generation: number }, R>(
  read: () => Promise<T>,
  write: (now: T, headers: Record<string, string>) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    const now = await read();
    try {
      return await write(now, ifMatch({ ifMatch: now.generation }));
    } catch (error) {
      const stale = error instanceof SightlineApiError && error.status === 412;
      if (!stale || attempt === UPDATE_TRIES) throw error;
    }
  }
}
