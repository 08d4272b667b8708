import type { Compiler } from '../../src/control/types.ts';
import type { Graph, GraphNode } from '../../src/pipeline/graph.ts';

const SINK = { sync: false, async: false, 'enable-last-sample': false };
const CAPS = 'video/x-raw,format=I420,width=64,height=48,framerate=25/1';

/** A test picture 25 times a second, as frames and one JPEG every 200 ms: everything but the detector is real. */
export function testPictureGraph(
  streamId: string,
  properties: GraphNode['properties'] = {},
): Graph {
  const stream = { 'stream-id': streamId };
  const nodes: GraphNode[] = [
    node('source', 'videotestsrc', 'source', { 'is-live': true, ...properties }),
    node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
    node('sample', 'slsample', 'sample', { 'interval-ms': 200 }),
    node('split', 'tee', 'split'),
    node('frames', 'queue', 'queue'),
    node('meta', 'slmeta', 'metadata', stream),
    { ...node('meta-out', 'appsink', 'output', SINK), outputKind: 1 },
    node('images', 'queue', 'queue'),
    node('filter', 'slsample', 'sample', { action: 'filter' }),
    node('jpeg', 'jpegenc', 'encode-image'),
    node('image', 'slimage', 'image', stream),
    { ...node('image-out', 'appsink', 'output', SINK), outputKind: 2 },
  ];
  const links = [
    { from: 'source', to: 'decoded', caps: CAPS },
    ...chain('decoded', 'sample', 'split', 'frames', 'meta', 'meta-out'),
    ...chain('split', 'images', 'filter', 'jpeg', 'image', 'image-out'),
  ];
  const sessionNodes = ['meta', 'image'];
  return { id: streamId, streams: [streamId], nodes, links, choices: [], sessionNodes };
}

/** An H.264 camera; its location is a secret. */
export function cameraGraph(streamId: string, location: string): Graph {
  const source = node('source', 'rtspsrc', 'source', { location, protocols: 'tcp' });
  const alternative = {
    caps: 'application/x-rtp,media=video,encoding-name=H264',
    chain: [
      node('depay', 'rtph264depay', 'depayload'),
      node('parse', 'h264parse', 'parse'),
      node('decode', 'avdec_h264', 'decode'),
    ],
  };
  const output = { ...node('meta-out', 'appsink', 'output', SINK), outputKind: 1 } as const;
  return {
    id: streamId,
    streams: [streamId],
    nodes: [{ ...source, secret: ['location'] }, output],
    links: [],
    choices: [{ from: 'source', to: 'meta-out', alternatives: [alternative] }],
    sessionNodes: [],
  };
}

/** An H.264 camera whose frames leave as metadata; `meta` are properties of what writes it. */
export function cameraFrames(
  streamId: string,
  location: string,
  meta: GraphNode['properties'] = {},
): Graph {
  const raw = cameraGraph(streamId, location);
  const [choice] = raw.choices;
  const [alternative] = choice!.alternatives;
  const decoded = node('decoded', 'slstamp', 'stamp', { stage: 'decode' });
  const properties = { 'stream-id': streamId, ...meta };
  return {
    ...raw,
    nodes: [...raw.nodes, node('meta', 'slmeta', 'metadata', properties)],
    links: [{ from: 'meta', to: 'meta-out' }],
    choices: [
      {
        from: 'source',
        to: 'meta',
        alternatives: [{ ...alternative!, chain: [...alternative!.chain, decoded] }],
      },
    ],
    sessionNodes: ['meta'],
  };
}

/** Compiles any spec to the test picture. */
export const TEST_PICTURES: Compiler = {
  stream: (spec) => ({
    pipelineId: spec.id,
    graphs: [testPictureGraph(spec.id)],
    streams: [{ id: spec.id, spec }],
  }),
  pipeline: () => {
    throw new Error('Only streams here');
  },
};

function node(
  id: string,
  factory: string,
  role: GraphNode['role'],
  properties: GraphNode['properties'] = {},
): GraphNode {
  return { id, factory, role, properties };
}

function chain(...ids: readonly string[]) {
  return ids.slice(1).map((to, index) => ({ from: ids[index]!, to }));
}
