import { type Document, loadDocument } from '../common/document.ts';
import { type Problem, SightlineError } from '../common/errors.ts';
import { type CpuOptions, lowerCpu } from './backends/cpu.ts';
import { graphDot } from './dot.ts';
import type { GeneratedFile, Graph } from './graph.ts';
import { allNodes } from './graph-check.ts';
import { codecsOf, launchText } from './launch-text.ts';
import { shownValue } from './print-value.ts';
import {
  type ResolvedModel,
  type ResolvedPipeline,
  type ResolveOptions,
  resolve,
} from './resolve.ts';
import { PipelineSpec } from './spec.ts';
import { graphText } from './text.ts';

export const BACKENDS = ['cpu'] as const;
export const FORMATS = ['text', 'dot', 'launch', 'json'] as const;
export type Backend = (typeof BACKENDS)[number];
export type Format = (typeof FORMATS)[number];

/** What both commands need from their caller. */
export interface CommandContext extends ResolveOptions {
  /** Takes whole lines, without the line end. */
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Where `${NAME}` in specs is looked up. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface CompileOptions {
  readonly backend: Backend;
  readonly format: Format;
  readonly cpu: Omit<CpuOptions, 'configFile'>;
  /** Writes a model's configuration with another threshold and returns its path. */
  readonly configWithThreshold: (model: ResolvedModel, threshold: number) => Promise<string>;
  /** Writes what the graphs read, so that a launch line runs. */
  readonly writeFiles: (files: readonly GeneratedFile[]) => Promise<void>;
  /** For `launch`: folder of Sightline's plugin, so that the line runs anywhere. */
  readonly pluginDir?: string;
  /** For `launch`: the codec to show where the source offers several. */
  readonly codec?: string;
  /** For `launch`: print secrets, so that the line runs. */
  readonly secrets?: boolean;
}

/**
 * `sightline validate file`: checks a pipeline file. Prints `file: ok`, or each problem as
 * `file:line:column: pointer: message`. Returns the exit code, 0 or 1.
 */
export async function validateFile(file: string, context: CommandContext): Promise<number> {
  const pipeline = await loadPipeline(file, context);
  if (pipeline === undefined) return 1;
  context.print(`${file}: ok`);
  return 0;
}

/** `sightline compile file`: prints what a pipeline file becomes. Returns the exit code, 0 or 1. */
export async function compileFile(
  file: string,
  options: CompileOptions,
  context: CommandContext,
): Promise<number> {
  const pipeline = await loadPipeline(file, context);
  if (pipeline === undefined) return 1;
  const { model, threshold } = pipeline.infer;
  const configFile =
    threshold === undefined
      ? model.configFile
      : await options.configWithThreshold(model, threshold);
  const { graphs, files } = lowerCpu(pipeline, { ...options.cpu, configFile });
  const codecs = new Set(graphs.flatMap(codecsOf));
  if (options.codec !== undefined && !codecs.has(options.codec)) {
    const known = [...codecs].join(', ');
    context.printError(`Cannot compile ${file} for codec "${options.codec}": known are ${known}`);
    return 1;
  }
  await options.writeFiles(files);
  context.print(formatGraphs(graphs, options).trimEnd());
  if (options.format === 'text') for (const file of files) context.print(fileText(file));
  return 0;
}

/** A file the graphs read, for printing below them. */
function fileText({ path, text }: GeneratedFile): string {
  return `\nfile ${path}\n${text.trimEnd().replaceAll(/^(?=.)/gm, '  ')}`;
}

function formatGraphs(graphs: readonly Graph[], options: CompileOptions): string {
  switch (options.format) {
    case 'text':
      return graphText(graphs);
    case 'dot':
      return graphDot(graphs);
    case 'launch': {
      const { codec, pluginDir, secrets = false } = options;
      return launchText(graphs, {
        secrets,
        ...(codec === undefined ? {} : { codec }),
        ...(pluginDir === undefined ? {} : { pluginDir }),
      });
    }
    case 'json':
      return JSON.stringify(graphs.map(withoutSecrets), undefined, 2);
  }
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
      alternatives: choice.alternatives.map(({ caps, chain }) => ({
        caps,
        chain: chain.map(({ id }) => shown.get(id)!),
      })),
    })),
  };
}

async function loadPipeline(
  file: string,
  context: CommandContext,
): Promise<ResolvedPipeline | undefined> {
  const { env = process.env } = context;
  let document: Document<PipelineSpec> | undefined;
  try {
    document = await loadDocument(file, PipelineSpec, { env });
    return resolve(document.value, context);
  } catch (error) {
    if (!(error instanceof SightlineError)) throw error;
    const problems = document === undefined ? error.problems : document.locate(error.problems);
    if (problems.length === 0) context.printError(error.message);
    for (const problem of problems) context.printError(problemLine(file, problem));
    return undefined;
  }
}

function problemLine(file: string, { pointer, message, line, column }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return pointer === '' ? `${place}: ${message}` : `${place}: ${pointer}: ${message}`;
}
