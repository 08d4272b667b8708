import type { Graph, GraphNode, PropertyValue } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import { allNodes } from '../pipeline/graph-check.ts';
import type { LiveCommand } from './types.ts';

/** What slskip leaves out, by the number of nvv4l2decoder's `skip-frames`. */
const SKIPS = ['none', 'non-reference', 'non-key'] as const;

/** Elements that find objects and take a new `interval` while they run. */
const DETECTORS: ReadonlySet<string> = new Set(['slinfer', 'nvinfer']);
const ANALYTICS: ReadonlySet<string> = new Set(['slanalytics', 'nvdsanalytics']);

/**
 * The changes of a graph's nodes that a command for one of its streams means; empty when the graph has no element for
 * it. Zones are not made here: they need the spec compiled anew.
 */
export function changesFor(
  graph: Graph,
  streamId: string,
  command: Exclude<LiveCommand, { kind: 'zones' }>,
): readonly PropertyChange[] {
  switch (command.kind) {
    case 'infer-interval':
      return set(infers(graph, streamId), 'interval', command.interval);
    case 'skip-frames':
      return [
        ...set(own(graph, streamId, isSkipper), 'skip', SKIPS[command.mode]),
        ...set(own(graph, streamId, isNvDecoder), 'skip-frames', command.mode),
      ];
    case 'drop-frame-interval':
      return set(own(graph, streamId, isDecodeStamp), 'drop-interval', command.interval);
    case 'analytics-reload':
      return analytics(graph, streamId).flatMap((node) => configFile(node, node));
  }
}

/**
 * What must be set in `graph` for its analytics to read the files that `compiled`, the same graph made anew, names; empty
 * when that has more analytics elements than run. One that is not needed any more is switched off.
 */
export function analyticsChanges(
  graph: Graph,
  compiled: Graph,
  streamId: string,
): readonly PropertyChange[] {
  const running = analytics(graph, streamId);
  const fresh = new Map(analytics(compiled, streamId).map((node) => [node.id, node]));
  if (fresh.size > running.length) return [];
  // nvdsanalytics takes `enable` only before it runs.
  const canBeOff = running.every(({ factory }) => factory === 'slanalytics');
  if (fresh.size < running.length && !canBeOff) return [];
  return running.flatMap((node) => {
    const file = configFile(node, fresh.get(node.id));
    if (!canBeOff) return file;
    return [...file, { node: node.id, property: 'enable', value: file.length > 0 }];
  });
}

/** The streams a change of these nodes holds for. */
export function streamsOf(graph: Graph, changes: readonly PropertyChange[]): readonly string[] {
  const nodes = allNodes(graph);
  const streams = changes.map(({ node }) => nodes.find(({ id }) => id === node)?.stream);
  if (streams.includes(undefined)) return graph.streams;
  return graph.streams.filter((id) => streams.includes(id));
}

/** The changes that bring back what the graph has now; a node that leaves the property out skips nothing. */
export function undoSkip(
  graph: Graph,
  changes: readonly PropertyChange[],
): readonly PropertyChange[] {
  const nodes = allNodes(graph);
  return changes.map(({ node, property }) => {
    const nothing = property === 'skip' ? SKIPS[0] : 0;
    const value = nodes.find(({ id }) => id === node)?.properties[property] ?? nothing;
    return { node, property, value };
  });
}

function set(
  nodes: readonly GraphNode[],
  property: string,
  value: PropertyValue,
): readonly PropertyChange[] {
  return nodes.map(({ id }) => ({ node: id, property, value }));
}

function configFile(node: GraphNode, from: GraphNode | undefined): readonly PropertyChange[] {
  const value = from?.properties['config-file'];
  return value === undefined ? [] : [{ node: node.id, property: 'config-file', value }];
}

/** Detectors the stream's frames pass: its own, or the one that all streams of the graph share. */
function infers(graph: Graph, streamId: string): readonly GraphNode[] {
  return passed(graph, streamId, ({ role, factory }) => role === 'infer' && DETECTORS.has(factory));
}

function analytics(graph: Graph, streamId: string): readonly GraphNode[] {
  return passed(graph, streamId, ({ factory }) => ANALYTICS.has(factory));
}

function passed(
  graph: Graph,
  streamId: string,
  wanted: (node: GraphNode) => boolean,
): readonly GraphNode[] {
  return allNodes(graph).filter((node) => wanted(node) && (node.stream ?? streamId) === streamId);
}

/** Nodes that serve this stream and no other. */
function own(
  graph: Graph,
  streamId: string,
  wanted: (node: GraphNode) => boolean,
): readonly GraphNode[] {
  const alone = graph.streams.length === 1;
  return passed(graph, streamId, (node) => wanted(node) && (alone || node.stream !== undefined));
}

/** A decoder of NVIDIA that stands in the graph itself, not inside of an nvurisrcbin, where nothing reaches it. */
function isNvDecoder({ factory }: GraphNode): boolean {
  return factory === 'nvv4l2decoder';
}

function isSkipper({ factory }: GraphNode): boolean {
  return factory === 'slskip';
}

function isDecodeStamp({ factory, properties }: GraphNode): boolean {
  return factory === 'slstamp' && properties['stage'] === 'decode';
}
