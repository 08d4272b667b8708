import { allNodes } from '../gst/redact.ts';
import type { Graph, GraphNode } from '../pipeline/graph.ts';
import { nodeOf } from '../pipeline/graph-check.ts';

/** The one stream a node serves: what the node says, or the graph's only stream. */
export function streamOf(graph: Graph, node: GraphNode): string | undefined {
  return node.stream ?? (graph.streams.length === 1 ? graph.streams[0] : undefined);
}

/**
 * Nodes that see every decoded picture first: the decode stamps, else the decoders, else the outputs, and the recorders
 * where nothing is decoded.
 */
export function decodedNodes(graph: Graph): readonly GraphNode[] {
  const nodes = allNodes(graph);
  const stamps = nodes.filter(isDecodeStamp);
  if (stamps.length > 0) return stamps;
  const decoders = nodes.filter(({ role }) => role === 'decode');
  if (decoders.length > 0) return decoders;
  const outputs = nodes.filter(({ outputKind }) => outputKind === 1);
  return outputs.length > 0 ? outputs : nodes.filter(isRecorder);
}

export function isRecorder({ factory }: GraphNode): boolean {
  return factory === 'slrecord';
}

/** Nodes whose incoming buffers are counted. */
export function countedNodes(graph: Graph): readonly GraphNode[] {
  return allNodes(graph).filter((node) => node.role === 'decode' || isRecorder(node));
}

/** What the graph does not do. */
export function unaskedOf(graph: Graph): ('decode' | 'infer' | 'publish')[] {
  const nodes = allNodes(graph);
  return [
    ...(nodes.some((node) => node.role === 'decode' || isDecodeStamp(node)) ? [] : ['decode']),
    ...(nodes.some(({ role }) => role === 'infer') ? [] : ['infer']),
    ...(nodes.some(({ role }) => role === 'output') ? [] : ['publish']),
  ] as ('decode' | 'infer' | 'publish')[];
}

export function isDecodeStamp(node: GraphNode): boolean {
  return node.factory === 'slstamp' && node.properties['stage'] === 'decode';
}

/**
 * The nodes of each stream's own source, with the stream: those in front of the muxer. What happens there is that
 * stream's affair alone; behind it the streams share everything, branches of one stream included.
 */
export function sourceStreams(graph: Graph): ReadonlyMap<string, string> {
  const before = new Map<string, string[]>();
  const link = (from: string, to: string) => {
    before.set(nodeOf(to), [...(before.get(nodeOf(to)) ?? []), nodeOf(from)]);
  };
  for (const { from, to } of graph.links) link(from, to);
  for (const { from, to, alternatives } of graph.choices) {
    for (const { chain, links = [] } of alternatives) {
      for (const branch of links) link(branch.from, branch.to);
      const ids = [from, ...chain.map(({ id }) => id), to];
      for (const [index, id] of ids.slice(1).entries()) link(ids[index]!, id);
    }
  }
  const found = new Set<string>();
  const next = [...muxIds(graph)];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    for (const source of before.get(id) ?? []) {
      if (!found.has(source)) next.push(source);
      found.add(source);
    }
  }
  const streams = allNodes(graph)
    .filter(({ id }) => found.has(id))
    .map((node) => [node.id, streamOf(graph, node)] as const);
  return new Map(streams.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/**
 * The graph without the sources of some streams; their muxer pads stay free, and everything else keeps its number. For
 * streams that are over, and for those whose source keeps the graph from starting.
 */
export function withoutSources(graph: Graph, streams: ReadonlySet<string>): Graph {
  if (streams.size === 0) return graph;
  const gone = new Set(
    [...sourceStreams(graph)].filter(([, stream]) => streams.has(stream)).map(([id]) => id),
  );
  return {
    ...graph,
    nodes: graph.nodes.filter(({ id }) => !gone.has(id)),
    links: graph.links.filter(({ from }) => !gone.has(nodeOf(from))),
    choices: graph.choices.filter(({ from }) => !gone.has(nodeOf(from))),
  };
}

/** Reading a file to its end is its purpose; a live source has no end. */
export function readsFile(graph: Graph, streamId: string): boolean {
  return sourcesOf(graph, streamId).some(
    ({ factory, properties }) =>
      factory === 'filesrc' || /^file:/i.test(String(properties['uri'] ?? '')),
  );
}

/** Pictures come when somebody sends them: that none do is no fault. */
export function awaitsFrames(graph: Graph, streamId: string): boolean {
  return sourcesOf(graph, streamId).some(({ factory }) => factory === 'slframesrc');
}

/** Whether the stream's source connects again inside the running pipeline. */
export function reconnectsItself(graph: Graph, streamId: string): boolean {
  return sourcesOf(graph, streamId).some(
    ({ factory, properties }) =>
      factory === 'nvurisrcbin' &&
      Number(properties['rtsp-reconnect-interval'] ?? 0) > 0 &&
      // NVIDIA's element takes only this prefix, as written, for a camera that it may reconnect.
      String(properties['uri'] ?? '').startsWith('rtsp://'),
  );
}

/** Behind these all streams are one: an end-of-stream sent from here takes everything with it. */
export function muxIds(graph: Graph): readonly string[] {
  return graph.nodes.filter(({ role }) => role === 'mux').map(({ id }) => id);
}

function sourcesOf(graph: Graph, streamId: string): readonly GraphNode[] {
  return allNodes(graph).filter(
    (node) => node.role === 'source' && streamOf(graph, node) === streamId,
  );
}
