import type { GstPipeline } from '../gst/pipeline.ts';
import { allNodes } from '../gst/redact.ts';
import type { GraphNode } from '../pipeline/graph.ts';
import { isDecodeStamp, streamOf } from './graph-facts.ts';
import type { StreamCounters } from './protocol.ts';
import { SharedDrops } from './shared-drops.ts';

export const NO_FRAMES: StreamCounters = {
  framesArrived: 0,
  framesDecoded: 0,
  framesInferred: 0,
  framesPublished: 0,
  framesSkipped: 0,
  recordsDropped: 0,
};

export function addCounters(a: StreamCounters, b: StreamCounters): StreamCounters {
  return {
    framesArrived: a.framesArrived + b.framesArrived,
    framesDecoded: a.framesDecoded + b.framesDecoded,
    framesInferred: a.framesInferred + b.framesInferred,
    framesPublished: a.framesPublished + b.framesPublished,
    framesSkipped: a.framesSkipped + b.framesSkipped,
    recordsDropped: a.recordsDropped + b.recordsDropped,
  };
}

/** Counters by stream. */
export type CountersByStream = ReadonlyMap<string, StreamCounters>;

type Tally = { -readonly [K in keyof StreamCounters]: number };

/** Frames a stream left out before inference, by reason. `busy`: the detector was, and no element counted them. */
export type SkipReasons = Readonly<Record<string, number>>;

/** One property to read, and what its value adds to which stream. */
interface Reading {
  readonly node: string;
  readonly property: string;
  readonly add: (value: unknown, tallies: ReadonlyMap<string, Tally>) => void;
}

/** Elements that say for what reasons they left out frames. */
const REASONED: ReadonlySet<string> = new Set(['slskip', 'slstamp', 'sllatency']);

type Counted = readonly [
  property: string,
  field: keyof StreamCounters,
  wanted: (node: GraphNode) => boolean,
];

const COUNTED: readonly Counted[] = [
  ['frames', 'framesDecoded', isDecodeStamp],
  ['frames-inferred', 'framesInferred', ({ factory }) => factory === 'slinfer'],
  ['frames', 'framesPublished', ({ factory }) => factory === 'slmeta'],
  ['frames-skipped', 'framesSkipped', ({ factory }) => factory === 'slmeta'],
  ['frames-skipped', 'framesSkipped', ({ factory }) => factory === 'slskip'],
];

/**
 * Reads a running pipeline's counters from the elements that keep them: slstamp, slinfer and slmeta for the one stream
 * they serve, sldsmeta for every stream of a batch. A graph without them (a test's) is counted at its metadata outputs.
 */
export class FrameCounters {
  readonly #pipeline: GstPipeline;
  readonly #nodes: readonly GraphNode[];
  readonly #readings: readonly Reading[];
  readonly #skipped = new Map<string, Record<string, number>>();
  readonly #sharedDrops: SharedDrops;

