import type { GstPipeline } from '../gst/pipeline.ts';
import { allNodes } from '../gst/redact.ts';
import type { GraphNode } from '../pipeline/graph.ts';
import { isDecodeStamp, isRecorder, streamOf, unaskedOf } from './graph-facts.ts';
import { SharedDrops } from './shared-drops.ts';
import type { SamplesByStream, StreamSample } from './stream-sample.ts';

interface Tally {
  arrived: number;
  decoded: number;
  /** Of them those that the decoder marked or patched up. */
  corrupt: number;
  inferred: number;
  published: number;
  /** Missing numbers between frames that came out; undefined where nothing looks for them. */
  gaps: number | undefined;
  /** Left out on purpose behind the decoder, by slstamp or sllatency; they are gaps as well. */
  dropped: number;
  /** Left out by slskip, before the decoder. */
  leftOut: number;
  recordsDropped: number;
  lastFrameNs: number;
  decodeNs: number;
  inferNs: number;
  captureClock: string | undefined;
  reasons: Record<string, number>;
  countsArrived: boolean;
  countsPublished: boolean;
  /** Of a stream that is recorded. */
  record: RecordTally | undefined;
}

interface RecordTally {
  /** Access units that came to the branch. */
  offered: number;
  recorded: number;
  unrecorded: number;
  bytes: number;
  lastWriteNs: number;
  failure: string;
}

const NOTHING: Omit<Tally, 'reasons'> = {
  arrived: 0,
  decoded: 0,
  corrupt: 0,
  inferred: 0,
  published: 0,
  gaps: undefined,
  dropped: 0,
  leftOut: 0,
  recordsDropped: 0,
  lastFrameNs: 0,
  decodeNs: 0,
  inferNs: 0,
  captureClock: undefined,
  countsArrived: false,
  countsPublished: false,
  record: undefined,
};

const NO_RECORD: RecordTally = {
  offered: 0,
  recorded: 0,
  unrecorded: 0,
  bytes: 0,
  lastWriteNs: 0,
  failure: '',
};

/** One property to read, and what its value adds to which stream. */
interface Reading {
  readonly node: string;
  readonly property: string;
  readonly add: (value: unknown, tallies: ReadonlyMap<string, Tally>) => void;
}

type Counted = readonly [property: string, add: (tally: Tally, value: unknown) => void];

const OF_STAMP: readonly Counted[] = [
  ['frames', (tally, value) => (tally.decoded += Number(value))],
  ['frames-corrupt', (tally, value) => (tally.corrupt += Number(value))],
  ['frames-dropped', (tally, value) => (tally.dropped += Number(value))],
  ['last-frame-ns', (tally, value) => (tally.lastFrameNs = Number(value))],
  ['total-decode-ns', (tally, value) => (tally.decodeNs += Number(value))],
  [
    'capture-clock',
    (tally, value) => {
      if (value !== 'unspecified') tally.captureClock = String(value);
    },
  ],
];

/** A property of a recorder that is added to, or put into, the tally of its stream's recording. */
function ofRecord(property: string, add: (record: RecordTally, value: unknown) => void): Counted {
  return [
    property,
    (tally, value) => {
      tally.record ??= { ...NO_RECORD };
      add(tally.record, value);
    },
  ];
}

/** By factory. */
const COUNTED: Readonly<Record<string, readonly Counted[]>> = {
  slinfer: [
    ['frames-inferred', (tally, value) => (tally.inferred += Number(value))],
    ['total-infer-ns', (tally, value) => (tally.inferNs += Number(value))],
  ],
  slmeta: [
    [
      'frames',
      (tally, value) => {
        tally.countsPublished = true;
        tally.published += Number(value);
      },
    ],
    ['frames-skipped', (tally, value) => (tally.gaps = (tally.gaps ?? 0) + Number(value))],
  ],
  slskip: [['frames-skipped', (tally, value) => (tally.leftOut += Number(value))]],
  sllatency: [['frames-dropped', (tally, value) => (tally.dropped += Number(value))]],
  slrecord: [
    ofRecord('frames-recorded', (record, value) => (record.recorded += Number(value))),
    ofRecord('frames-lost', (record, value) => (record.unrecorded += Number(value))),
    ofRecord('recorded-bytes', (record, value) => (record.bytes += Number(value))),
    ofRecord('last-write-ns', (record, value) => (record.lastWriteNs = Number(value))),
    ofRecord('failure', (record, value) => (record.failure = String(value ?? ''))),
  ],
};

