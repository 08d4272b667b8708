import { type SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Graph, GraphNode } from '../../pipeline/graph.ts';
import type { CompiledPipeline, StreamChangeReport, StreamEffect } from '../types.ts';
import { effectsOf, type GraphPlan, type GraphStep, planGraphs } from './graph-plan.ts';
import type { Lane } from './lane.ts';
import type { LaneSet } from './lane-set.ts';
import { Program } from './program.ts';
import type { StreamSet } from './stream-set.ts';

export interface ApplyOptions {
  readonly signal?: AbortSignal;
  /** What it does now, in a sentence. */
  readonly onProgress?: (text: string) => void;
}

export interface PipelineChangeOptions {
  /** What runs now. */
  readonly program: Program;
  readonly lanes: LaneSet;
  readonly streams: StreamSet;
  readonly handOver: (program: Program, streamIds: readonly string[]) => Promise<void>;
  /** The same with a gap. */
  readonly startAnew: (program: Program, streamIds: readonly string[]) => Promise<void>;
  readonly drainMs: number;
  /** For the first picture of a graph that takes another one's place. */
  readonly timeoutMs: number;
}

/** The worker is gone or going: its successor gets the graphs as they are by then. */
const LEFT_TO_SUCCESSOR: ReadonlySet<string> = new Set(['SL_WORKER_DIED', 'SL_CLOSED']);

/** One change of a pipeline that runs, from plan to report. */
export class PipelineChange {
  readonly #options: PipelineChangeOptions;
  /** With a gap. */
  readonly #restarted = new Set<string>();

  constructor(options: PipelineChangeOptions) {
    this.#options = options;
  }

  /** Throws the first error of a step; the others are taken all the same. */
  async to(
    compiled: CompiledPipeline,
    { onProgress = () => undefined, signal }: ApplyOptions & { signal: AbortSignal },
  ): Promise<{ program: Program; report: readonly StreamChangeReport[] }> {
    const { program, lanes, streams } = this.#options;
    const plan = planGraphs(program.graphs.all, program.pipeline, compiled);
    const runs = lanes.all.some(({ worker }) => worker !== undefined);
    const was = program.pipeline.streams.map(({ id }) => id);
    streams.admit(compiled);
    const fresh = plan.how === 'hand-over' && runs;
    const result = fresh ? await this.#byHandOver(compiled) : program;
    if (!fresh) await this.#inPlace(plan, compiled, { onProgress, signal });
    const kept = new Set(compiled.streams.map(({ id }) => id));
    for (const id of was.filter((one) => !kept.has(one))) await this.#leave(id);
    streams.disable(compiled);
    return { program: result, report: this.#report(plan, compiled, was) };
  }

  async #byHandOver(compiled: CompiledPipeline): Promise<Program> {
    const { program, streams, handOver, startAnew } = this.#options;
    const next = new Program(compiled);
    const old = new Map(program.graphs.all.map((graph) => [graph.id, graph]));
    // A stream that is over stays so unless its graph is another one now.
    const changed = next.graphs.all.filter(
      (graph) => JSON.stringify(old.get(graph.id)) !== JSON.stringify(graph),
    );
    const over = next.streamIds.filter((id) => streams.get(id)?.over === true);
    const revived = over.filter((id) => changed.some((graph) => graph.streams.includes(id)));
    streams.revive(revived);
    this.#forgetRefusals(changed);
    const ids = next.streamIds.filter((id) => streams.get(id)?.over === false);
    try {
      await handOver(next, ids);
    } catch (error) {
      const reason = toSightlineError(error);
      if (!allowsOneSession(reason.code, program.graphs.all, next.graphs.all)) {
        this.#undoAdmission(compiled);
        throw error;
      }
      this.#beginGap(ids, reason);
      await startAnew(next, ids);
    }
    return next;
  }

