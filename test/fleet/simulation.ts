import { imbalance } from '../../src/fleet/assign.ts';
import { ASSIGNMENTS, VIEWS } from '../../src/fleet/assignment-book.ts';
import { readShard, readView } from '../../src/fleet/assignment-documents.ts';
import { DesiredStreams } from '../../src/fleet/desired-streams.ts';
import { HeldLease } from '../../src/fleet/held-lease.ts';
import { Leadership } from '../../src/fleet/leadership.ts';
import { LeaseObserver } from '../../src/fleet/lease-observer.ts';
import { nodeKey, writeReport } from '../../src/fleet/node-report.ts';
import { SqliteFleetStore } from '../../src/fleet/stores/sqlite.ts';
import { CostWriter } from '../../src/fleet/stream-costs.ts';

export const SIM_TIMES = { leaseMs: 10_000, beatMs: 3_000, marginMs: 2_000 };
const STEP_MS = 1_000;
const BEAT = 3;
const POLL = 2;
/** A node writes its costs at every so many-th step. */
const PRICE = 15;

export interface SimulationOptions {
  readonly streams: number;
  readonly nodes: number;
  readonly seed: number;
}

/** Random numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A fleet whose machines are simulated and whose leases, documents, election and assigner are the real ones, on a SQLite
 * store in memory and a clock that is moved by hand, one second a step.
 */
export class Simulation {
  readonly nodes: SimulatedNode[] = [];
  readonly costs = new Map<string, number>();
  readonly store = new SqliteFleetStore(':memory:');
  readonly desired = new DesiredStreams(this.store);
  readonly random: () => number;
  readonly events: string[] = [];
  /** Longest time a stream ran nowhere, ms; since it was last looked at. */
  longestGapMs = 0;
  /** Streams that were run by two nodes whose leases held, at any moment. */
  doubles = 0;
  /** Streams that were on nodes at the moment they failed. */
  lostStreams = 0;
  /** Streams that were given to nodes which had failed, before anybody could know it: they are lost once more. */
  givenToFailed = 0;
  /** CPU ms of each step in which the assigner worked; its store is memory, so it waits for nothing. */
  readonly roundMs: number[] = [];
  readonly #ranMs = new Map<string, number>();
  readonly #epochs = new Map<string, number>();
  readonly #shards = new Map<string, number>();
  readonly #given = new Map<string, number>();
  #ms = 0;
  #step = 0;

  private constructor(options: SimulationOptions) {
    this.random = randomOf(options.seed);
    for (let index = 0; index < options.nodes; index++) this.join();
  }

  static async start(options: SimulationOptions): Promise<Simulation> {
    const simulation = new Simulation(options);
    for (let index = 0; index < options.streams; index++) {
      const id = `cam-${index}`;
      simulation.costs.set(id, 0.05 + 0.3 * simulation.random());
      await simulation.store.put('streams', id, '{"since":0,"spec":{}}', 0);
    }
    return simulation;
  }

  readonly clock = { nowMs: (): number => this.#ms };

  get nowMs(): number {
    return this.#ms;
  }

  get alive(): readonly SimulatedNode[] {
    return this.nodes.filter(({ dead, pausedMs }) => !dead && pausedMs <= this.#ms);
  }

  get leader(): SimulatedNode | undefined {
    return this.alive.find(({ leadership }) => leadership.leads);
  }

  get moves() {
    const total = { new: 0, lost: 0, released: 0, balance: 0 };
    for (const { leadership } of this.nodes) {
      for (const reason of Object.keys(total) as (keyof typeof total)[]) {
        total[reason] += leadership.moves[reason];
      }
    }
    return total;
  }

  join(): SimulatedNode {
    const node = new SimulatedNode(this, `n-${this.nodes.length}`);
    this.nodes.push(node);
    return node;
  }

  async kill(node: SimulatedNode): Promise<void> {
    node.dead = true;
    this.lostStreams += await this.#held(node);
  }

  /** The node does nothing for so long, then goes on where it was. */
  async pause(node: SimulatedNode, ms: number): Promise<void> {
    node.pausedMs = this.#ms + ms;
    this.lostStreams += await this.#held(node);
  }

  /** What it runs, and what it was given and has not taken note of. */
  async #held({ id, running }: SimulatedNode): Promise<number> {
    const held = new Set(running.keys());
    for (const { body } of await this.store.documents(ASSIGNMENTS)) {
      for (const [stream, { node }] of readShard(body)) if (node === id) held.add(stream);
    }
    return held.size;
  }

  /** All costs change a little: a random walk around where they began. */
  drift(share: number): void {
    for (const [id, cost] of this.costs) {
      const change = 1 + share * (2 * this.random() - 1);
      this.costs.set(id, Math.min(0.5, Math.max(0.02, cost * change)));
    }
  }

  async run(
    seconds: number,
    before: (second: number) => void | Promise<void> = () => undefined,
  ): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await before(second);
      this.#ms += STEP_MS;
      this.#step += 1;
      for (const node of this.alive) await node.step(this.#step);
      await this.#countGiven();
      this.#check();
    }
  }