  constructor(pipeline: GstPipeline) {
    this.#pipeline = pipeline;
    this.#nodes = allNodes(pipeline.graph);
    // Reasons are read last: what they explain is never more than what was counted.
    this.#readings = [
      ...this.#nodes.flatMap((node) => this.#readingsOf(node)),
      ...this.#nodes.flatMap((node) => this.#reasonsOf(node)),
    ];
    this.#sharedDrops = new SharedDrops(pipeline.graph.streams);
  }

  /** Throws what GstPipeline.getProperties() throws. */
  async read(): Promise<CountersByStream> {
    const { streams } = this.#pipeline.graph;
    const tallies = new Map(streams.map((id): [string, Tally] => [id, { ...NO_FRAMES }]));
    const busy = new Map(streams.map((id) => [id, this.#skipped.get(id)?.['busy'] ?? 0]));
    this.#skipped.clear();
    const values = await this.#pipeline.getProperties(
      this.#readings.map(({ node, property }) => [node, property] as const),
    );
    for (const [index, reading] of this.#readings.entries()) reading.add(values[index], tallies);
    this.#countOutputs(tallies);
    for (const [id, { framesSkipped }] of tallies) {
      const reasons = this.#skipped.get(id) ?? {};
      const explained = Object.values(reasons).reduce((sum, count) => sum + count, 0);
      // What an element left out just now is a gap only once a later frame has passed.
      const unexplained = Math.max(busy.get(id) ?? 0, framesSkipped - explained);
      if (unexplained > 0) reasons['busy'] = unexplained;
      this.#skipped.set(id, reasons);
    }
    return tallies;
  }

  /** Of the last read(), by stream. */
  get skipped(): ReadonlyMap<string, SkipReasons> {
    return this.#skipped;
  }

  #reasonsOf(node: GraphNode): Reading[] {
    const streamId = streamOf(this.#pipeline.graph, node);
    if (streamId === undefined || !REASONED.has(node.factory)) return [];
    const add = (value: unknown) => this.#addReasons(streamId, value);
    return [{ node: node.id, property: 'skipped-by-reason', add }];
  }

  /** `{reason: frames}` as JSON. */
  #addReasons(streamId: string, value: unknown): void {
    if (typeof value !== 'string' || value === '') return;
    const reasons = this.#skipped.get(streamId) ?? {};
    for (const [reason, count] of Object.entries(JSON.parse(value) as Record<string, number>)) {
      if (count > 0) reasons[reason] = (reasons[reason] ?? 0) + count;
    }
    this.#skipped.set(streamId, reasons);
  }

  #readingsOf(node: GraphNode): Reading[] {
    if (node.factory === 'sldsmeta') {
      return [{ node: node.id, property: 'stream-stats', add: addStreamStats }];
    }
    const streamId = streamOf(this.#pipeline.graph, node);
    if (streamId === undefined) return [];
    return this.#counted(node).map(([property, field]) => ({
      node: node.id,
      property,
      add: (value, tallies) => {
        const tally = tallies.get(streamId);
        if (tally !== undefined) tally[field] += Number(value ?? 0);
      },
    }));
  }

  #counted(node: GraphNode): readonly Counted[] {
    const counted = COUNTED.filter(([, , wanted]) => wanted(node));
    // slmeta sees what these drop as gaps between the numbers of frames; without one they tell.
    const gaps = this.#nodes.some(({ factory }) => factory === 'slmeta');
    if (gaps || !drops(node)) return counted;
    return [...counted, ['frames-dropped', 'framesSkipped', drops]];
  }

  /** Drops, and the frames themselves where no element counts them. */
  #countOutputs(tallies: ReadonlyMap<string, Tally>): void {
    const { outputs } = this.#pipeline.counters();
    const published = this.#nodes.some(({ factory }) => /^sl(ds)?meta$/.test(factory));
    const stamped = this.#nodes.some(isDecodeStamp);
    let sharedDrops = 0;
    for (const node of this.#nodes) {
      const output = outputs[node.id];
      if (output === undefined) continue;
      const tally = tallies.get(streamOf(this.#pipeline.graph, node) ?? '');
      if (tally === undefined) {
        sharedDrops += output.dropped;
        continue;
      }
      tally.recordsDropped += output.dropped;
      if (node.outputKind !== 1) continue;
      if (!stamped) tally.framesDecoded += output.records + output.dropped;
      if (!published) tally.framesPublished += output.records + output.dropped;
    }
    const shares = this.#sharedDrops.shareOut(sharedDrops, tallies);
    for (const [id, share] of shares) tallies.get(id)!.recordsDropped += share;
  }
}

function drops(node: GraphNode): boolean {
  return isDecodeStamp(node) || node.factory === 'sllatency';
}

/** sldsmeta's `stream-stats`: `{streamId: {frames, skipped, inferred}}` as JSON. */
function addStreamStats(value: unknown, tallies: ReadonlyMap<string, Tally>): void {
  if (typeof value !== 'string' || value === '') return;
  const stats = JSON.parse(value) as Record<string, Record<string, unknown>>;
  for (const [id, { frames, skipped, inferred }] of Object.entries(stats)) {
    const tally = tallies.get(id);
    if (tally === undefined) continue;
    tally.framesPublished += Number(frames ?? 0);
    tally.framesSkipped += Number(skipped ?? 0);
    tally.framesInferred += Number(inferred ?? 0);
  }
}
