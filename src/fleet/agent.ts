import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { toSightlineError } from '../common/errors.ts';
import { settlesWithin } from '../common/waits.ts';
import type { AssignSettings } from './assign.ts';
import type { TellFleet } from './assigner.ts';
import { VIEWS } from './assignment-book.ts';
import { readView } from './assignment-documents.ts';
import type { FleetClock } from './clock.ts';
import { type DesiredStream, DesiredStreams } from './desired-streams.ts';
import { HeldLease, type LeaseTimes } from './held-lease.ts';
import { HostedStreams, type StreamHost } from './hosted-streams.ts';
import { Leadership } from './leadership.ts';
import { LeaseObserver } from './lease-observer.ts';
import { NodeFence } from './node-fence.ts';
import { nodeKey, writeReport } from './node-report.ts';
import type { FleetStore } from './store.ts';
import { CostWriter } from './stream-costs.ts';

export interface FleetTimes extends LeaseTimes {
  /** How often a node looks what it is to run, and who leads. */
  readonly pollMs: number;
}

export interface FleetAgentOptions {
  readonly store: FleetStore;
  readonly clock: FleetClock;
  /** Name of this box in the fleet; of two with the same name one waits until the other is gone. */
  readonly node: string;
  readonly host: StreamHost;
  readonly times: FleetTimes;
  /** Whether it may become the assigner. */
  readonly candidate: boolean;
  /** Whether detectors run here. */
  readonly detector: boolean;
  /** Whether a stream of the fleet needs one. */
  readonly needsDetector: (spec: DesiredStream['spec']) => boolean;
  readonly settings: Pick<AssignSettings, 'threshold' | 'dampening'>;
  readonly restMs: number;
  readonly tell: TellFleet;
  /** Told of each renewal that was answered, in seconds. */
  readonly onRenewed?: (seconds: number) => void;
}

/** Longest wait for the store at the end. */
const CLOSE_MS = 1_000;

/**
 * One box of a fleet: holds its lease, runs the streams it is given, and can be the one that gives them. What it puts out
 * goes through `fence`.
 */
export class FleetAgent {
  readonly fence: NodeFence;
  readonly leadership: Leadership;
  readonly desired: DesiredStreams;
  readonly #options: FleetAgentOptions;
  readonly #lease: HeldLease;
  readonly #hosted: HostedStreams;
  readonly #costs: CostWriter;
  readonly #closing = new AbortController();
  #loops: Promise<unknown> | undefined;
  #applied = 0;
  #token = 0;
  #lost = 0;
  #trouble: { readonly code: string; readonly message: string } | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: FleetAgentOptions) {
    this.#options = options;
    const { store, clock, node, times, host, tell, settings, restMs, needsDetector } = options;
    const owner = `${node}/${randomUUID()}`;
    this.#lease = new HeldLease({ store, clock, key: nodeKey(node), owner, times });
    this.fence = new NodeFence(() => this.#lease.held);
    this.desired = new DesiredStreams(store);
    const { desired, fence } = this;
    this.#hosted = new HostedStreams({ host, desired, fence, tell });
    this.#costs = new CostWriter(store, node);
    this.leadership = new Leadership({
      ...{ store, clock, node, owner, times, desired, settings, restMs, tell, needsDetector },
    });
  }

  get held(): boolean {
    return this.#lease.held;
  }

  /** Times the lease was lost to the assigner. */
  get lost(): number {
    return this.#lost;
  }

  /** Streams that run here for the fleet. */
  get streams(): number {
    return this.#hosted.size;
  }

  /** Why the store could not be used, while it cannot. */
  get trouble(): { readonly code: string; readonly message: string } | undefined {
    return this.#trouble;
  }

  /** Begins; everything else happens in the background, also while the store is away. Once, and not after close(). */
  start(): void {
    const { times, candidate } = this.#options;
    const loops = [
      this.#loop(times.beatMs, () => this.#beat()),
      this.#loop(times.pollMs, () => this.#poll()),
    ];
    if (candidate) loops.push(this.#loop(times.pollMs, () => this.leadership.step()));
    this.#loops = Promise.all(loops);
  }

  /** Ends its streams, then gives the lease back: others take them over at once. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    // A store that does not answer now keeps nobody: the others find out by the lease.
    await settlesWithin(Promise.resolve(this.#loops), CLOSE_MS);
    await this.#hosted.endAll({ drain: true });
    await settlesWithin(
      Promise.allSettled([this.leadership.resign(), this.#lease.release()]),
      CLOSE_MS,
    );
  }

  /** `work` again and again, `everyMs` from start to start. What the store throws is told once, until it works again. */
  async #loop(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    let failing = false;
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await work();
        if (failing) this.#trouble = undefined;
        failing = false;
      } catch (error) {
        const { code, message } = toSightlineError(error);
        this.#trouble = { code, message };
        if (!failing) this.#options.tell('fleet.trouble', { code, message });
        failing = true;
      }
      const waitMs = Math.max(0, everyMs - (performance.now() - startedMs));
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #beat(): Promise<void> {
    if (!this.#lease.claimed) return this.#register();
    const { clock, node, tell, onRenewed } = this.#options;
    const sentMs = clock.nowMs();
    const goesOn = await this.#lease.renew(this.#report());
    onRenewed?.((clock.nowMs() - sentMs) / 1_000);
    if (goesOn) return this.#costs.write(this.#options.host.load().streams);
    this.#lost += 1;
    tell('fleet.lease.lost', { node, token: this.#token, streams: this.#hosted.size });
    await this.#hosted.endAll({ drain: false });
    await this.#register();
  }

  /** Takes the node's lease as soon as nobody else holds it. Nothing runs here until then. */
  async #register(): Promise<void> {
    const { store, clock, node, times, tell } = this.#options;
    const { signal } = this.#closing;
    const observer = new LeaseObserver(clock);
    while (!signal.aborted) {
      const askedMs = clock.nowMs();
      const row = await store.lease(nodeKey(node));
      const free = row === undefined || observer.look(row, askedMs);
      this.#applied = 0;
      if (free && (await this.#lease.acquire(this.#report(), row?.version))) {
        this.#token = this.#lease.token;
        tell('fleet.lease.acquired', { node, token: this.#token });
        return;
      }
      await delay(times.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #poll(): Promise<void> {
    if (!this.#lease.held) return;
    const { store, node, clock } = this.#options;
    const document = await store.document(VIEWS, node);
    if (document === undefined) return;
    const view = readView(document.body);
    // Between the question and the answer the lease may have been lost, and another one acquired.
    const holds = () => this.#lease.claimed && view.token === this.#lease.token;
    if (!this.#lease.held || !holds()) return;
    const before = this.#applied;
    await this.#hosted.become(view.streams, clock.nowMs(), holds);
    if (!holds()) return;
    this.#applied = document.version;
    // Somebody may wait for what has ended here.
    if (before !== document.version) await this.#sayApplied();
  }

  async #sayApplied(): Promise<void> {
    if (this.#lease.held) await this.#lease.renew(this.#report());
  }

  #report(): string {
    const { capacity, used } = this.#options.host.load();
    const { detector } = this.#options;
    return writeReport({ capacity, used, applied: this.#applied, detector });
  }
}
