import { loadSharedConfigFiles } from '@smithy/core/config';
import { awsError } from './client.ts';

/** A client, and the calls that are under way with it. */
interface Lease<C> {
  readonly client: C;
  calls: number;
  isRetired: boolean;
}

/**
 * A client that is made anew after AWS refused its credentials: the SDK keeps what it found in the environment, a profile
 * or a process until that says it expires, which keys in a file never do. What is under way with the old one ends first.
 */
export class RenewedClient<C extends { destroy(): void }> {
  readonly #make: () => C;
  #lease: Lease<C> | undefined;
  #wasRefused = false;

  constructor(make: () => C) {
    this.#make = make;
  }

  /** @throws SightlineError one of `SL_SINK_*`; `what` finishes "Cannot …" */
  async call<T>(what: string, request: (client: C) => Promise<T>): Promise<T> {
    if (this.#wasRefused) await this.#readFiles();
    this.#lease ??= { client: this.#make(), calls: 0, isRetired: false };
    const lease = this.#lease;
    lease.calls++;
    try {
      return await request(lease.client);
    } catch (thrown) {
      const error = awsError(thrown, what);
      if (error.code === 'SL_SINK_UNAUTHORIZED') this.#retire(lease);
      throw error;
    } finally {
      lease.calls--;
      if (lease.isRetired && lease.calls === 0) lease.client.destroy();
    }
  }

  /** Ends what is under way, too. */
  close(): void {
    this.#lease?.client.destroy();
    this.#lease = undefined;
  }

  #retire(refused: Lease<C>): void {
    refused.isRetired = true;
    if (this.#lease !== refused) return;
    this.#lease = undefined;
    this.#wasRefused = true;
  }

  /** They are read once a process unless somebody asks for more. */
  async #readFiles(): Promise<void> {
    await loadSharedConfigFiles({ ignoreCache: true }).catch(() => undefined);
    this.#wasRefused = false;
  }
}
