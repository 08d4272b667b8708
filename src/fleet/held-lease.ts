import { randomUUID } from 'node:crypto';
import type { FleetClock } from './clock.ts';
import type { FleetStore, LeaseOutcome, LeaseRow } from './store.ts';

export interface LeaseTimes {
  /** How long others wait before they take the lease. At least twice `beatMs`. */
  readonly leaseMs: number;
  /** How often it is renewed. */
  readonly beatMs: number;
  /** How long before its end the holder stops trusting in it. */
  readonly marginMs: number;
}

export interface HeldLeaseOptions {
  readonly store: FleetStore;
  readonly clock: FleetClock;
  readonly key: string;
  /** Who takes it: no two processes ever use the same one. */
  readonly owner: string;
  readonly times: LeaseTimes;
}

/** Answers are awaited for so many durations of the lease. */
const UNANSWERED_LEASES = 10;

/**
 * One lease from the holder's side. `held` is answered by the holder's own clock alone: it is false from
 * `leaseMs - marginMs` after the last renewal was sent, whatever happened meanwhile (a process that was stopped, a store
 * that does not answer), and true again only after a renewal that went through.
 */
export class HeldLease {
  readonly #options: HeldLeaseOptions;
  /** Versions that were sent and whose answer never came, with the moment they were. */
  readonly #unanswered = new Map<string, number>();
  /** Writes come one after the other: two that begin with the same version would look like a loss. */
  #turn: Promise<unknown> = Promise.resolve();
  #version: string | undefined;
  #token = 0;
  #sentMs = Number.NEGATIVE_INFINITY;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
  }

  /** Whether nobody else can have the lease now. */
  get held(): boolean {
    const { leaseMs, marginMs } = this.#options.times;
    return (
      this.#version !== undefined && this.#options.clock.nowMs() < this.#sentMs + leaseMs - marginMs
    );
  }

  /** It was acquired and not lost, as far as is known: `held` may be false all the same. */
  get claimed(): boolean {
    return this.#version !== undefined;
  }

  /** Of the acquisition it is held by. */
  get token(): number {
    return this.#token;
  }

  /**
   * Tries to take it; `expired` is the version that a `LeaseObserver` saw long enough. Throws as the store does. True:
   * it is this holder's.
   */
  acquire(data: string, expired?: string): Promise<boolean> {
    const { store, key, owner, times } = this.#options;
    const { leaseMs: durationMs } = times;
    return this.#inTurn(() =>
      this.#write((version) =>
        store.acquire(key, {
          ...{ owner, version, durationMs, data },
          ...(expired === undefined ? {} : { expired }),
        }),
      ),
    );
  }

  /** True: it goes on. False: it was lost; nothing is held from now on. Throws as the store does: try again. */
  renew(data: string): Promise<boolean> {
    const { store, key } = this.#options;
    return this.#inTurn(async () => {
      const version = this.#version;
      if (version === undefined) return false;
      const goesOn = await this.#write((next) => store.renew(key, { version, next, data }));
      if (!goesOn) this.#lose();
      return goesOn;
    });
  }

  /** Gives it back, so that others need not wait. Throws as the store does; nothing is held from the call on. */
  release(): Promise<void> {
    const { store, key } = this.#options;
    return this.#inTurn(async () => {
      const version = this.#version;
      this.#lose();
      if (version !== undefined) await store.release(key, { version, next: randomUUID() });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #write(send: (version: string) => Promise<LeaseOutcome>): Promise<boolean> {
    const version = randomUUID();
    const sentMs = this.#options.clock.nowMs();
    // What was sent long ago has come or never will.
    for (const [old, atMs] of this.#unanswered) {
      if (sentMs - atMs > UNANSWERED_LEASES * this.#options.times.leaseMs)
        this.#unanswered.delete(old);
    }
    this.#unanswered.set(version, sentMs);
    const outcome = await send(version);
    this.#unanswered.delete(version);
    if (outcome.done) return this.#adopt(outcome.lease, sentMs);
    // An earlier write whose answer was lost, or the first try of this one: it is the holder's own version.
    const { current } = outcome;
    const earlierMs =
      current?.version === version ? sentMs : this.#unanswered.get(current?.version ?? '');
    return current !== undefined && earlierMs !== undefined && this.#adopt(current, earlierMs);
  }

  #adopt(lease: LeaseRow, sentMs: number): boolean {
    this.#version = lease.version;
    this.#token = lease.token;
    this.#sentMs = sentMs;
    this.#unanswered.clear();
    return true;
  }

  #lose(): void {
    this.#version = undefined;
    this.#sentMs = Number.NEGATIVE_INFINITY;
    this.#unanswered.clear();
  }
}
