import { randomUUID } from 'node:crypto';
import { SightlineError } from '../common/errors.ts';
import { type AssignSettings, assign, canRun, type NodeRoom } from './assign.ts';
import { AssignmentBook } from './assignment-book.ts';
import type { Assignment } from './assignment-documents.ts';
import type { FleetClock } from './clock.ts';
import type { DesiredStream, DesiredStreams } from './desired-streams.ts';
import type { LeaseObserver } from './lease-observer.ts';
import { type NodeReport, nodeOf, readReport } from './node-report.ts';
import type { FleetStore } from './store.ts';
import { Stranded } from './stranded.ts';
import { StreamCosts } from './stream-costs.ts';

/** Why a stream got another owner. */
export type MoveReason = 'new' | 'lost' | 'released' | 'balance';

export type TellFleet = (type: string, facts: Readonly<Record<string, string | number>>) => void;

export interface AssignerOptions {
  readonly store: FleetStore;
  readonly clock: FleetClock;
  readonly desired: DesiredStreams;
  /** What was seen of the nodes' leases so far; goes on watching. */
  readonly observer: LeaseObserver;
  /** Whether this process is the assigner now, by its own lease. */
  readonly leads: () => boolean;
  readonly settings: Pick<AssignSettings, 'threshold' | 'dampening'>;
  /** A stream that was moved for balance stays for so long. */
  readonly restMs: number;
  /** Whether a stream needs a detector. */
  readonly needsDetector: (spec: DesiredStream['spec']) => boolean;
  readonly tell: TellFleet;
}

interface LiveNode extends NodeReport {
  readonly id: string;
  readonly token: number;
}

type Wanted = Pick<DesiredStream, 'generation'> & { readonly detector: boolean };

/** All desired streams are read anew after so long even if nobody told of a change. */
const RELIST_MS = 60_000;
const COSTS_MS = 15_000;
/** Of a fleet that has nothing assigned yet: so long nodes may come before the first gets it all. */
const GATHER_MS = 3_000;
/** Of all streams this share may be on its way for balance, and one always. */
const MOVING_SHARE = 0.01;
/** Of a stream that never had an owner and can have none now: so that it is seen. */
const NOBODYS: Assignment = { node: '', token: 0, epoch: 0, generation: 0, draining: false };

/**
 * What the one elected process does: finds nodes that are lost, gives their streams to others with a new epoch, and
 * evens out what the nodes have to do. A stream that is moved for balance first ends where it was; that of a lost node
 * starts elsewhere once the node's lease was taken from it, when it has fenced itself already.
 */
export class Assigner {
  readonly #options: AssignerOptions;
  readonly #costs = new StreamCosts();
  readonly #sinceMs: number;
  readonly #moves: Record<MoveReason, number>;
  readonly #movedMs = new Map<string, number>();
  /** Where those that end for balance are to go, and why those without an owner have none. */
  readonly #target = new Map<string, string>();
  readonly #freed = new Map<string, MoveReason>();
  readonly #stranded: Stranded;
  /** Reasons of this round's changes of owner, counted once they are written. */
  readonly #placed: MoveReason[] = [];
  #book: AssignmentBook | undefined;
  #known: ReadonlySet<string> | undefined;
  #wanted: ReadonlyMap<string, Wanted> = new Map();
  #revision = -1;
  #listedMs = Number.NEGATIVE_INFINITY;
  #pricedMs = Number.NEGATIVE_INFINITY;

  /** @param moves counted on from there, by reason */
  constructor(options: AssignerOptions, moves: Record<MoveReason, number>) {
    this.#options = options;
    this.#moves = moves;
    this.#stranded = new Stranded(options.tell);
    this.#sinceMs = options.clock.nowMs();
  }

  /** Documents written by this assigner. */
  get writes(): number {
    return this.#book?.writes ?? 0;
  }

  /** As it was last written; undefined before the first round. */
  get assignments(): ReadonlyMap<string, Assignment> | undefined {
    return this.#book?.all;
  }

  /**
   * One look at the fleet, and what follows from it. Throws as the store does, `SL_CONFLICT` when another assigner wrote
   * and `SL_UNAVAILABLE` when this one no longer leads: the next round reads everything anew.
   */
  async round(): Promise<void> {
    try {
      await this.#round();
    } catch (error) {
      this.#book = undefined;
      this.#placed.length = 0;
      throw error;
    }
  }

  async #round(): Promise<void> {
    const nodes = await this.#nodes();
    await this.#readWanted();
    await this.#readCosts();
    this.#book ??= await AssignmentBook.takeOver(this.#options.store, this.#mustLead);
    this.#settle(this.#book, nodes);
    this.#place(this.#book, nodes);
    const tokens = new Map([...nodes].map(([id, { token }]) => [id, token]));
    await this.#book.save(tokens, this.#mustLead);
    for (const reason of this.#placed.splice(0)) this.#moves[reason] += 1;
  }

  readonly #mustLead = (): void => {
    if (this.#options.leads()) return;
    throw new SightlineError('SL_UNAVAILABLE', 'This process no longer leads the fleet');
  };

