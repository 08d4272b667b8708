import { redactUrl } from '../../common/redact-url.ts';
import {
  isLive,
  locationWithCredentials,
  type ResolvedFileSource,
  type ResolvedFramesSource,
  type ResolvedHttpSource,
  type ResolvedRtspSource,
} from '../../sources/resolve-source.ts';
import type { GraphAlternative, GraphChoice, GraphNode } from '../graph.ts';
import type { ResolvedStream } from '../resolved.ts';
import { CPU_CODECS, type CpuCodec } from './cpu-codecs.ts';
import { RECORDER } from './cpu-record.ts';
import { chainLinks, node, queue } from './nodes.ts';
import { TIMEOUT_US } from './rtsp.ts';

/** The front of a graph: from the source to decoded pictures. */
export interface SourcePart {
  readonly nodes: readonly GraphNode[];
  readonly links: readonly { readonly from: string; readonly to: string }[];
  readonly choices: readonly GraphChoice[];
}

export interface SourceNeeds {
  /** The node that decoded pictures enter; absent: nothing is decoded. */
  readonly to?: string;
  /** Whatever the codec, pictures must be left out undecoded, `always` or when a budget says so. */
  readonly skips?: 'on-demand' | 'always';
  /** Coded video goes to RECORDER too. */
  readonly records?: boolean;
}

/** Coded pictures that may wait for the decoder beside a recording: 4 s at 30 a second; older ones go. */
const CODED_PICTURES = 120;

/** Lowers a stream's source. */
export function lowerSource(
  { id, source }: Pick<ResolvedStream, 'id' | 'source'>,
  needs: SourceNeeds,
): SourcePart {
  const { skips, records = false } = needs;
  const wanted = records ? CPU_CODECS.filter(({ records }) => records) : CPU_CODECS;
  const codecs = skips ? wanted.map((codec) => ({ ...codec, skips: true })) : wanted;
  switch (source.type) {
    case 'rtsp':
      return lowerRtsp(source, needs, codecs);
    case 'http':
      return parsed(httpNode(source), needs, codecs, isLive(source));
    case 'file':
      return parsed(fileNode(source), needs, codecs, isLive(source));
    case 'frames':
      return queued(source, id, needs);
  }
}

/** Pictures that come one by one; slframesrc lets the decoder end the graph at one that it cannot read. */
function queued(
  { socketPath }: ResolvedFramesSource,
  streamId: string,
  { to }: SourceNeeds,
): SourcePart {
  const nodes = [
    node('source', 'slframesrc', 'source', { 'socket-path': socketPath, 'stream-id': streamId }),
    node('jpeg-decode', 'jpegdec', 'decode', {}),
  ];
  return {
    nodes,
    links: chainLinks(to === undefined ? nodes : [...nodes, { id: to }]),
    choices: [],
  };
}

/** What follows the parser: the decoder, the recording, or both. */
function alternative(
  caps: string,
  front: readonly GraphNode[],
  codec: CpuCodec,
  { to, skips, records = false }: SourceNeeds,
  live: boolean,
): GraphAlternative {
  if (to === undefined) return { caps, chain: front };
  const decoder = decode(codec, skips === 'always');
  if (!records) return { caps, chain: [...front, ...decoder] };
  const split = node(`${codec.name}-split`, 'tee', 'split', {});
  // The recording never waits for the decoder of a live stream.
  const waiting = queue(`${codec.name}-coded`, CODED_PICTURES, live);
  return {
    caps,
    chain: [...front, split, waiting, ...decoder],
    links: [{ from: split.id, to: RECORDER }],
  };
}