  /** How far the node that is furthest off lies from the mean, by what streams really cost now. */
  imbalance(): number {
    const nodes = this.alive.map(({ id, capacity }) => ({ id, capacity }));
    const streams = this.alive.flatMap(({ id: node, running }) =>
      [...running.keys()].map((id) => ({ id, node, cost: this.costs.get(id)!, movable: true })),
    );
    return imbalance(nodes, streams);
  }

  async #countGiven(): Promise<void> {
    const alive = new Set(this.alive.map(({ id }) => id));
    for (const { id, version, body } of await this.store.documents(ASSIGNMENTS)) {
      if (this.#shards.get(id) === version) continue;
      this.#shards.set(id, version);
      for (const [stream, { node, epoch }] of readShard(body)) {
        if (node === '' || this.#given.get(stream) === epoch) continue;
        this.#given.set(stream, epoch);
        if (!alive.has(node)) this.givenToFailed += 1;
      }
    }
  }

  #check(): void {
    const owners = new Map<string, number>();
    for (const { running, lease, dead } of this.nodes) {
      if (dead || !lease.held) continue;
      for (const [stream, epoch] of running) {
        owners.set(stream, (owners.get(stream) ?? 0) + 1);
        const highest = this.#epochs.get(stream) ?? 0;
        // What a fence would refuse does not count as running.
        if (epoch < highest) continue;
        this.#epochs.set(stream, epoch);
        this.#ranMs.set(stream, this.#ms);
      }
    }
    for (const count of owners.values()) if (count > 1) this.doubles += 1;
    for (const id of this.costs.keys()) {
      const ranMs = this.#ranMs.get(id);
      if (ranMs !== undefined) this.longestGapMs = Math.max(this.longestGapMs, this.#ms - ranMs);
    }
  }

  /** Streams that run nowhere now. */
  get uncovered(): number {
    return [...this.costs.keys()].filter((id) => this.#ranMs.get(id) !== this.#ms).length;
  }

  close(): Promise<void> {
    return this.store.close();
  }
}

/** A box that runs streams by keeping their names. */
export class SimulatedNode {
  readonly id: string;
  readonly capacity: number;
  readonly running = new Map<string, number>();
  readonly lease: HeldLease;
  readonly leadership: Leadership;
  dead = false;
  pausedMs = 0;
  readonly #world: Simulation;
  readonly #observer: LeaseObserver;
  readonly #prices: CostWriter;
  readonly #phase: number;
  #applied = 0;

  constructor(world: Simulation, id: string) {
    this.#world = world;
    this.id = id;
    this.capacity = world.random() < 0.5 ? 8 : 16;
    this.#phase = world.nodes.length;
    const { store, clock, desired } = world;
    const owner = `${id}/1`;
    const common = { store, clock, owner, times: SIM_TIMES };
    this.lease = new HeldLease({ ...common, key: nodeKey(id) });
    this.#observer = new LeaseObserver(clock);
    this.#prices = new CostWriter(store, id);
    this.leadership = new Leadership({
      ...{ ...common, desired, node: id, settings: { threshold: 0.1, dampening: 0.6 } },
      ...{ restMs: 60_000, needsDetector: () => true },
      tell: (type) => world.events.push(type),
    });
  }

  async step(step: number): Promise<void> {
    if ((step + this.#phase) % BEAT === 0) await this.#beat();
    if ((step + this.#phase) % POLL === 0) await this.#poll();
    if ((step + this.#phase) % PRICE === 0) await this.#price();
    // One in five may lead.
    if (this.#phase % 5 !== 0 || (step + this.#phase / 5) % POLL !== 0) return;
    const before = process.cpuUsage();
    await this.leadership.step();
    const { user, system } = process.cpuUsage(before);
    if (this.leadership.leads) this.#world.roundMs.push((user + system) / 1_000);
  }

  async #beat(): Promise<void> {
    const { store, clock } = this.#world;
    if (this.lease.claimed) {
      if (await this.lease.renew(this.#report())) return;
      this.running.clear();
      this.#applied = 0;
    }
    const askedMs = clock.nowMs();
    const row = await store.lease(nodeKey(this.id));
    if (row !== undefined && !this.#observer.look(row, askedMs)) return;
    await this.lease.acquire(this.#report(), row?.version);
  }

  async #poll(): Promise<void> {
    if (!this.lease.held) return;
    const document = await this.#world.store.document(VIEWS, this.id);
    if (document === undefined || document.version === this.#applied) return;
    const view = readView(document.body);
    if (view.token !== this.lease.token) return;
    this.running.clear();
    for (const [id, { epoch }] of view.streams) this.running.set(id, epoch);
    this.#applied = document.version;
    await this.lease.renew(this.#report());
  }

  #price(): Promise<void> {
    const costs = [...this.running.keys()].map((id) => [id, this.#world.costs.get(id)!] as const);
    return this.#prices.write(new Map(costs));
  }

  #report(): string {
    const { capacity } = this;
    return writeReport({ capacity, used: 0, applied: this.#applied, detector: true });
  }
}