/** Elements that say for what reasons they left out frames. */
const REASONED: ReadonlySet<string> = new Set(['slskip', 'slstamp', 'sllatency']);

/**
 * Reads a running pipeline's counters from the elements that keep them: slstamp, slinfer and slmeta for the one stream
 * they serve, sldsmeta for every stream of a batch. A graph without them (a test's) is counted at its metadata outputs.
 * The addon counts what enters the decoders.
 */
export class FrameCounters {
  readonly #pipeline: GstPipeline;
  readonly #nodes: readonly GraphNode[];
  readonly #readings: readonly Reading[];
  readonly #sharedDrops: SharedDrops;
  /** As of the last read(), by stream. */
  readonly #busy = new Map<string, number>();

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
  async read(): Promise<SamplesByStream> {
    const { streams } = this.#pipeline.graph;
    const tallies = new Map(
      streams.map((id): [string, Tally] => [id, { ...NOTHING, reasons: {} }]),
    );
    const values = await this.#pipeline.getProperties(
      this.#readings.map(({ node, property }) => [node, property] as const),
    );
    for (const [index, reading] of this.#readings.entries()) {
      // A node that is not built yet has nothing to tell.
      if (values[index] !== null) reading.add(values[index], tallies);
    }
    this.#countPads(tallies);
    for (const [id, tally] of tallies) this.#findBusy(id, tally);
    const unasked = unaskedOf(this.#pipeline.graph);
    return new Map([...tallies].map(([id, tally]) => [id, sampleOf(tally, unasked)]));
  }

  /** What no element has a reason for. What one left out just now is a gap only once a later frame has passed. */
  #findBusy(streamId: string, { gaps, dropped, leftOut, reasons }: Tally): void {
    const explained = Object.values(reasons).reduce((sum, count) => sum + count, 0);
    const unexplained = (gaps ?? dropped) + leftOut - explained;
    const busy = Math.max(this.#busy.get(streamId) ?? 0, unexplained);
    this.#busy.set(streamId, busy);
    if (busy > 0) reasons['busy'] = busy;
  }

  #reasonsOf(node: GraphNode): Reading[] {
    const streamId = streamOf(this.#pipeline.graph, node);
    if (streamId === undefined || !REASONED.has(node.factory)) return [];
    const add = (value: unknown, tallies: ReadonlyMap<string, Tally>) =>
      addReasons(tallies.get(streamId), value);
    return [{ node: node.id, property: 'skipped-by-reason', add }];
  }

  #readingsOf(node: GraphNode): Reading[] {
    if (node.factory === 'sldsmeta') {
      return [{ node: node.id, property: 'stream-stats', add: addStreamStats }];
    }
    const streamId = streamOf(this.#pipeline.graph, node);
    const counted = isDecodeStamp(node) ? OF_STAMP : COUNTED[node.factory];
    if (streamId === undefined || counted === undefined) return [];
    return counted.map(([property, add]) => ({
      node: node.id,
      property,
      add: (value, tallies) => {
        const tally = tallies.get(streamId);
        if (tally !== undefined) add(tally, value);
      },
    }));
  }

