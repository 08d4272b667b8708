import type { Outbox, Sink, SinkSpec } from '../api/schemas.ts';
import { change, readModifyWrite } from './resource.ts';
import { ifMatch, pathOf, type Transport } from './transport.ts';
import type { CallOptions, Changed, ChangeOptions, Patch } from './types.ts';

/** Where the metadata goes, and how each destination fares. */
export class Sinks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All of them, and the outbox behind them. */
  list(options: CallOptions = {}): Promise<{ items: readonly Sink[]; outbox: Outbox }> {
    return this.#transport.json('GET', '/v1/sinks', options);
  }

  get(id: string, options: CallOptions = {}): Promise<Sink> {
    return this.#transport.json('GET', pathOf('sinks', id), options);
  }

  /** Makes a sink: without `ifMatch` there must be none yet, with it there must be one. */
  put(
    id: string,
    spec: SinkSpec,
    { ifMatch: match, ...options }: Partial<ChangeOptions> = {},
  ): Promise<Changed<Sink>> {
    const headers = match === undefined ? { 'if-none-match': '*' } : ifMatch({ ifMatch: match });
    const call = { ...options, body: spec, headers };
    return change<Sink>(this.#transport, 'PUT', pathOf('sinks', id), call);
  }

  /** Changes its spec by what `patch` makes of it; again, when it was changed in between. */
  update(
    id: string,
    patch: (now: Sink) => Patch,
    options: CallOptions = {},
  ): Promise<Changed<Sink>> {
    return readModifyWrite(
      () => this.get(id, options),
      (now, headers) => {
        const call = { ...options, body: patch(now), headers };
        return change<Sink>(this.#transport, 'PATCH', pathOf('sinks', id), call);
      },
    );
  }

  /** Ends it; what waits for it stays until `forget`. Default of `ifMatch`: any. */
  async remove(
    id: string,
    { ifMatch: match = 'any', ...options }: Partial<ChangeOptions> = {},
  ): Promise<void> {
    const headers = ifMatch({ ifMatch: match });
    await this.#transport.send('DELETE', pathOf('sinks', id), { ...options, headers });
  }

  /** Sends nothing until `resume`, also after a restart. */
  pause(id: string, options: CallOptions = {}): Promise<Sink> {
    return this.#transport.json('POST', pathOf('sinks', id, 'pause'), options);
  }

  resume(id: string, options: CallOptions = {}): Promise<Sink> {
    return this.#transport.json('POST', pathOf('sinks', id, 'resume'), options);
  }

  /** Gives up what a sink that is gone left behind. */
  async forget(id: string, options: CallOptions = {}): Promise<void> {
    await this.#transport.send('POST', pathOf('sinks', id, 'forget'), options);
  }
}
