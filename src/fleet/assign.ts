import { hashOf } from './hash.ts';

export interface NodeRoom {
  readonly id: string;
  /** Cores it gives to streams; above 0. */
  readonly capacity: number;
  /** Whether detectors run there. Default true. */
  readonly detector?: boolean;
}

export interface StreamLoad {
  readonly id: string;
  /** Cores, measured or estimated; above 0. */
  readonly cost: number;
  /** Where it is or is on its way to; undefined: nowhere. One that is not among the nodes counts as nowhere. */
  readonly node?: string | undefined;
  /** False: it was moved a moment ago, or is on its way. */
  readonly movable: boolean;
  /** Whether it needs a detector. Default false. */
  readonly detector?: boolean;
}

export interface AssignSettings {
  /** A node this share above or below the fleet's mean use of its cores is put right. Default 0.1. */
  readonly threshold: number;
  /** Share of what is too much or too little on a node that is moved at once; default 0.6. */
  readonly dampening: number;
  /** Most streams that are moved at once for balance. */
  readonly maxMoves: number;
}

export interface Placement {
  readonly stream: string;
  readonly node: string;
}

export interface Move {
  readonly stream: string;
  readonly from: string;
  readonly to: string;
}

export interface Plan {
  /** For streams that are nowhere, as far as a node can run them. */
  readonly placed: readonly Placement[];
  readonly moves: readonly Move[];
}

interface Load {
  readonly id: string;
  readonly capacity: number;
  readonly detector: boolean;
  readonly streams: StreamLoad[];
  load: number;
  /** What it may still give or get in this plan; the first stream goes even if it is more. */
  budget: number;
  /** Nothing more can be done for it in this plan. */
  settled: boolean;
}

/**
 * Where streams go. Pure: the same input gives the same plan. A stream that is nowhere goes where use will be least, the
 * costly ones first, whatever room there is (a full node passes over frames, see admission). Streams that are somewhere
 * stay, unless a node is more than `threshold` off the mean: then some of what is too much is moved. (The shape is that
 * of Amazon's KCL 3: threshold 10 %, dampening 60 %.) No move makes the fuller one of two nodes fuller. Where only some nodes
 * run detectors, those are evened out among themselves, then all of them with the streams that need none.
 */
export function assign(
  nodes: readonly NodeRoom[],
  streams: readonly StreamLoad[],
  settings: AssignSettings,
): Plan {
  if (nodes.length === 0) return { placed: [], moves: [] };
  const ordered = [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
  const loads = ordered.map(
    ({ id, capacity, detector = true }): Load => ({
      ...{ id, capacity, detector, streams: [] },
      ...{ load: 0, budget: 0, settled: false },
    }),
  );
  const byId = new Map(loads.map((node) => [node.id, node]));
  const homeless: StreamLoad[] = [];
  for (const stream of streams) {
    const node = stream.node === undefined ? undefined : byId.get(stream.node);
    if (node === undefined) homeless.push(stream);
    else put(node, stream);
  }
  const placed = place(loads, homeless);
  const detectors = loads.filter(({ detector }) => detector);
  const moves: Move[] = [];
  balance(detectors, settings, moves);
  if (detectors.length < loads.length) balance(loads, settings, moves);
  return { placed, moves };
}

/** How far the node that is furthest off lies from the mean use, as a share of it; 0 without load. */
export function imbalance(nodes: readonly NodeRoom[], streams: readonly StreamLoad[]): number {
  const load = new Map(nodes.map(({ id }) => [id, 0]));
  for (const { node, cost } of streams) {
    const before = node === undefined ? undefined : load.get(node);
    if (before !== undefined) load.set(node!, before + cost);
  }
  const capacity = sum(nodes.map((node) => node.capacity));
  const mean = sum([...load.values()]) / capacity;
  if (!(mean > 0)) return 0;
  return Math.max(...nodes.map((node) => Math.abs(load.get(node.id)! / node.capacity / mean - 1)));
}

function place(loads: readonly Load[], homeless: readonly StreamLoad[]): readonly Placement[] {
  const byCost = [...homeless].sort((a, b) => b.cost - a.cost || (a.id < b.id ? -1 : 1));
  return byCost.flatMap((stream) => {
    // Among equals the choice is spread by the name, not always the first.
    const start = hashOf(stream.id) % loads.length;
    let best: Load | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let step = 0; step < loads.length; step++) {
      const node = loads[(start + step) % loads.length]!;
      if (!canRun(node, stream)) continue;
      const use = (node.load + stream.cost) / node.capacity;
      if (use < least - 1e-9) {
        best = node;
        least = use;
      }
    }
    if (best === undefined) return [];
    // What was just placed has begun to start: it stays.
    put(best, { ...stream, movable: false });
    return [{ stream: stream.id, node: best.id }];
  });
}

