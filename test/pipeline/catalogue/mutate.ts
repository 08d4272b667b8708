import type {
  Graph,
  GraphLink,
  GraphNode,
  Lowered,
  PropertyValue,
} from '../../../src/pipeline/graph.ts';

/** A change that makes a valid pipeline wrong in one way. */
export type Mutation = (base: Lowered) => Lowered;

/** Changes the one graph of a pipeline. */
export function inGraph(change: (graph: Graph) => Graph): Mutation {
  return (base) => ({ ...base, graphs: base.graphs.map(change) });
}

export function setProperty(graph: Graph, id: string, name: string, value: PropertyValue): Graph {
  return changeNode(graph, id, (item) => ({
    ...item,
    properties: { ...item.properties, [name]: value },
  }));
}

/** `value` undefined: takes the property out. */
export function set(id: string, name: string, value: PropertyValue | undefined): Mutation {
  return inGraph((graph) =>
    value === undefined
      ? changeNode(graph, id, (item) => {
          const properties = { ...item.properties };
          delete properties[name];
          return { ...item, properties };
        })
      : setProperty(graph, id, name, value),
  );
}

export function setMany(id: string, properties: Record<string, PropertyValue>): Mutation {
  return all(...Object.entries(properties).map(([name, value]) => set(id, name, value)));
}

export function replace(
  id: string,
  factory: string,
  properties?: GraphNode['properties'],
): Mutation {
  return inGraph((graph) =>
    changeNode(graph, id, (item) => ({
      ...item,
      factory,
      properties: properties ?? item.properties,
    })),
  );
}

function changeNode(graph: Graph, id: string, change: (item: GraphNode) => GraphNode): Graph {
  const apply = (item: GraphNode) => (item.id === id ? change(item) : item);
  return {
    ...graph,
    nodes: graph.nodes.map(apply),
    choices: graph.choices.map((choice) => ({
      ...choice,
      alternatives: choice.alternatives.map(({ caps, chain }) => ({
        caps,
        chain: chain.map(apply),
      })),
    })),
  };
}

/** Changes the one link from and to these ends. */
export function relink(from: string, to: string, change: Partial<GraphLink>): Mutation {
  return inGraph((graph) => {
    const found = graph.links.some((link) => link.from === from && link.to === to);
    if (!found) throw new Error(`the graph has no link ${from} -> ${to}`);
    const links = graph.links.map((link) =>
      link.from === from && link.to === to ? { ...link, ...change } : link,
    );
    return { ...graph, links };
  });
}

export function unlink(from: string, to: string): Mutation {
  return inGraph((graph) => {
    const links = graph.links.filter((link) => link.from !== from || link.to !== to);
    return { ...graph, links };
  });
}

export function link(from: string, to: string, caps?: string): Mutation {
  return inGraph((graph) => ({
    ...graph,
    links: [...graph.links, { from, to, ...(caps === undefined ? {} : { caps }) }],
  }));
}

export function add(...nodes: readonly GraphNode[]): Mutation {
  return inGraph((graph) => ({ ...graph, nodes: [...graph.nodes, ...nodes] }));
}

/** Puts a node into the one link from and to these ends; a filter of the link stays before it. */
export function insert(from: string, item: GraphNode, to: string, caps?: string): Mutation {
  return all(add(item), relink(from, to, { to: item.id }), link(item.id, to, caps));
}

/** Takes a node out; what fed it feeds what it fed. */
export function bypass(id: string): Mutation {
  return inGraph((graph) => {
    const into = graph.links.filter(({ to }) => to === id);
    const out = graph.links.filter(({ from }) => from === id);
    const rest = graph.links.filter(({ from, to }) => from !== id && to !== id);
    const joined = into.flatMap(({ from, caps }) =>
      out.map(({ to, caps: behind }) => {
        const filter = caps ?? behind;
        return { from, to, ...(filter === undefined ? {} : { caps: filter }) };
      }),
    );
    return {
      ...graph,
      nodes: graph.nodes.filter((item) => item.id !== id),
      links: [...rest, ...joined],
    };
  });
}

/** Replaces a part of a generated file's text. */
export function edit(path: string, before: string | RegExp, after: string): Mutation {
  return (base) => ({
    ...base,
    files: base.files.map((file) => {
      if (file.path !== path) return file;
      const text = file.text.replace(before, after);
      if (text === file.text) throw new Error(`${path} has no ${String(before)}`);
      return { ...file, text };
    }),
  });
}

export function environment(variables: Record<string, string>): Mutation {
  return (base) => ({ ...base, environment: variables });
}

export function all(...mutations: readonly Mutation[]): Mutation {
  return (base) => mutations.reduce((changed, mutation) => mutation(changed), base);
}
