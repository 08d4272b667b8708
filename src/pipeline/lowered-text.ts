import { graphDot } from './dot.ts';
import type { Graph, Lowered } from './graph.ts';
import { allNodes } from './graph-check.ts';
import { type LaunchOptions, launchText } from './launch-text.ts';
import { shownValue } from './print-value.ts';
import { graphText } from './text.ts';

export const FORMATS = ['text', 'dot', 'launch', 'json', 'files'] as const;
export type Format = (typeof FORMATS)[number];

/** A lowered pipeline as `sightline compile` prints it. Secrets are hidden, but for a launch line that asks for them. */
export function loweredText(lowered: Lowered, format: Format, options: LaunchOptions = {}): string {
  const { graphs, environment } = lowered;
  switch (format) {
    case 'text':
      return [
        graphText(graphs),
        ...environmentText(lowered),
        ...notesText(lowered),
        filesText(lowered),
      ]
        .filter((part) => part !== '')
        .join('\n');
    case 'files':
      return filesText(lowered);
    case 'dot':
      return graphDot(graphs);
    case 'launch':
      return launchText(graphs, { ...options, environment });
    case 'json':
      return JSON.stringify({ ...lowered, graphs: graphs.map(withoutSecrets) }, undefined, 2);
  }
}

function environmentText({ environment }: Lowered): string[] {
  const lines = Object.entries(environment).map(
    ([name, value]) => `  ${name}: ${JSON.stringify(value)}`,
  );
  return lines.length === 0 ? [] : [`environment:\n${lines.join('\n')}\n`];
}

function notesText({ notes }: Lowered): string[] {
  const lines = notes.map(
    ({ pointer, message }) => `  ${pointer === '' ? '' : `${pointer}: `}${message}`,
  );
  return lines.length === 0 ? [] : [`notes:\n${lines.join('\n')}\n`];
}

/** Every generated file: a line that names it, and its text, set in by two. */
function filesText({ files }: Lowered): string {
  return files
    .map(({ path, kind, origin, text }) => {
      const body = text.trimEnd().split('\n');
      const lines = body.map((line) => (line === '' ? '' : `  ${line}`));
      return `${kind} file ${path}, for ${origin}:\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** The graph for printing as JSON. */
function withoutSecrets(graph: Graph): Graph {
  const shown = new Map(
    allNodes(graph).map((node) => {
      const names = Object.keys(node.properties);
      const properties = names.map((name) => [name, shownValue(node, name)] as const);
      return [node.id, { ...node, properties: Object.fromEntries(properties) }] as const;
    }),
  );
  return {
    ...graph,
    nodes: graph.nodes.map(({ id }) => shown.get(id)!),
    choices: graph.choices.map((choice) => ({
      ...choice,
      alternatives: choice.alternatives.map((one) => ({
        ...one,
        chain: one.chain.map(({ id }) => shown.get(id)!),
      })),
    })),
  };
}
