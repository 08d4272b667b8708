import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { redactUrl } from '../../../common/redact-url.ts';
import {
  isLive,
  locationWithCredentials,
  type ResolvedRtspSource,
} from '../../../sources/resolve-source.ts';
import type { GraphChoice, GraphLink, GraphNode, PropertyValue } from '../../graph.ts';
import type { ResolvedStream } from '../../resolved.ts';
import { latencyNode } from '../latency.ts';
import { type NodeFacts, node } from '../nodes.ts';
import { TIMEOUT_US } from '../rtsp.ts';
import type { LoweringContext, Piece } from './context.ts';
import { rtpAlternatives } from './own-decoding.ts';
import type { GraphPlan } from './plan.ts';

/** Caps of pictures that every element behind the muxer takes. */
export const NV12 = 'video/x-raw(memory:NVMM),format=NV12';

/** Silence after which nvurisrcbin makes a new connection, and the wait before it tries a first one again. */
const RECONNECT_S = 10;

/** The front of a graph for one stream: from the camera to the muxer's pad. */
export interface SourcePiece extends Piece {
  readonly choice: GraphChoice;
}

/** Lowers a stream's source; its pictures enter the pad `sink_<index>` of the muxer. */
export function lowerSource(
  context: LoweringContext,
  { own }: GraphPlan,
  stream: ResolvedStream,
  index: number,
): SourcePiece {
  const facts = { origin: `${stream.pointer}/source`, stream: stream.id };
  const decoded = node(`decoded-${index}`, 'slstamp', 'stamp', { stage: 'decode' }, facts);
  const toMux = [
    decoded,
    ...pace(stream, index, facts),
    ...latency(context, stream, index, own, facts),
    ...unify(context, index, own, facts),
  ];
  const links: GraphLink[] = toMux.map(({ id }, at) => {
    const next = toMux[at + 1];
    if (next !== undefined) return { from: id, to: next.id };
    // nvurisrcbin ends in a converter that gives what is asked here: nvinfer takes no I420, nvstreammux no 10 bits.
    return { from: id, to: `mux.sink_${index}`, caps: NV12 };
  });
  const source = own
    ? rtspsrc(stream.source as ResolvedRtspSource, index, facts)
    : uriSource(context, stream, index, facts);
  const alternatives = own
    ? rtpAlternatives(context, index, facts, stream.latency?.drop === 'non-key')
    : [{ caps: 'video/x-raw(memory:NVMM)', chain: [] }];
  return {
    nodes: [source, ...toMux],
    links,
    choice: { from: source.id, to: decoded.id, alternatives },
  };
}

/** A file that is to run like a camera waits for its clock here; a camera brings its own pace. */
function pace({ source }: ResolvedStream, index: number, facts: NodeFacts): GraphNode[] {
  const paced = source.type === 'file' && isLive(source);
  return paced ? [node(`pace-${index}`, 'clocksync', 'queue', { sync: true }, facts)] : [];
}

/**
 * In front of the muxer, behind which frames of all streams travel together. What the detector then makes a frame wait is
 * bounded by the muxer's four batches.
 */
function latency(
  context: LoweringContext,
  stream: ResolvedStream,
  index: number,
  own: boolean,
  facts: NodeFacts,
): GraphNode[] {
  const wanted = stream.latency?.drop;
  const drop = wanted === 'non-key' && own ? 'non-key' : 'oldest';
  const found = latencyNode(`latency-${index}`, stream, facts, wanted && drop);
  if (found === undefined) return [];
  if (wanted !== drop) {
    const why =
      wanted === 'newest'
        ? 'nothing waits in front of the muxer'
        : 'nvurisrcbin decodes every picture ("source": "rtspsrc" does not)';
    const message = `on DeepStream this leaves out frames that are late, as "oldest" does: ${why}`;
    context.note(`${stream.latency!.pointer}/drop`, message);
  }
  return [found];
}

/**
 * The new muxer takes all its streams in one format and converts none, and a decoder on our own path gives the
 * stream's. Where the format fits already, the converter hands buffers through.
 */
function unify(
  context: LoweringContext,
  index: number,
  own: boolean,
  facts: NodeFacts,
): GraphNode[] {
  if (!own && context.spec.muxer.kind === 'old') return [];
  return [context.part('convert', `format-${index}`, 'convert', {}, facts)];
}

function uriSource(
  context: LoweringContext,
  { source, pointer }: ResolvedStream,
  index: number,
  facts: NodeFacts,
): GraphNode {
  const id = `source-${index}`;
  const make = (uri: string, more: Readonly<Record<string, PropertyValue>>): GraphNode => ({
    ...context.part('source', id, 'source', { uri, 'source-id': index, ...more }, facts),
    secret: redactUrl(uri) === uri ? [] : ['uri'],
  });
  switch (source.type) {
    case 'file': {
      const { href } = pathToFileURL(resolve(context.options.workingDir, source.path));
      return { ...make(href, { 'file-loop': false }), secret: [] };
    }
    case 'http':
      return make(locationWithCredentials(source), { 'file-loop': false });
    case 'frames': {
      const message = 'is a queue of frames, which DeepStream has no source for';
      context.problem(`${pointer}/source`, message, 'SL_BACKEND_UNSUPPORTED');
      return make('', {});
    }
    case 'rtsp': {
      if (source.location.startsWith('rtsps:')) {
        const message =
          'must be "auto" or "rtspsrc": nvurisrcbin never reconnects to an rtsps:// camera';
        context.problem('/deepstream/source', `${message} (${pointer}/source/url)`);
      }
      return make(locationWithCredentials(source), {
        // The numbers are GstRTSPLowerTrans' for these two.
        'select-rtp-protocol': source.transport === 'tcp' ? 4 : 1,
        latency: source.latencyMs,
        // Where the GPU cannot keep up nothing behind this point drops frames: without a limit here delay and memory
        // would grow for ever. `interval` lightens the load without broken pictures.
        'drop-on-latency': true,
        'rtsp-reconnect-interval': RECONNECT_S,
        'init-rtsp-reconnect-interval': RECONNECT_S,
        'rtsp-reconnect-attempts': -1,
      });
    }
  }
}

function rtspsrc(source: ResolvedRtspSource, index: number, facts: NodeFacts): GraphNode {
  const location = locationWithCredentials(source);
  const properties = {
    location,
    protocols: source.transport,
    latency: source.latencyMs,
    'drop-on-latency': true,
    'do-rtcp': true,
    'tcp-timeout': TIMEOUT_US,
    timeout: TIMEOUT_US,
  };
  return {
    ...node(`source-${index}`, 'rtspsrc', 'source', properties, facts),
    secret: redactUrl(location) === location ? [] : ['location'],
  };
}
