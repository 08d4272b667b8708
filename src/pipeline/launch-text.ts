import type { Graph, GraphLink, GraphNode } from './graph.ts';
import { nodeOf, padOf } from './graph-check.ts';
import { shownValue } from './print-value.ts';
import { launchValue, shellWord } from './quote.ts';

export interface LaunchOptions {
  /** Codec of the alternative to show (`h264`, `mpeg4`...) in every choice that has it; default: the first. */
  readonly codec?: string;
  /** Folder of Sightline's plugin: the command then finds its elements by itself. */
  readonly pluginDir?: string;
  /** Variables the command is to be started with. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Print secrets as they are: the line is to be run, not shown. Default false. */
  readonly secrets?: boolean;
}

/** A graph whose choices are made: nodes and links only. */
interface Flat {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly links: readonly GraphLink[];
}

/** Every element stands on a line of its own. */
const INDENT = ' \\\n  ';

/**
 * The graphs as one `gst-launch-1.0` command for a POSIX shell. It decodes, infers and encodes as the worker does;
 * the application's outputs, which nobody would read there, become fakesinks.
 */
export function launchText(graphs: readonly Graph[], options: LaunchOptions = {}): string {
  const parts = graphs.flatMap((graph, index) => {
    // Element names are unique in the whole line.
    const prefix = graphs.length === 1 ? '' : `g${index}_`;
    return launchGraph(flatten(graph, options.codec), prefix, options);
  });
  const { pluginDir, environment = {} } = options;
  const variables = {
    ...environment,
    ...(pluginDir === undefined ? {} : { GST_PLUGIN_PATH: pluginDir }),
  };
  const words = Object.entries(variables).map(([name, value]) => `${name}=${shellWord(value)} `);
  return [`${words.join('')}gst-launch-1.0`, ...parts].join(INDENT);
}

/** Codecs a graph offers, in order of preference; none where an element of its own decodes. */
export function codecsOf(graph: Graph): readonly string[] {
  return graph.choices
    .flatMap(({ alternatives }) => alternatives.map(({ chain }) => codecOf(chain)))
    .filter((codec) => codec !== '');
}

function codecOf(chain: readonly GraphNode[]): string {
  return chain[0]?.id.split('-')[0] ?? '';
}

function flatten(graph: Graph, codec: string | undefined): Flat {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const links: GraphLink[] = [...graph.links];
  for (const { from, to, alternatives } of graph.choices) {
    const chosen = alternatives.find(({ chain }) => codecOf(chain) === codec) ?? alternatives[0];
    if (chosen === undefined) continue;
    for (const node of chosen.chain) nodes.set(node.id, node);
    const stops = [...chosen.chain.map(({ id }) => id), to];
    let previous = from;
    for (const [index, stop] of stops.entries()) {
      links.push({ from: previous, to: stop, ...(index === 0 ? { caps: chosen.caps } : {}) });
      previous = stop;
    }
    links.push(...(chosen.links ?? []));
  }
  return { nodes, links };
}

/** Chains of elements; where a node has several links, they refer to it by name. */
function launchGraph(flat: Flat, prefix: string, options: LaunchOptions): string[] {
  const starting = linksBy(flat.links, 'from');
  const ending = linksBy(flat.links, 'to');
  const out = (id: string) => starting.get(id) ?? [];
  const into = (id: string) => ending.get(id) ?? [];
  const inline = (link: GraphLink) =>
    padOf(link.from) === undefined &&
    padOf(link.to) === undefined &&
    into(nodeOf(link.to)).length === 1;

  const lines: string[] = [];
  const element = (node: GraphNode): string => {
    const named =
      out(node.id).length > 1 ||
      out(node.id)
        .concat(into(node.id))
        .some((link) => !inline(link));
    return elementText(node, named ? prefix + node.id : undefined, options);
  };
  const follow = (link: GraphLink): string => {
    const node = flat.nodes.get(nodeOf(link.to))!;
    return ` ${linkText(link)}${INDENT}${inline(link) ? element(node) : reference(link.to, prefix)}`;
  };
  const walk = (id: string, start: string): void => {
    let line = start;
    let links = out(id);
    for (let [link] = links; links.length === 1 && link && inline(link); [link] = links) {
      line += follow(link);
      links = out(nodeOf(link.to));
    }
    lines.push(line);
    for (const link of links) {
      const branch = `${reference(link.from, prefix)}${follow(link)}`;
      if (inline(link)) walk(nodeOf(link.to), branch);
      else lines.push(branch);
    }
  };

  for (const node of flat.nodes.values()) {
    const starts = into(node.id).length === 0 || into(node.id).some((link) => !inline(link));
    if (starts) walk(node.id, element(node));
  }
  return lines;
}

/** Links by the node at one of their ends. */
function linksBy(
  links: readonly GraphLink[],
  end: 'from' | 'to',
): ReadonlyMap<string, readonly GraphLink[]> {
  const found = new Map<string, GraphLink[]>();
  for (const link of links) {
    const id = nodeOf(link[end]);
    const known = found.get(id);
    if (known === undefined) found.set(id, [link]);
    else known.push(link);
  }
  return found;
}

function linkText({ caps }: GraphLink): string {
  return caps === undefined ? '!' : `! ${shellWord(caps)} !`;
}

function reference(end: string, prefix: string): string {
  return shellWord(`${prefix}${nodeOf(end)}.${padOf(end) ?? ''}`);
}

function elementText(node: GraphNode, name: string | undefined, options: LaunchOptions): string {
  if (node.role === 'output') {
    return [
      'fakesink',
      ...(name === undefined ? [] : [`name=${name}`]),
      'sync=false',
      'async=false',
    ].join(' ');
  }
  const properties = Object.keys(node.properties).map((property) =>
    shellWord(`${property}=${launchValue(shownValue(node, property, options))}`),
  );
  return [node.factory, ...(name === undefined ? [] : [`name=${name}`]), ...properties].join(' ');
}
