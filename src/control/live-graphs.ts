import { toSightlineError } from '../common/errors.ts';
import type { Graph } from '../pipeline/graph.ts';
import { changeGraph, type PropertyChange } from '../pipeline/graph-changes.ts';

/** The part of a worker that changes what it runs. */
interface GraphChanger {
  set(graphId: string, changes: readonly PropertyChange[]): Promise<readonly boolean[]>;
}

/** A pipeline's graphs as the next worker gets them: with every change that was made while they ran. */
export class LiveGraphs {
  #graphs: readonly Graph[];

  constructor(graphs: readonly Graph[]) {
    this.#graphs = graphs;
  }

  get all(): readonly Graph[] {
    return this.#graphs;
  }

  of(streamId: string): Graph | undefined {
    return this.#graphs.find(({ streams }) => streams.includes(streamId));
  }

  /** Takes the place of the one with its id, or comes last. */
  put(graph: Graph): void {
    const known = this.#graphs.some(({ id }) => id === graph.id);
    this.#graphs = known
      ? this.#graphs.map((one) => (one.id === graph.id ? graph : one))
      : [...this.#graphs, graph];
  }

  drop(graphId: string): void {
    this.#graphs = this.#graphs.filter(({ id }) => id !== graphId);
  }

  /**
   * Changes properties of a graph's nodes, here and in the workers that run them. The answer says for
   * each whether a running element took it. One call at a time. Throws `SL_SPEC_INVALID` (nothing is changed then),
   * `SL_TIMEOUT`.
   */
  async set(
    graphId: string,
    changes: readonly PropertyChange[],
    workers: readonly GraphChanger[],
  ): Promise<readonly boolean[]> {
    const before = this.#graphs;
    this.#graphs = before.map((graph) =>
      graph.id === graphId ? changeGraph(graph, changes) : graph,
    );
    try {
      const answers = await Promise.all(workers.map((worker) => change(worker, graphId, changes)));
      return changes.map((_, index) => answers.some((applied) => applied[index]));
    } catch (error) {
      const { code } = toSightlineError(error);
      if (code === 'SL_SPEC_INVALID' || code === 'SL_BACKEND_UNSUPPORTED') this.#graphs = before;
      throw error;
    }
  }
}

async function change(
  worker: GraphChanger,
  graphId: string,
  changes: readonly PropertyChange[],
): Promise<readonly boolean[]> {
  try {
    return await worker.set(graphId, changes);
  } catch (error) {
    // Its successor gets the changed graph.
    if (toSightlineError(error).code === 'SL_WORKER_DIED') return changes.map(() => false);
    throw error;
  }
}
