import type { GstPipeline } from '../gst/pipeline.ts';
import { allNodes } from '../gst/redact.ts';
import type { Graph, GraphNode } from '../pipeline/graph.ts';
import type { StreamCounters } from './protocol.ts';

type Path = readonly [node: string, property: string];

export const NO_FRAMES: StreamCounters = {
  framesDecoded: 0,
  framesInferred: 0,
  framesPublished: 0,
  framesSkipped: 0,
  recordsDropped: 0,
};

export function addCounters(a: StreamCounters, b: StreamCounters): StreamCounters {
  return {
    framesDecoded: a.framesDecoded + b.framesDecoded,
    framesInferred: a.framesInferred + b.framesInferred,
    framesPublished: a.framesPublished + b.framesPublished,
    framesSkipped: a.framesSkipped + b.framesSkipped,
    recordsDropped: a.recordsDropped + b.recordsDropped,
  };
}

/** What a pipeline counted. */
export interface FrameCounts {
  readonly counters: StreamCounters;
  /** Pictures that came from the source, decoded or left out on request: it grows while the source sends. */
  readonly progress: number;
}

/** Nodes that see every decoded picture first: the decode stamp, else the decoders, else the outputs. */
export function decodedNodes(graph: Graph): readonly GraphNode[] {
  const nodes = allNodes(graph);
  const stamps = nodes.filter(isDecodeStamp);
  if (stamps.length > 0) return stamps;
  const decoders = nodes.filter(({ role }) => role === 'decode');
  return decoders.length > 0 ? decoders : nodes.filter(({ outputKind }) => outputKind === 1);
}

function isDecodeStamp(node: GraphNode): boolean {
  return node.factory === 'slstamp' && node.properties['stage'] === 'decode';
}

/**
 * Reads a running pipeline's counters from the elements that keep them: slstamp, slinfer and slmeta. A graph without
 * them (a test's) is counted at its metadata outputs.
 */
export class FrameCounters {
  readonly #pipeline: GstPipeline;
  readonly #decoded: readonly Path[];
  readonly #inferred: readonly Path[];
  readonly #published: readonly Path[];
  readonly #skipped: readonly Path[];
  readonly #undecoded: readonly Path[];
  readonly #outputs: readonly string[];

  constructor(pipeline: GstPipeline) {
    this.#pipeline = pipeline;
    const nodes = allNodes(pipeline.graph);
    const paths = (property: string, wanted: (node: GraphNode) => boolean): Path[] =>
      nodes.filter(wanted).map(({ id }) => [id, property]);
    this.#decoded = paths('frames', isDecodeStamp);
    this.#inferred = paths('frames-inferred', ({ factory }) => factory === 'slinfer');
    this.#published = paths('frames', ({ factory }) => factory === 'slmeta');
    // slmeta sees what slstamp dropped as gaps between the frames' numbers; without it slstamp tells.
    const gaps = paths('frames-skipped', ({ factory }) => factory === 'slmeta');
    this.#skipped = gaps.length > 0 ? gaps : paths('frames-dropped', isDecodeStamp);
    this.#undecoded = paths('frames-skipped', ({ factory }) => factory === 'slskip');
    this.#outputs = nodes.filter(({ outputKind }) => outputKind === 1).map(({ id }) => id);
  }

  /** Throws what GstPipeline.getProperties() throws. */
  async read(): Promise<FrameCounts> {
    const groups = [this.#decoded, this.#inferred, this.#published, this.#skipped, this.#undecoded];
    const values = await this.#pipeline.getProperties(groups.flat());
    let at = 0;
    const [decoded, inferred, published, skipped, undecoded] = groups.map((group) => {
      const part = values.slice(at, at + group.length);
      at += group.length;
      return part.reduce<number>((sum, value) => sum + Number(value ?? 0), 0);
    });
    const { outputs } = this.#pipeline.counters();
    const recordsDropped = Object.values(outputs).reduce((sum, { dropped }) => sum + dropped, 0);
    const atOutputs = this.#outputs.reduce((sum, id) => {
      const output = outputs[id];
      return sum + (output === undefined ? 0 : output.records + output.dropped);
    }, 0);
    const framesDecoded = this.#decoded.length > 0 ? decoded! : atOutputs;
    const counters = {
      framesDecoded,
      framesInferred: inferred!,
      framesPublished: this.#published.length > 0 ? published! : atOutputs,
      framesSkipped: skipped! + undecoded!,
      recordsDropped,
    };
    return { counters, progress: framesDecoded + undecoded! };
  }
}