function lowerRtsp(
  source: ResolvedRtspSource,
  needs: SourceNeeds,
  codecs: readonly CpuCodec[],
): SourcePart {
  const { transport, latencyMs } = source;
  // rtspsrc offers what stands in the URL once and then reports the refusal; what stands in its user-id and user-pw
  // properties it offers again and again, until the camera locks the account.
  const location = locationWithCredentials(source);
  const rtspsrc: GraphNode = {
    id: 'source',
    factory: 'rtspsrc',
    role: 'source',
    properties: {
      location,
      protocols: transport,
      latency: latencyMs,
      'drop-on-latency': false,
      'do-rtcp': true,
      'tcp-timeout': TIMEOUT_US,
      timeout: TIMEOUT_US,
    },
    // Also without a user: some cameras want the password in the path or the query.
    secret: redactUrl(location) === location ? [] : ['location'],
  };
  const alternatives = codecs.flatMap((codec) =>
    codec.rtp === undefined
      ? []
      : [
          alternative(
            `application/x-rtp,media=video,encoding-name=${codec.rtp.encoding}`,
            [receive(codec), ...depayload(codec.name, codec.rtp)],
            codec,
            needs,
            true,
          ),
        ],
  );
  const to = needs.to ?? RECORDER;
  return { nodes: [rtspsrc], links: [], choices: [{ from: rtspsrc.id, to, alternatives }] };
}

function fileNode({ path }: ResolvedFileSource): GraphNode {
  return { id: 'source', factory: 'filesrc', role: 'source', properties: { location: path } };
}

/** souphttpsrc offers user and password once. A server that is silent for its 15 s (the default) ends the stream. */
function httpNode({ location, username, password }: ResolvedHttpSource): GraphNode {
  const properties = {
    location,
    ...(username === undefined ? {} : { 'user-id': username }),
    ...(password === undefined ? {} : { 'user-pw': password.reveal() }),
  };
  const secret = [
    ...(redactUrl(location) === location ? [] : ['location']),
    ...(password === undefined ? [] : ['user-pw']),
  ];
  return { id: 'source', factory: 'souphttpsrc', role: 'source', properties, secret };
}

/** A container, whatever brings its bytes. */
function parsed(
  source: GraphNode,
  needs: SourceNeeds,
  codecs: readonly CpuCodec[],
  live: boolean,
): SourcePart {
  const demux: GraphNode = { id: 'demux', factory: 'parsebin', role: 'parse', properties: {} };
  const alternatives = codecs.map((codec) => {
    // What is recorded must come in one form, whatever form the container has.
    const parse = needs.records
      ? [node(`${codec.name}-parse`, codec.rtp!.parse!, 'parse', {})]
      : [];
    return alternative(codec.fileCaps, [receive(codec), ...parse], codec, needs, live);
  });
  return {
    nodes: [source, demux],
    links: [{ from: 'source', to: 'demux' }],
    choices: [{ from: 'demux', to: needs.to ?? RECORDER, alternatives }],
  };
}

/** In front of the decoders of codecs whose pictures depend on each other: what can leave out some, also while it runs. */
function skip(name: string, always: boolean): GraphNode {
  const properties = always ? { skip: 'non-key' } : {};
  return node(`${name}-skip`, 'slskip', 'parse', properties);
}

function receive({ name }: CpuCodec): GraphNode {
  return {
    id: `${name}-receive`,
    factory: 'slstamp',
    role: 'stamp',
    properties: { stage: 'receive' },
  };
}

function depayload(name: string, rtp: NonNullable<CpuCodec['rtp']>): GraphNode[] {
  const nodes: GraphNode[] = [
    { id: `${name}-depay`, factory: rtp.depayload, role: 'depayload', properties: {} },
  ];
  if (rtp.parse !== undefined) {
    nodes.push({ id: `${name}-parse`, factory: rtp.parse, role: 'parse', properties: {} });
  }
  return nodes;
}

/** `keysOnly`: nothing but key frames is decoded. */
function decode({ name, decoder, skips = false }: CpuCodec, keysOnly: boolean): GraphNode[] {
  if (decoder === undefined) return [];
  const { factory, properties } = decoder;
  // Which decoders know threads differs between builds of libav and libvpx.
  const optional = Object.keys(properties);
  return [
    ...(skips ? [skip(name, keysOnly)] : []),
    {
      id: `${name}-decode`,
      factory,
      role: 'decode',
      properties,
      ...(optional.length === 0 ? {} : { optional }),
    },
  ];
}
