import type { ValueProblem } from '../common/check.ts';
import { type Document, loadDocument } from '../common/document.ts';
import { type Problem, SightlineError } from '../common/errors.ts';
import { type CpuOptions, lowerCpu } from './backends/cpu.ts';
import { type DeepStreamOptions, lowerDeepStream } from './backends/deepstream.ts';
import { isCodeFile, loadCodeFile } from './code-file.ts';
import type { Backend, GeneratedFile, Lowered } from './graph.ts';
import { codecsOf } from './launch-text.ts';
import { type Format, loweredText } from './lowered-text.ts';
import {
  type ResolvedModel,
  type ResolvedPipeline,
  type ResolveOptions,
  resolve,
} from './resolve.ts';
import { PipelineSpec } from './spec.ts';

export type { Backend } from './graph.ts';
export { FORMATS, type Format } from './lowered-text.ts';
export const BACKENDS: readonly Backend[] = ['cpu', 'deepstream'];

/** What both commands need from their caller. */
export interface CommandContext extends ResolveOptions {
  /** Called with the checked spec before its names are looked up: to read the models it names. */
  readonly prepare?: (spec: PipelineSpec) => Promise<void>;
  /** Takes whole lines, without the line end. */
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Where `${NAME}` in specs is looked up. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What a check of a lowered pipeline found; the message names the element. */
export interface LoweredFinding extends ValueProblem {
  readonly level: 'error' | 'warning';
}

export interface CompileOptions {
  readonly backend: Backend;
  readonly format: Format;
  readonly cpu: Omit<CpuOptions, 'configFile'>;
  /** Needed for the backend `deepstream`. */
  readonly deepStream?: DeepStreamOptions;
  /** Checks what was lowered; an error fails the command, a warning is printed. Default: nothing is checked. */
  readonly check?: (lowered: Lowered, pipeline: ResolvedPipeline) => readonly LoweredFinding[];
  /** Writes a model's configuration with another threshold and returns its path. */
  readonly configWithThreshold: (model: ResolvedModel, threshold: number) => Promise<string>;
  /** Writes what the graphs read, so that a launch line runs. Default: nothing is written. */
  readonly writeFiles?: (files: readonly GeneratedFile[]) => Promise<void>;
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
  const valid = await withPipeline(file, context, () => undefined);
  if (!valid) return 1;
  context.print(`${file}: ok`);
  return 0;
}

/** `sightline compile file`: prints what a pipeline file becomes. Returns the exit code, 0 or 1. */
export async function compileFile(
  file: string,
  options: CompileOptions,
  context: CommandContext,
): Promise<number> {
  const compiled = await withPipeline(file, context, async (pipeline, document) => {
    const lowered = await lower(pipeline, options);
    const findings = options.check?.(lowered, pipeline) ?? [];
    printFindings(document, findings, context);
    if (findings.some(({ level }) => level === 'error')) return false;
    return print(file, lowered, options, context);
  });
  return compiled ? 0 : 1;
}

async function lower(pipeline: ResolvedPipeline, options: CompileOptions): Promise<Lowered> {
  if (options.backend === 'deepstream') {
    if (options.deepStream === undefined) {
      throw new SightlineError('SL_INTERNAL', 'Cannot compile for DeepStream without its options');
    }
    return lowerDeepStream(pipeline, options.deepStream);
  }
  const { model, threshold } = pipeline.infer ?? {};
  if (model === undefined || threshold === undefined) return lowerCpu(pipeline, options.cpu);
  const configFile = await options.configWithThreshold(model, threshold);
  return lowerCpu(pipeline, { ...options.cpu, configFile });
}

async function print(
  file: string,
  lowered: Lowered,
  options: CompileOptions,
  context: CommandContext,
): Promise<boolean> {
  const { format, codec, pluginDir, secrets = false, writeFiles } = options;
  const codecs = new Set(lowered.graphs.flatMap(codecsOf));
  if (codec !== undefined && !codecs.has(codec)) {
    const known = [...codecs].join(', ') || 'none: an element of its own decodes';
    context.printError(`Cannot compile ${file} for codec "${codec}": known are ${known}`);
    return false;
  }
  await writeFiles?.(lowered.files);
  const text = loweredText(lowered, format, {
    secrets,
    ...(codec === undefined ? {} : { codec }),
    ...(pluginDir === undefined ? {} : { pluginDir }),
  });
  context.print(text.trimEnd());
  return true;
}

/**
 * Reads a pipeline file and does something with it. Prints what is wrong with the file, also where `action` finds it
 * (problems have pointers), and tells whether all went well; `action` may say no too.
 */
async function withPipeline(
  file: string,
  context: CommandContext,
  action: (
    pipeline: ResolvedPipeline,
    document: Document<PipelineSpec>,
  ) => Promise<boolean> | undefined,
): Promise<boolean> {
  const { env = process.env } = context;
  let document: Document<PipelineSpec> | undefined;
  try {
    document = isCodeFile(file)
      ? await loadCodeFile(file)
      : await loadDocument(file, PipelineSpec, { env });
    await context.prepare?.(document.value);
    return (await action(resolve(document.value, context), document)) ?? true;
  } catch (error) {
    if (!(error instanceof SightlineError)) throw error;
    const problems = document === undefined ? error.problems : document.locate(error.problems);
    if (problems.length === 0) context.printError(error.message);
    for (const problem of problems) context.printError(problemLine(file, problem));
    return false;
  }
}

function printFindings(
  document: Document<PipelineSpec>,
  findings: readonly LoweredFinding[],
  context: CommandContext,
): void {
  const texts = findings.map(({ level, pointer, message }) => ({
    pointer,
    message: `${level === 'warning' ? 'warning: ' : ''}${message}`,
  }));
  for (const problem of document.locate(texts)) {
    context.printError(problemLine(document.file, problem));
  }
}

function problemLine(file: string, { pointer, message, line, column }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return pointer === '' ? `${place}: ${message}` : `${place}: ${pointer}: ${message}`;
}
