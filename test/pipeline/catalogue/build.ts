import type {
  GeneratedFile,
  Graph,
  GraphChoice,
  GraphLink,
  GraphNode,
  Lowered,
  PropertyValue,
  Role,
} from '../../../src/pipeline/graph.ts';

type Properties = Readonly<Record<string, PropertyValue>>;

/** Builds a graph by hand: what stands in a gst-launch line, as data. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly links: GraphLink[] = [];
  readonly choices: GraphChoice[] = [];

  node(id: string, factory: string, properties: Properties = {}, more: Partial<GraphNode> = {}) {
    this.nodes.push(node(id, factory, properties, more));
    return this;
  }

  /** Links the ends in their order. An end with a slash in it is a filter: `video/x-raw,format=RGB`. */
  chain(...ends: readonly string[]) {
    let from: string | undefined;
    let caps: string | undefined;
    for (const end of ends) {
      if (end.includes('/')) {
        caps = end;
        continue;
      }
      if (from !== undefined) {
        this.links.push({ from, to: end, ...(caps === undefined ? {} : { caps }) });
      }
      from = end;
      caps = undefined;
    }
    return this;
  }

  choice(from: string, to: string, ...alternatives: GraphChoice['alternatives']) {
    this.choices.push({ from, to, alternatives });
    return this;
  }

  build(streams: readonly string[] = ['cam']): Graph {
    const { nodes, links, choices } = this;
    return { id: 'all', streams, nodes, links, choices, sessionNodes: [] };
  }
}

export function node(
  id: string,
  factory: string,
  properties: Properties = {},
  more: Partial<GraphNode> = {},
): GraphNode {
  return { id, factory, role: roleOf(factory), properties, ...more };
}

const ROLES: Readonly<Record<string, Role>> = {
  nvstreammux: 'mux',
  nvinfer: 'infer',
  nvtracker: 'track',
  nvdsanalytics: 'analytics',
  sldsmeta: 'metadata',
  appsink: 'output',
  queue: 'queue',
  tee: 'split',
  nvurisrcbin: 'source',
  nvvideoconvert: 'convert',
};

function roleOf(factory: string): Role {
  return ROLES[factory] ?? (factory.endsWith('sink') ? 'sink' : 'convert');
}

/** A lowered pipeline of one graph. */
export function lowered(
  graph: Graph,
  more: { files?: readonly GeneratedFile[]; environment?: Readonly<Record<string, string>> } = {},
): Lowered {
  const { files = [], environment = {} } = more;
  return { backend: 'deepstream', graphs: [graph], files, notes: [], environment };
}