  #beginGap(ids: readonly string[], { code, message }: SightlineError): void {
    for (const id of ids) {
      this.#options.streams.get(id)?.beginGap({ code, message });
      this.#restarted.add(id);
    }
  }

  #forgetRefusals(graphs: readonly Graph[]): void {
    const { streams } = this.#options;
    for (const id of graphs.flatMap((graph) => graph.streams)) streams.get(id)?.refusal.forget();
  }

  /** The new streams of a change that failed are not there. */
  #undoAdmission(compiled: CompiledPipeline): void {
    const { program, lanes, streams } = this.#options;
    const before = new Set(program.pipeline.streams.map(({ id }) => id));
    for (const { id } of compiled.streams) {
      if (before.has(id)) continue;
      lanes.forget(id);
      streams.get(id)?.enter('stopped');
      streams.leave(id);
    }
    streams.admit(program.pipeline);
  }

  async #inPlace(
    { steps }: GraphPlan,
    compiled: CompiledPipeline,
    { onProgress, signal }: Required<ApplyOptions>,
  ): Promise<void> {
    this.#options.program.pipeline = compiled;
    const errors: unknown[] = [];
    for (const step of steps) {
      if (step.kind === 'unchanged') continue;
      signal.throwIfAborted();
      onProgress(`Graph '${step.graph.id}': ${step.kind}`);
      await this.#take(step).catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw toSightlineError(errors[0]);
  }

  #take(step: Exclude<GraphStep, { kind: 'unchanged' }>): Promise<void> {
    switch (step.kind) {
      case 'add':
        return this.#add(step.graph);
      case 'remove':
        return this.#remove(step.graph);
      case 'replace':
        return this.#replace(step.graph);
      case 'set':
        return this.#set(step);
    }
  }

  async #set({ graph, changes }: Extract<GraphStep, { kind: 'set' }>): Promise<void> {
    const workers = this.#lanesOf(graph).flatMap(({ worker }) => worker ?? []);
    try {
      await this.#options.program.graphs.set(graph.id, changes, workers);
    } catch (error) {
      // What the running elements do not take (another network's thresholds, say) new ones do.
      if (toSightlineError(error).code !== 'SL_BACKEND_UNSUPPORTED') throw error;
      await this.#replace(graph);
    }
  }

  async #add(graph: Graph): Promise<void> {
    const { program, lanes, streams } = this.#options;
    streams.revive(graph.streams);
    this.#forgetRefusals([graph]);
    program.graphs.put(graph);
    const home = lanes.home ?? lanes.create({ name: 'main', program, streamIds: [] });
    for (const id of graph.streams) home.streams.add(id);
    lanes.own(home, graph.streams);
    if (home.worker === undefined) return home.start();
    for (const id of graph.streams) home.noteServed(id);
    await leftToSuccessor(home.worker.add([graph]));
    home.start();
  }

  /** The streams leave their lane; what becomes of them is said later. */
  async #remove(graph: Graph): Promise<void> {
    const { program, lanes, streams, drainMs } = this.#options;
    const workers = this.#lanesOf(graph).flatMap(({ worker }) => worker ?? []);
    for (const id of graph.streams) streams.get(id)?.enter('draining');
    program.graphs.drop(graph.id);
    await Promise.all(workers.map((worker) => leftToSuccessor(worker.remove(graph.id, drainMs))));
    for (const id of graph.streams) {
      streams.get(id)?.enter('stopped');
      lanes.forget(id);
    }
    for (const lane of lanes.all) {
      if (lane.streams.running.length === 0) await lanes.end(lane, drainMs);
    }
  }

  async #replace(graph: Graph): Promise<void> {
    const { program, lanes, drainMs, timeoutMs } = this.#options;
    const ids = graph.streams;
    const live = ids.every((id) => lanes.ownerOf(id)?.streams.isLive(id) === true);
    const worker = ids.map((id) => lanes.ownerOf(id)?.worker)[0];
    if (live && worker !== undefined) {
      try {
        await leftToSuccessor(worker.replace(graph, { drainMs, timeoutMs }));
        program.graphs.put(graph);
        return;
      } catch (error) {
        const reason = toSightlineError(error);
        const old = program.graphs.all.filter(({ id }) => id === graph.id);
        if (!allowsOneSession(reason.code, old, [graph])) throw error;
        this.#beginGap(ids, reason);
        await leftToSuccessor(worker.remove(graph.id, drainMs));
        return this.#add(graph);
      }
    }
    // Without a picture of the old one there is nothing to keep, and no reason to wait for one of the new.
    const lane = ids.map((id) => lanes.ownerOf(id))[0];
    if (worker !== undefined && lane?.streams.running.some((id) => ids.includes(id))) {
      await leftToSuccessor(worker.remove(graph.id, 0));
    }
    await this.#add(graph);
  }

  async #leave(id: string): Promise<void> {
    const { lanes, streams } = this.#options;
    const stream = streams.get(id);
    stream?.enter('draining');
    stream?.enter('stopped');
    lanes.forget(id);
    streams.leave(id);
  }

  #lanesOf({ streams }: Graph): readonly Lane[] {
    return this.#options.lanes.all.filter((lane) =>
      streams.some((id) => lane.streams.running.includes(id)),
    );
  }

  #report(
    plan: GraphPlan,
    compiled: CompiledPipeline,
    was: readonly string[],
  ): readonly StreamChangeReport[] {
    const effects = effectsOf(plan);
    const ids = new Set([...compiled.streams.map(({ id }) => id), ...was]);
    return [...ids].map((streamId) => {
      if (this.#restarted.has(streamId)) return { streamId, effect: 'restarted' };
      const effect = effects.get(streamId) ?? effectWithoutGraph(streamId, compiled, was);
      const off = effect === 'removed' && compiled.streams.some(({ id }) => id === streamId);
      return { streamId, effect: off ? 'disabled' : effect };
    });
  }
}

/** The camera gave no second session, and the new graphs have the same cameras: waiting would not help. */
function allowsOneSession(code: string, old: readonly Graph[], next: readonly Graph[]): boolean {
  const sources = new Map(old.map((graph) => [graph.id, JSON.stringify(sourcesOf(graph))]));
  return (
    code.startsWith('SL_SOURCE_') &&
    next.every((graph) => {
      const before = sources.get(graph.id);
      return before === undefined || before === JSON.stringify(sourcesOf(graph));
    })
  );
}

function sourcesOf({ nodes }: Graph): readonly GraphNode[] {
  return nodes.filter(({ role }) => role === 'source');
}

function effectWithoutGraph(
  id: string,
  { streams }: CompiledPipeline,
  was: readonly string[],
): StreamEffect {
  if (!was.includes(id)) return 'added';
  return streams.some((stream) => stream.id === id) ? 'unchanged' : 'removed';
}

async function leftToSuccessor(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!LEFT_TO_SUCCESSOR.has(toSightlineError(error).code)) throw error;
  }
}
