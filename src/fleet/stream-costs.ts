import type { FleetStore } from './store.ts';

const COSTS = 'costs';
/** Share of a new measurement in what is taken for the cost. */
const NEWEST = 0.3;
/** Cores of a stream while none in the fleet was measured. */
const UNKNOWN = 0.25;
/** No stream costs less: a camera that is away still needs room for its return. */
const LEAST = 0.01;
/** A node writes its costs anew when one of them changed by more than this share... */
const CHANGED = 0.1;
/** ...and by more cores than this. */
const CHANGED_CORES = 0.02;

export type Costs = ReadonlyMap<string, number>;

/** What streams cost, in cores, as the nodes measured it; smoothed, for what is decided with it moves streams. */
export class StreamCosts {
  readonly #costs = new Map<string, number>();
  /** Undefined: to be found anew when it is asked for. */
  #middle: number | undefined;

  /** Cores; of one that was never measured what the middle one of the others costs. */
  of(stream: string): number {
    const known = this.#costs.get(stream);
    if (known !== undefined) return known;
    this.#middle ??= this.#findMiddle();
    return this.#middle;
  }

  /** Takes what all nodes last wrote. */
  async read(store: FleetStore): Promise<void> {
    for (const { body } of await store.documents(COSTS)) this.take(JSON.parse(body));
  }

  take(measured: Readonly<Record<string, number>>): void {
    for (const [stream, cores] of Object.entries(measured)) {
      const before = this.#costs.get(stream);
      const now = Math.max(LEAST, cores);
      this.#costs.set(stream, before === undefined ? now : before + NEWEST * (now - before));
    }
    this.#middle = undefined;
  }

  forgetBut(streams: ReadonlyMap<string, unknown>): void {
    for (const stream of this.#costs.keys()) if (!streams.has(stream)) this.#costs.delete(stream);
    this.#middle = undefined;
  }

  #findMiddle(): number {
    const sorted = [...this.#costs.values()].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? UNKNOWN;
  }
}

/** Writes a node's measured costs when they have changed enough to matter. */
export class CostWriter {
  readonly #store: FleetStore;
  readonly #node: string;
  #version: number | undefined;
  #written: Costs = new Map();

  constructor(store: FleetStore, node: string) {
    this.#store = store;
    this.#node = node;
  }

  /** Streams that were not measured yet have cost 0 and are left out. Throws as the store does. */
  async write(costs: Costs): Promise<void> {
    const measured = new Map([...costs].filter(([, cores]) => cores > 0));
    if (this.#version !== undefined && !differs(this.#written, measured)) return;
    this.#version ??= (await this.#store.document(COSTS, this.#node))?.version ?? 0;
    const rounded = [...measured].map(([id, cores]) => [id, Math.round(cores * 1_000) / 1_000]);
    const body = JSON.stringify(Object.fromEntries(rounded));
    const outcome = await this.#store.put(COSTS, this.#node, body, this.#version);
    // Only this node writes there: what stands there else is its own write whose answer was lost.
    this.#version = outcome.done ? outcome.version : (outcome.current?.version ?? 0);
    if (outcome.done) this.#written = measured;
  }
}

function differs(before: Costs, now: Costs): boolean {
  if (before.size !== now.size) return true;
  for (const [stream, cores] of now) {
    const old = before.get(stream);
    if (old === undefined) return true;
    const change = Math.abs(cores - old);
    if (change > CHANGED_CORES && change > old * CHANGED) return true;
  }
  return false;
}