  /** The nodes that hold their leases. Those that let them run out lose them here. */
  async #nodes(): Promise<ReadonlyMap<string, LiveNode>> {
    const { store, clock, observer, tell } = this.#options;
    const askedMs = clock.nowMs();
    const live = new Map<string, LiveNode>();
    for (const row of await store.leases()) {
      const id = nodeOf(row.key);
      if (id === undefined) continue;
      const mayTake = observer.look(row, askedMs);
      if (row.owner === '') continue;
      if (mayTake) {
        this.#mustLead();
        const { version } = row;
        const outcome = await store.release(row.key, { version, next: randomUUID() });
        if (outcome.done) {
          tell('fleet.node.lost', { node: id, token: row.token });
          this.#noteLost(id);
          continue;
        }
      }
      live.set(id, { id, token: row.token, ...readReport(row.data) });
    }
    for (const id of live.keys()) {
      if (this.#known?.has(id) === false) tell('fleet.node.joined', { node: id });
    }
    this.#known = new Set(live.keys());
    return live;
  }

  #noteLost(node: string): void {
    for (const [stream, assignment] of this.#book?.all ?? []) {
      if (assignment.node === node) this.#freed.set(stream, 'lost');
    }
  }

  async #readWanted(): Promise<void> {
    const { desired, clock, needsDetector } = this.#options;
    const revision = await desired.revision();
    if (revision === this.#revision && clock.nowMs() - this.#listedMs < RELIST_MS) return;
    const list = await desired.list();
    this.#wanted = new Map(
      list.map(({ id, generation, spec }) => [id, { generation, detector: needsDetector(spec) }]),
    );
    this.#costs.forgetBut(this.#wanted);
    this.#revision = revision;
    this.#listedMs = clock.nowMs();
  }

  async #readCosts(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#pricedMs < COSTS_MS) return;
    await this.#costs.read(this.#options.store);
    this.#pricedMs = nowMs;
  }

  /** Frees what has no owner any more, ends what nobody wants, and follows changes of specs. */
  #settle(book: AssignmentBook, nodes: ReadonlyMap<string, LiveNode>): void {
    for (const [stream, assignment] of book.all) {
      const { node, token, draining, generation } = assignment;
      if (node === '') continue;
      const owner = nodes.get(node);
      const wanted = this.#wanted.get(stream);
      if (owner === undefined || owner.token !== token) {
        if (!this.#freed.has(stream)) this.#freed.set(stream, 'released');
        book.set(stream, { ...assignment, node: '', draining: false });
      } else if (draining) {
        const gone = book.goneSince(stream);
        if (gone === undefined || owner.applied < gone) continue;
        book.set(stream, { ...assignment, node: '', draining: false });
      } else if (wanted === undefined || !canRun(owner, wanted)) {
        book.set(stream, { ...assignment, draining: true });
      } else if (wanted.generation !== generation) {
        book.set(stream, { ...assignment, generation: wanted.generation });
      }
    }
  }

  #place(book: AssignmentBook, nodes: ReadonlyMap<string, LiveNode>): void {
    const rooms: NodeRoom[] = [...nodes.values()].filter(({ capacity }) => capacity > 0);
    const nowMs = this.#options.clock.nowMs();
    const owned = [...book.all.values()].some(({ node }) => node !== '');
    if (!owned && nowMs - this.#sinceMs < GATHER_MS) return;
    let moving = 0;
    const streams = [...this.#wanted].map(([id, { detector }]) => {
      const { node = '', draining = false } = book.get(id) ?? {};
      if (draining) moving += 1;
      const at = draining || node === '' ? this.#goal(id, nodes) : node;
      // One that still ends may not be given away yet, wherever it will go.
      const movedMs = this.#movedMs.get(id) ?? Number.NEGATIVE_INFINITY;
      const movable = !draining && node !== '' && nowMs - movedMs >= this.#options.restMs;
      return { id, cost: this.#costs.of(id), node: at, movable, draining, detector };
    });
    const most = Math.max(1, Math.ceil(streams.length * MOVING_SHARE));
    const plan = assign(rooms, streams, {
      ...this.#options.settings,
      maxMoves: Math.max(0, most - moving),
    });
    const ends = new Set(streams.filter(({ draining }) => draining).map(({ id }) => id));
    for (const { id, node, draining } of streams) {
      if (!draining && node !== undefined && book.get(id)?.node === '') {
        this.#own(book, id, nodes.get(node)!);
      }
    }
    for (const { stream, node } of plan.placed) {
      if (ends.has(stream)) this.#target.set(stream, node);
      else this.#own(book, stream, nodes.get(node)!);
    }
    for (const id of this.#stranded.look(this.#wanted, rooms)) {
      if (book.get(id) === undefined) book.set(id, NOBODYS);
    }
    for (const { stream, to } of plan.moves) {
      this.#target.set(stream, to);
      this.#freed.set(stream, 'balance');
      this.#movedMs.set(stream, nowMs);
      book.set(stream, { ...book.get(stream)!, draining: true });
    }
  }

  /** Where a stream that is between two owners is to go, if that is still there and can run it. */
  #goal(stream: string, nodes: ReadonlyMap<string, LiveNode>): string | undefined {
    const target = nodes.get(this.#target.get(stream) ?? '');
    return target !== undefined && canRun(target, this.#wanted.get(stream)!)
      ? target.id
      : undefined;
  }

  #own(book: AssignmentBook, stream: string, { id: node, token }: LiveNode): void {
    const before = book.get(stream);
    const epoch = (before?.epoch ?? 0) + 1;
    const { generation } = this.#wanted.get(stream)!;
    book.set(stream, { node, token, epoch, generation, draining: false });
    const reason = epoch === 1 ? 'new' : (this.#freed.get(stream) ?? 'released');
    this.#placed.push(reason);
    this.#freed.delete(stream);
    this.#target.delete(stream);
  }
}