  /** What entered the decoders, drops of records, and the frames themselves where no element counts them. */
  #countPads(tallies: ReadonlyMap<string, Tally>): void {
    const { outputs, entered } = this.#pipeline.counters();
    const published = this.#nodes.some(({ factory }) => /^sl(ds)?meta$/.test(factory));
    const stamped = this.#nodes.some(isDecodeStamp);
    let sharedDrops = 0;
    for (const node of this.#nodes) {
      const tally = tallies.get(streamOf(this.#pipeline.graph, node) ?? '');
      if (tally !== undefined && node.role === 'decode') {
        tally.countsArrived = true;
        tally.arrived += entered[node.id] ?? 0;
      }
      if (tally?.record !== undefined && isRecorder(node)) {
        tally.countsArrived = true;
        tally.record.offered += entered[node.id] ?? 0;
      }
      const output = outputs[node.id];
      if (output === undefined) continue;
      if (tally === undefined) {
        sharedDrops += output.dropped;
        continue;
      }
      tally.recordsDropped += output.dropped;
      if (node.outputKind !== 1) continue;
      if (!stamped) tally.decoded += output.records + output.dropped;
      if (published) continue;
      tally.countsPublished = true;
      tally.published += output.records + output.dropped;
    }
    const byStream = new Map(
      [...tallies].map(([id, tally]) => [id, { framesPublished: tally.published }]),
    );
    for (const [id, share] of this.#sharedDrops.shareOut(sharedDrops, byStream)) {
      tallies.get(id)!.recordsDropped += share;
    }
  }
}

/** `{reason: frames}` as JSON. */
function addReasons(tally: Tally | undefined, value: unknown): void {
  if (tally === undefined || typeof value !== 'string' || value === '') return;
  const { reasons } = tally;
  for (const [reason, count] of Object.entries(JSON.parse(value) as Record<string, number>)) {
    if (count > 0) reasons[reason] = (reasons[reason] ?? 0) + count;
  }
}

/** sldsmeta's `stream-stats`: `{streamId: {frames, skipped, inferred}}` as JSON. */
function addStreamStats(value: unknown, tallies: ReadonlyMap<string, Tally>): void {
  if (typeof value !== 'string' || value === '') return;
  const stats = JSON.parse(value) as Record<string, Record<string, unknown>>;
  for (const [id, { frames, skipped, inferred }] of Object.entries(stats)) {
    const tally = tallies.get(id);
    if (tally === undefined) continue;
    tally.countsPublished = true;
    tally.published += Number(frames ?? 0);
    tally.gaps = (tally.gaps ?? 0) + Number(skipped ?? 0);
    tally.inferred += Number(inferred ?? 0);
  }
}

function sampleOf(tally: Tally, unasked: NonNullable<StreamSample['unasked']>): StreamSample {
  const { arrived, decoded, corrupt, inferred, published, gaps, dropped, leftOut } = tally;
  const { recordsDropped, lastFrameNs, decodeNs, inferNs, captureClock, record } = tally;
  return {
    counters: {
      // What a recording shares with a decoder comes to both; a decoder that is too slow loses some.
      framesArrived: Math.max(arrived + leftOut, record?.offered ?? 0),
      framesDecoded: decoded,
      ...(corrupt === 0 ? {} : { framesCorrupt: corrupt }),
      framesInferred: inferred,
      framesPublished: published,
      framesSkipped: (gaps ?? dropped) + leftOut,
      recordsDropped,
      ...(record === undefined
        ? {}
        : {
            framesRecorded: record.recorded,
            framesUnrecorded: record.unrecorded,
            recordedBytes: record.bytes,
          }),
    },
    unasked,
    ...(record === undefined ? {} : { recording: record }),
    ...(record !== undefined && unasked.includes('decode') ? { undecoded: record.offered } : {}),
    leftOut,
    offered: decoded - dropped,
    skipped: tally.reasons,
    counts: { arrived: tally.countsArrived, published: tally.countsPublished },
    lastFrameNs,
    decodeNs,
    inferNs,
    ...(captureClock === undefined ? {} : { captureClock }),
  };
}
