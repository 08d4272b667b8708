import type { GraphLink, GraphNode } from '../../graph.ts';
import type { AnnotatedSpec } from '../../spec.ts';
import { chainLinks, node, queue } from '../nodes.ts';
import type { LoweringContext, Piece } from './context.ts';
import type { GraphPlan } from './plan.ts';

const WIDTH = 1280;
const HEIGHT = 720;
/** What nvmultistreamtiler can show. */
const MAX_TILES = 128;
const MAX_PORT = 65_535;
/** Batches on their way to the video; it shows what is newest. */
const QUEUE_BATCHES = 2;

const facts = { origin: '/annotated' } as const;

/** The branch that draws objects on the pictures and sends them as a video; undefined where none is asked for. */
export function lowerAnnotated(context: LoweringContext, plan: GraphPlan): Piece | undefined {
  const { annotated } = context.pipeline;
  if (annotated === undefined) return undefined;
  const { width = WIDTH, height = HEIGHT } = annotated;
  const tiles = plan.streams.length > 1;
  const front = [
    // A side branch: it may skip, and must never hold the messages back.
    queue('annotated-queue', QUEUE_BATCHES, true, facts),
    ...(tiles ? [tiler(context, plan, width, height)] : []),
    context.part('convert', 'annotated-convert', 'convert', {}, facts),
    context.part('draw', 'annotated-draw', 'draw', { 'display-text': true }, facts),
    context.part('convert', 'annotated-output', 'convert', {}, facts),
  ];
  const { nodes, links, caps } = lowerOutput(context, plan, annotated);
  const drawn = context.options.platform.parts.draw.caps;
  const size = `width=${width},height=${height}`;
  const filters: Readonly<Record<string, string | undefined>> = {
    'annotated-draw': drawn && `${drawn},${size}`,
    [nodes[0]!.id]: caps,
  };
  const all = chainLinks([...front, nodes[0]!]).map((link): GraphLink => {
    const filter = filters[link.to];
    const to = link.to === SERVER ? `${SERVER}.vsink` : link.to;
    return { ...link, to, ...(filter === undefined ? {} : { caps: filter }) };
  });
  return { nodes: [...front, ...nodes], links: [...all, ...links] };
}

function tiler(
  context: LoweringContext,
  { streams }: GraphPlan,
  width: number,
  height: number,
): GraphNode {
  if (streams.length > MAX_TILES) {
    const message = `shows at most ${MAX_TILES} streams, and the pipeline has ${streams.length}`;
    context.problem('/annotated', message, 'SL_BACKEND_UNSUPPORTED');
  }
  const columns = Math.ceil(Math.sqrt(streams.length));
  const rows = Math.ceil(streams.length / columns);
  return context.part('tile', 'annotated-tile', 'tile', { rows, columns, width, height }, facts);
}

const SERVER = 'annotated-server';

/** From drawn pictures to the network. */
function lowerOutput(
  context: LoweringContext,
  plan: GraphPlan,
  annotated: AnnotatedSpec,
): Piece & { readonly caps: string | undefined } {
  const { parts } = context.options.platform;
  const { bitrateKbps } = annotated;
  const settings = { bitrateKbps, bitrate: bitrateKbps * 1000 };
  const port = portOf(context, plan, annotated);
  if (annotated.type === 'rtsp') {
    const properties = {
      'rtsp-port': port,
      'rtsp-mount-point': `/${plan.id}`,
      codec: 'h264',
      sync: false,
      qos: false,
    };
    const server = context.part('serveVideo', SERVER, 'sink', properties, { ...facts, settings });
    return { nodes: [server], links: [], caps: parts.serveVideo.caps };
  }
  const nodes = [
    context.part('encodeVideo', 'annotated-encode', 'encode-video', {}, { ...facts, settings }),
    node('annotated-parse', 'h264parse', 'parse', { 'config-interval': -1 }, facts),
    node('annotated-pay', 'rtph264pay', 'encode-video', { pt: 96 }, facts),
    node(
      'annotated-sink',
      'udpsink',
      'sink',
      { host: annotated.host ?? '127.0.0.1', port, sync: false, async: false, qos: false },
      facts,
    ),
  ];
  return { nodes, links: chainLinks(nodes), caps: parts.encodeVideo.caps };
}

/** Each graph of a pipeline sends a video of its own: the first to the port asked for, the next to the one after it. */
function portOf(context: LoweringContext, plan: GraphPlan, { port }: AnnotatedSpec): number {
  const index = context.graphs.indexOf(plan);
  const own = port + index;
  if (index > 0) {
    const streams = plan.streams.map(({ id }) => `"${id}"`).join(', ');
    context.note('/annotated/port', `${streams} has a graph and a video of its own: port ${own}`);
  }
  if (own > MAX_PORT) {
    context.problem('/annotated/port', `leaves no port for the video of "${plan.id}"`);
  }
  return own;
}
