import { Assigner, type AssignerOptions, type MoveReason } from './assigner.ts';
import { HeldLease, type LeaseTimes } from './held-lease.ts';
import { LeaseObserver } from './lease-observer.ts';
import { nodeKey } from './node-report.ts';

export const ASSIGNER_KEY = 'assigner';
/** A leader whose rounds fail so often leaves it to another. (KCL 3 does likewise.) */
const MOST_FAILURES = 3;

export interface LeadershipOptions extends Omit<AssignerOptions, 'observer' | 'leads'> {
  readonly node: string;
  readonly owner: string;
  readonly times: LeaseTimes;
}

/**
 * A node's part in the election of the assigner: it watches the leader's lease, takes it when it has run out, and then does
 * the rounds.
 */
export class Leadership {
  readonly moves: Record<MoveReason, number> = { new: 0, lost: 0, released: 0, balance: 0 };
  readonly #options: LeadershipOptions;
  readonly #observer: LeaseObserver;
  readonly #lease: HeldLease;
  #assigner: Assigner | undefined;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    const { store, clock, owner, times } = options;
    this.#observer = new LeaseObserver(clock);
    this.#lease = new HeldLease({ store, clock, key: ASSIGNER_KEY, owner, times });
  }

  get leads(): boolean {
    return this.#lease.held;
  }

  get assigner(): Assigner | undefined {
    return this.#assigner;
  }

  /** Does what is to be done now: looks, takes over, or a round. Throws as the store does. */
  async step(): Promise<void> {
    if (!this.#lease.claimed && !(await this.#take())) return;
    if (!(await this.#renew())) return;
    try {
      await this.#assigner!.round();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= MOST_FAILURES) await this.resign();
      throw error;
    }
  }

  /** Leaves it to others, at once. */
  async resign(): Promise<void> {
    this.#failures = 0;
    const { claimed } = this.#lease;
    this.#assigner = undefined;
    if (claimed) await this.#lease.release();
  }

  async #take(): Promise<boolean> {
    const { store, clock, node, tell } = this.#options;
    const askedMs = clock.nowMs();
    const row = await store.lease(ASSIGNER_KEY);
    if (row !== undefined) {
      const mayTake = this.#observer.look(row, askedMs);
      // A leader that dies with its node: that node's lease must have been watched as long, or its streams wait twice.
      const leader = row.data === '' ? undefined : await store.lease(nodeKey(row.data));
      if (leader !== undefined) this.#observer.look(leader, askedMs);
      if (!mayTake) return false;
    }
    const expired = row?.version;
    if (!(await this.#lease.acquire(node, expired))) return false;
    this.#renewedMs = askedMs;
    this.#assigner = new Assigner(
      { ...this.#options, observer: this.#observer, leads: () => this.#lease.held },
      this.moves,
    );
    tell('fleet.leader', { node, token: this.#lease.token });
    return true;
  }

  async #renew(): Promise<boolean> {
    const { clock, times, node } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#renewedMs < times.beatMs && this.#lease.held) return true;
    const goesOn = await this.#lease.renew(node);
    if (goesOn) this.#renewedMs = nowMs;
    else this.#assigner = undefined;
    return goesOn && this.#lease.held;
  }
}
