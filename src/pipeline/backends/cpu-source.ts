import { redactUrl } from '../../common/redact-url.ts';
import {
  locationWithCredentials,
  type ResolvedFileSource,
  type ResolvedHttpSource,
  type ResolvedRtspSource,
  type ResolvedSource,
} from '../../sources/resolve-source.ts';
import type { GraphChoice, GraphNode } from '../graph.ts';
import { CPU_CODECS, type CpuCodec } from './cpu-codecs.ts';
import { TIMEOUT_US } from './rtsp.ts';

/** The front of a graph: from the source to decoded pictures. */
export interface SourcePart {
  readonly nodes: readonly GraphNode[];
  readonly links: readonly { readonly from: string; readonly to: string }[];
  readonly choice: GraphChoice;
}

/** Lowers a source; its pictures enter the node `to`. `skips`: whatever the codec, pictures must be left out undecoded. */
export function lowerSource(source: ResolvedSource, to: string, skips = false): SourcePart {
  const codecs = skips ? CPU_CODECS.map((codec) => ({ ...codec, skips })) : CPU_CODECS;
  switch (source.type) {
    case 'rtsp':
      return lowerRtsp(source, to, codecs);
    case 'http':
      return parsed(httpNode(source), to, codecs);
    case 'file':
      return parsed(fileNode(source), to, codecs);
  }
}

function lowerRtsp(
  source: ResolvedRtspSource,
  to: string,
  codecs: readonly CpuCodec[],
): SourcePart {
  const { transport, latencyMs } = source;
  // rtspsrc offers what stands in the URL once and then reports the refusal; what stands in its user-id and user-pw
  // properties it offers again and again, until the camera locks the account.
  const location = locationWithCredentials(source);
  const node: GraphNode = {
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
          {
            caps: `application/x-rtp,media=video,encoding-name=${codec.rtp.encoding}`,
            chain: [receive(codec), ...depayload(codec.name, codec.rtp), ...decode(codec)],
          },
        ],
  );
  return { nodes: [node], links: [], choice: { from: node.id, to, alternatives } };
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
function parsed(source: GraphNode, to: string, codecs: readonly CpuCodec[]): SourcePart {
  const demux: GraphNode = { id: 'demux', factory: 'parsebin', role: 'parse', properties: {} };
  const alternatives = codecs.map((codec) => ({
    caps: codec.fileCaps,
    chain: [receive(codec), ...decode(codec)],
  }));
  return {
    nodes: [source, demux],
    links: [{ from: 'source', to: 'demux' }],
    choice: { from: 'demux', to, alternatives },
  };
}

/** In front of the decoders of codecs whose pictures depend on each other: what can leave out some, also while it runs. */
function skip(name: string): GraphNode {
  return { id: `${name}-skip`, factory: 'slskip', role: 'parse', properties: {} };
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

function decode({ name, decoder, skips = false }: CpuCodec): GraphNode[] {
  if (decoder === undefined) return [];
  const { factory, properties } = decoder;
  // Which decoders know threads differs between builds of libav and libvpx.
  const optional = Object.keys(properties);
  return [
    ...(skips ? [skip(name)] : []),
    {
      id: `${name}-decode`,
      factory,
      role: 'decode',
      properties,
      ...(optional.length === 0 ? {} : { optional }),
    },
  ];
}
