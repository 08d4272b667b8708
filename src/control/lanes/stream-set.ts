import { SupervisedStream } from '../supervised-stream.ts';
import type { CompiledPipeline, Reason } from '../types.ts';
import type { SupervisorContext } from './lane-host.ts';

/** Streams that left are remembered for their last records: so many. */
const REMEMBERED = 64;

const DISABLED: Reason = {
  code: 'SL_STREAM_DISABLED',
  message: 'The stream is switched off by its spec',
};

/** The streams of one pipeline: those of its spec, and for a while those that left it. */
export class StreamSet {
  readonly #context: SupervisorContext;
  readonly #all = new Map<string, SupervisedStream>();
  readonly #left = new Map<string, SupervisedStream>();

  constructor(pipeline: CompiledPipeline, context: SupervisorContext) {
    this.#context = context;
    this.admit(pipeline);
    this.disable(pipeline);
  }

  get all(): ReadonlyMap<string, SupervisedStream> {
    return this.#all;
  }

  get(id: string): SupervisedStream | undefined {
    return this.#all.get(id);
  }

  /** Also one that has left: what its worker had sent may still come. */
  ever(id: string): SupervisedStream | undefined {
    return this.#all.get(id) ?? this.#left.get(id);
  }

  /** Those of the pipeline that are not there yet come in, and all learn what they are compiled for. */
  admit(pipeline: CompiledPipeline): void {
    const { events, clock } = this.#context;
    for (const { id, spec } of pipeline.streams) {
      let stream = this.#all.get(id);
      if (stream === undefined) {
        stream = new SupervisedStream(id, pipeline.pipelineId, events, clock, pipeline);
        this.#all.set(id, stream);
      } else stream.replan(pipeline);
      stream.sinks = spec.sinks;
    }
  }

  /** A stream without a graph is switched off. Its graph is gone by then. */
  disable({ streams, graphs }: CompiledPipeline): void {
    const run = new Set(graphs.flatMap((graph) => graph.streams));
    for (const { id } of streams) {
      const stream = this.#all.get(id);
      if (run.has(id) || stream === undefined || stream.state === 'disabled') continue;
      if (stream.state !== 'pending' && !stream.over) {
        stream.enter('draining');
        stream.enter('stopped');
      }
      stream.enter('disabled', { reason: DISABLED });
    }
  }

  /** Those that are over begin anew. */
  revive(ids: Iterable<string>): void {
    for (const id of ids) {
      const stream = this.#all.get(id);
      if (stream?.over === true) stream.enter('pending');
    }
  }

  leave(id: string): void {
    const stream = this.#all.get(id);
    if (stream === undefined) return;
    this.#all.delete(id);
    this.#left.set(id, stream);
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= REMEMBERED) break;
      this.#left.delete(oldest);
    }
  }
}