/** Adds to `moves`, up to `maxMoves` in all. */
function balance(loads: readonly Load[], settings: AssignSettings, moves: Move[]): void {
  const { threshold, dampening, maxMoves } = settings;
  const mean = sum(loads.map(({ load }) => load)) / sum(loads.map(({ capacity }) => capacity));
  const high = mean * (1 + threshold);
  const low = mean * (1 - threshold);
  for (const node of loads) {
    node.budget = dampening * Math.abs(node.load - mean * node.capacity);
    node.settled = false;
  }
  while (moves.length < maxMoves) {
    const from = furthest(loads, (a, b) => a > b);
    const to = furthest(loads, (a, b) => a < b);
    if (from === undefined || to === undefined || from === to) break;
    const tooMuch = use(from) > high;
    if (!tooMuch && !(use(to) < low)) break;
    const stream = choose(from, to, mean);
    if (stream === undefined) {
      // The one that is off cannot be helped by the best partner; the next best is tried for one that lacks.
      from.settled = true;
      continue;
    }
    take(from, stream);
    put(to, { ...stream, movable: false });
    moves.push({ stream: stream.id, from: from.id, to: to.id });
    for (const node of [from, to]) {
      node.budget -= stream.cost;
      if (node.budget <= 0 && (node === from ? tooMuch : use(to) < low)) node.settled = true;
    }
  }
}

/** The stream whose move brings both nearest to the mean; undefined when none makes it better. */
function choose(from: Load, to: Load, mean: number): StreamLoad | undefined {
  const excess = Math.max(0, from.load - mean * from.capacity);
  const lack = Math.max(0, mean * to.capacity - to.load);
  const wanted = Math.min(excess, lack);
  const before = use(from);
  let best: StreamLoad | undefined;
  let bestOff = Number.POSITIVE_INFINITY;
  for (const stream of from.streams) {
    if (!stream.movable || !canRun(to, stream)) continue;
    if ((to.load + stream.cost) / to.capacity >= before - 1e-9) continue;
    const off = Math.abs(stream.cost - wanted);
    if (best === undefined || off < bestOff || (off === bestOff && isLess(stream, best))) {
      best = stream;
      bestOff = off;
    }
  }
  return best;
}

/** Whether a node can run a stream at all. */
export function canRun(
  node: Pick<NodeRoom, 'detector'>,
  stream: Pick<StreamLoad, 'detector'>,
): boolean {
  return node.detector !== false || stream.detector !== true;
}

/** Of two that would do as well: the one that costs less, then by name. */
function isLess(a: StreamLoad, b: StreamLoad): boolean {
  return a.cost < b.cost || (a.cost === b.cost && a.id < b.id);
}

function furthest(
  loads: readonly Load[],
  isBetter: (a: number, b: number) => boolean,
): Load | undefined {
  let best: Load | undefined;
  for (const node of loads) {
    if (!node.settled && (best === undefined || isBetter(use(node), use(best)))) best = node;
  }
  return best;
}

function use({ load, capacity }: Load): number {
  return load / capacity;
}

function put(node: Load, stream: StreamLoad): void {
  node.streams.push(stream);
  node.load += stream.cost;
}

function take(node: Load, stream: StreamLoad): void {
  node.streams.splice(node.streams.indexOf(stream), 1);
  node.load -= stream.cost;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
