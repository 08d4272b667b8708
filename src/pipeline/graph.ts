/**
 * A lowered pipeline: elements, properties and links as data. The addon builds it element by element; nothing in it is
 * ever parsed as pipeline text, so no value can become an element.
 */
export type PropertyValue = string | number | boolean;

/** What a node does, in the language both backends share. */
export type Role =
  | 'source'
  | 'depayload'
  | 'parse'
  | 'stamp'
  | 'decode'
  | 'mux'
  | 'queue'
  | 'infer'
  | 'classify'
  | 'track'
  | 'analytics'
  | 'sample'
  | 'split'
  | 'encode-image'
  | 'metadata'
  | 'image'
  | 'output'
  | 'convert'
  | 'demux'
  | 'tile'
  | 'draw'
  | 'motion'
  | 'record'
  | 'encode-video'
  | 'sink';

export interface GraphNode {
  /** Unique in the graph; also the GStreamer element's name. [A-Za-z0-9_-]. */
  readonly id: string;
  readonly factory: string;
  readonly role: Role;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  /** Names of properties to leave out without an error where the installed element lacks them. */
  readonly optional?: readonly string[];
  /** Names of properties that hold secrets: never printed, logged or dumped. */
  readonly secret?: readonly string[];
  /** JSON pointer into the spec: what asked for this node. Problems with it are reported there. Absent: nothing did. */
  readonly origin?: string;
  /** The one stream whose frames pass through this node; absent: those of every stream of the graph. */
  readonly stream?: string;
  /** For role `output` (appsink): what its buffers are. 1 = sightline.v1.Frame, 2 = sightline.v1.Image. */
  readonly outputKind?: 1 | 2;
}

/** A static link; `caps` puts a filter between. Pads are `nodeId` or `nodeId.padName` (request pads by template). */
export interface GraphLink {
  readonly from: string;
  readonly to: string;
  readonly caps?: string;
}

/**
 * What to do with the pads an element adds while it runs (rtspsrc, parsebin). For each new pad the first alternative
 * whose caps intersect the pad's is built and linked: pad -> chain[0] -> ... -> `to`. Only the first pad that matches is
 * used; further ones are left unlinked. When the element says "no more pads" and none matched, the pipeline fails
 * with SL_SOURCE_UNSUPPORTED naming the caps that were offered.
 */
export interface GraphChoice {
  readonly from: string;
  readonly to: string;
  readonly alternatives: readonly GraphAlternative[];
}

export interface GraphAlternative {
  readonly caps: string;
  readonly chain: readonly GraphNode[];
  /** Further links from nodes of the chain: a branch that leaves it. Default none. */
  readonly links?: readonly GraphLink[];
}

export type Backend = 'cpu' | 'deepstream';

/** A file that elements of a graph read. It must be written before the graph is built. */
export interface GeneratedFile {
  /** Absolute; it stands in a property of a node. The name depends on the text, so a file never changes. */
  readonly path: string;
  readonly kind: 'nvinfer' | 'nvinferserver' | 'tracker' | 'analytics' | 'muxer' | 'labels';
  readonly text: string;
  /** JSON pointer into the spec. */
  readonly origin: string;
}

/** A spec was followed as far as the backend can: what is otherwise, with the pointer into the spec. */
export interface LoweringNote {
  readonly pointer: string;
  readonly message: string;
}

/** What a backend makes of a pipeline. */
export interface Lowered {
  readonly backend: Backend;
  readonly graphs: readonly Graph[];
  readonly files: readonly GeneratedFile[];
  readonly notes: readonly LoweringNote[];
  /** Variables the worker process must be started with (nvstreammux is chosen by one). */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Graph {
  /** Unique in the pipeline. On the CPU there is one graph a stream. */
  readonly id: string;
  /** Streams whose frames pass through this graph. */
  readonly streams: readonly string[];
  readonly nodes: readonly GraphNode[];
  readonly links: readonly GraphLink[];
  readonly choices: readonly GraphChoice[];
  /** Node that changes for each session: its `session` property is set before every start. */
  readonly sessionNodes: readonly string[];
  /**
   * Fencing token of the streams' owner in a fleet, a decimal uint64: set as `epoch` on the session nodes before every
   * start. Absent: 0.
   */
  readonly epoch?: string;
}
