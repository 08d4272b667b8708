import { LiveGraphs } from '../live-graphs.ts';
import { passwordOf, secretsOfGraphs } from '../scrubber.ts';
import { sealSpec } from '../sealed-spec.ts';
import type { CompiledPipeline } from '../types.ts';

/** What lanes run: a pipeline as compiled, and its graphs with every change that was made while they ran. */
export class Program {
  /** The newest that was asked for. */
  pipeline: CompiledPipeline;
  readonly graphs: LiveGraphs;

  constructor(pipeline: CompiledPipeline) {
    this.pipeline = pipeline;
    this.graphs = new LiveGraphs(pipeline.graphs);
  }

  /** Streams that a graph runs. */
  get streamIds(): readonly string[] {
    return this.graphs.all.flatMap(({ streams }) => streams);
  }
}

export function secretsOf({ graphs, streams }: CompiledPipeline): readonly string[] {
  const ofSpecs = streams.flatMap(({ spec }) => Object.values(sealSpec(spec).secrets));
  const passwords = ofSpecs.flatMap((text) => passwordOf(text) ?? []);
  return [...secretsOfGraphs(graphs), ...ofSpecs, ...passwords];
}
