import { loadSharedConfigFiles } from '@smithy/core/config';
import { awsError } from './client.ts';

/**
 * A client that is made anew after AWS refused its credentials: the SDK keeps what it found in the environment, a profile
 * or a process until that says it expires, which keys in a file never do.
 */
export class RenewedClient<C extends { destroy(): void }> {
  readonly #make: () => C;
  #client: C | undefined;

  constructor(make: () => C) {
    this.#make = make;
  }

  /** @throws SightlineError one of `SL_SINK_*`; `what` finishes "Cannot …" */
  async call<T>(what: string, request: (client: C) => Promise<T>): Promise<T> {
    this.#client ??= this.#make();
    const client = this.#client;
    try {
      return await request(client);
    } catch (thrown) {
      const error = awsError(thrown, what);
      if (error.code === 'SL_SINK_UNAUTHORIZED') await this.#renew(client);
      throw error;
    }
  }

  close(): void {
    this.#client?.destroy();
    this.#client = undefined;
  }

  /** The files are read once a process unless somebody asks for more. */
  async #renew(refused: C): Promise<void> {
    if (this.#client !== refused) return;
    this.close();
    await loadSharedConfigFiles({ ignoreCache: true }).catch(() => undefined);
  }
}
