import type { Graph, GraphNode, PropertyValue, Role } from '../../src/pipeline/graph.ts';

export function node(
  id: string,
  factory: string,
  role: Role,
  properties: Readonly<Record<string, PropertyValue>> = {},
  more: Partial<GraphNode> = {},
): GraphNode {
  return { id, factory, role, properties, ...more };
}

export function graph(id: string, nodes: readonly GraphNode[], more: Partial<Graph> = {}): Graph {
  return {
    id,
    streams: [id],
    nodes,
    links: nodes.slice(1).map((to, index) => ({ from: nodes[index]!.id, to: to.id })),
    choices: [],
    sessionNodes: [],
    ...more,
  };
}

/** An appsink that never waits. */
export function output(id: string, outputKind: 1 | 2 = 1): GraphNode {
  const properties = { sync: false, async: false, 'enable-last-sample': false };
  return node(id, 'appsink', 'output', properties, { outputKind });
}

/** Pictures of a known size straight into an output. */
export function pictures(id: string, properties: Readonly<Record<string, PropertyValue>>): Graph {
  return graph(id, [node('source', 'videotestsrc', 'source', properties), output('out')], {
    links: [{ from: 'source', to: 'out', caps: 'video/x-raw,format=GRAY8,width=16,height=16' }],
  });
}

/** A camera: any video over RTP, its packets straight into an output. */
export function camera(
  id: string,
  properties: Readonly<Record<string, PropertyValue>>,
  secret: readonly string[] = [],
): Graph {
  return graph(
    id,
    [
      node(
        'source',
        'rtspsrc',
        'source',
        { protocols: 'tcp', latency: 0, 'tcp-timeout': 2_000_000, ...properties },
        { secret },
      ),
      output('out'),
    ],
    {
      links: [],
      choices: [
        {
          from: 'source',
          to: 'out',
          alternatives: [
            {
              caps: 'application/x-rtp,media=video,encoding-name=H264',
              chain: [
                node('h264-depay', 'rtph264depay', 'depayload'),
                node('h264-parse', 'h264parse', 'parse'),
                node('h264-decode', 'avdec_h264', 'decode'),
              ],
            },
            {
              caps: 'application/x-rtp,media=video,encoding-name=JPEG',
              chain: [
                node('jpeg-depay', 'rtpjpegdepay', 'depayload'),
                node('jpeg-decode', 'jpegdec', 'decode'),
              ],
            },
          ],
        },
      ],
    },
  );
}
