import { checkValue, problemsError, type ValueProblem } from '../../../common/check.ts';
import type { ErrorCode } from '../../../common/errors.ts';
import { DeepStreamSpec } from '../../deepstream-spec.ts';
import { generatedFile } from '../../generated-file.ts';
import type { GeneratedFile, GraphLink, GraphNode, LoweringNote } from '../../graph.ts';
import type { ResolvedInfer, ResolvedPipeline } from '../../resolved.ts';
import type { NodeFacts } from '../nodes.ts';
import type { DeepStreamOptions } from './options.ts';
import { type GraphPlan, planGraphs } from './plan.ts';
import { type PartName, partProperties, type Settings } from './platform.ts';

const DEFAULTS: DeepStreamSpec = checkValue({}, DeepStreamSpec);

/** A piece of a graph. */
export interface Piece {
  readonly nodes: readonly GraphNode[];
  readonly links: readonly GraphLink[];
}

/** A pipeline with a detector: without one there is nothing for a GPU. */
export type DetectorPipeline = ResolvedPipeline & { readonly infer: ResolvedInfer };

/** What the parts of the lowering share: the pipeline with its defaults, and what they find and write. */
export class LoweringContext {
  readonly pipeline: DetectorPipeline;
  readonly options: DeepStreamOptions;
  readonly spec: DeepStreamSpec;
  readonly graphs: readonly GraphPlan[];
  readonly #problems: (ValueProblem & { readonly code: ErrorCode })[] = [];
  readonly #notes = new Map<string, LoweringNote>();
  readonly #files = new Map<string, GeneratedFile>();

  constructor(pipeline: DetectorPipeline, options: DeepStreamOptions) {
    this.pipeline = pipeline;
    this.options = options;
    this.spec = pipeline.deepstream ?? DEFAULTS;
    this.graphs = planGraphs(pipeline.id, pipeline.streams, this.spec);
  }

  /** Size of a batch's pictures, in pixels; the old muxer's alone. */
  get muxSize(): { readonly width: number; readonly height: number } {
    const { width = 1920, height = 1080 } = this.spec.muxer;
    return { width, height };
  }

  /** A node of one of the platform's parts; what the platform sets on it comes last. */
  part(
    part: PartName,
    id: string,
    role: GraphNode['role'],
    properties: GraphNode['properties'],
    facts: NodeFacts & { readonly settings?: Omit<Settings, 'gpuId'> } = {},
  ): GraphNode {
    const { settings, ...rest } = facts;
    const { platform } = this.options;
    const own = partProperties(platform, part, { gpuId: this.spec.gpuId, ...settings });
    const { factory } = platform.parts[part];
    return { id, factory, role, properties: { ...properties, ...own }, ...rest };
  }

  /** Takes a file the graph reads and gives its path, which depends on the text. */
  file(name: string, extension: `.${string}`, file: Omit<GeneratedFile, 'path'>): string {
    const made = generatedFile(this.options.filesDir, name, extension, file);
    this.addFile(made);
    return made.path;
  }

  addFile(file: GeneratedFile): void {
    if (!this.#files.has(file.path)) this.#files.set(file.path, file);
  }

  note(pointer: string, message: string): void {
    this.#notes.set(`${pointer} ${message}`, { pointer, message });
  }

  /** The spec asks for what is wrong in itself (`SL_SPEC_INVALID`) or what this target cannot do. */
  problem(
    pointer: string,
    message: string,
    code: 'SL_SPEC_INVALID' | 'SL_BACKEND_UNSUPPORTED' = 'SL_SPEC_INVALID',
  ): void {
    const known = this.#problems.some((p) => p.pointer === pointer && p.message === message);
    if (!known) this.#problems.push({ pointer, message, code });
  }

  get files(): readonly GeneratedFile[] {
    return [...this.#files.values()];
  }

  get notes(): readonly LoweringNote[] {
    return [...this.#notes.values()];
  }

  /** @throws SightlineError with every problem found: `SL_SPEC_INVALID`, unless all are of the other code. */
  assertNoProblems(): void {
    if (this.#problems.length === 0) return;
    const invalid = this.#problems.some(({ code }) => code === 'SL_SPEC_INVALID');
    throw problemsError(
      this.#problems.map(({ pointer, message }) => ({ pointer, message })),
      {
        code: invalid ? 'SL_SPEC_INVALID' : 'SL_BACKEND_UNSUPPORTED',
        subject: `pipeline "${this.pipeline.id}"`,
      },
    );
  }
}
