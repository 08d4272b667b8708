import { allNodes } from '../gst/redact.ts';
import type { Graph, GraphNode, Role } from '../pipeline/graph.ts';

/** From the camera to decoded pictures of one stream: what fails here leaves the other streams alone. */
const SOURCE_ROLES: ReadonlySet<Role> = new Set([
  'source',
  'depayload',
  'parse',
  'stamp',
  'decode',
]);

/** The one stream a node serves: what the node says, or the graph's only stream. */
export function streamOf(graph: Graph, node: GraphNode): string | undefined {
  return node.stream ?? (graph.streams.length === 1 ? graph.streams[0] : undefined);
}

/** Nodes that see every decoded picture first: the decode stamps, else the decoders, else the outputs. */
export function decodedNodes(graph: Graph): readonly GraphNode[] {
  const nodes = allNodes(graph);
  const stamps = nodes.filter(isDecodeStamp);
  if (stamps.length > 0) return stamps;
  const decoders = nodes.filter(({ role }) => role === 'decode');
  return decoders.length > 0 ? decoders : nodes.filter(({ outputKind }) => outputKind === 1);
}

export function isDecodeStamp(node: GraphNode): boolean {
  return node.factory === 'slstamp' && node.properties['stage'] === 'decode';
}

/** The stream whose source a node belongs to, where what happens there is that stream's affair alone. */
export function sourceStreamOf(graph: Graph, nodeId: string | null): string | undefined {
  const node = allNodes(graph).find(({ id }) => id === nodeId);
  return node !== undefined && SOURCE_ROLES.has(node.role) ? streamOf(graph, node) : undefined;
}

/** Reading a file to its end is its purpose; a live source has no end. */
export function readsFile(graph: Graph, streamId: string): boolean {
  return sourcesOf(graph, streamId).some(
    ({ factory, properties }) =>
      factory === 'filesrc' || /^file:/i.test(String(properties['uri'] ?? '')),
  );
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
