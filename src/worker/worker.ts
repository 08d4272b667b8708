import { SightlineError } from '../common/errors.ts';
import { settlesWithin } from '../common/waits.ts';
import type { Addon } from '../gst/load-addon.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import { LogBridge } from './log-bridge.ts';
import { processUsage } from './proc-usage.ts';
import {
  DATA_FD,
  EXIT_CODES,
  FROZEN_STAY_MS,
  type StartParams,
  type StreamCounters,
  type StreamFacts,
  type WorkerEvent,
  type WorkerMethods,
} from './protocol.ts';
import { StreamRunner } from './stream-runner.ts';
import { recordsWritten } from './written-records.ts';

const STATS_PERIOD_MS = 1_000;
/** A report does not wait longer for a pipeline that does not answer: it is the worker's heartbeat too. */
const SAMPLE_LIMIT_MS = 400;
/** For records that wait for a slow reader when everything else is over. */
const FLUSH_LIMIT_MS = 5_000;

export interface WorkerOptions {
  readonly addon: Addon;
  readonly send: (event: WorkerEvent) => void;
  /** Every stream is over and its records are written, or a pipeline hangs. */
  readonly onDone: (exitCode: number) => void;
}

interface Entry {
  readonly runner: StreamRunner;
  /** Its secrets need not be taken out of log lines any longer. */
  forgetSecrets: () => void;
  /** The sample that is under way. */
  sampling?: Promise<void> | undefined;
  /** A call of its pipeline does not come back. */
  frozen?: boolean;
}

/** The streams of one worker process: start, statistics once a second, stop. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #logs: LogBridge;
  #params: StartParams | undefined;
  #statsTimer: NodeJS.Timeout | undefined;
  #stopping: Promise<boolean> | undefined;
  #finishing = false;
  #leaving: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#logs = new LogBridge(options.addon);
  }

  /** Starts every graph. Throws `SL_CONFLICT` when it was started before, `SL_SPEC_INVALID` without graphs. */
  async start(params: StartParams): Promise<Record<string, never>> {
    if (this.#params !== undefined) {
      throw new SightlineError('SL_CONFLICT', 'The worker runs a pipeline already');
    }
    assertGraphs(params?.graphs, 'start');
    this.#params = params;
    this.#statsTimer = setTimeout(() => void this.#reportStats(), STATS_PERIOD_MS);
    await this.#startAll(params.graphs);
    return {};
  }

  /** Starts more graphs. Throws `SL_CONFLICT` for an id that is there, `SL_CLOSED` when the worker does not run. */
  async add({ graphs }: WorkerMethods['add']['params']): Promise<Record<string, never>> {
    this.#assertRuns();
    assertGraphs(graphs, 'add');
    for (const [index, { id }] of graphs.entries()) {
      const twice = graphs.findIndex((graph) => graph.id === id) !== index;
      if (!this.#entries.has(id) && !twice) continue;
      throw new SightlineError('SL_CONFLICT', `The worker has a graph "${id}" already`);
    }
    await this.#startAll(graphs);
    return {};
  }

  /** Drains one graph, its records included, reports its last numbers and forgets it. Throws `SL_NOT_FOUND`. */
  async remove(params: WorkerMethods['remove']['params']): Promise<{ drained: boolean }> {
    const { graphId, drainMs } = params;
    const entry = this.#entry(graphId);
    const deadline = performance.now() + drainMs;
    const drained = await entry.runner.stop(drainMs);
    await entry.runner.over;
    const written = await this.#written(deadline);
    await this.#reportStats();
    // Not a namesake, which only comes after this one was taken out.
    if (this.#entries.get(graphId) === entry) this.#entries.delete(graphId);
    entry.forgetSecrets();
    return { drained: drained && written };
  }

  /** See StreamRunner.replace(). Throws `SL_NOT_FOUND`. */
  async replace(params: WorkerMethods['replace']['params']): Promise<Record<string, never>> {
    const { graph, ...limits } = params;
    this.#assertRuns();
    assertGraphs([graph], 'replace');
    const entry = this.#entry(graph.id);
    const forgetNew = this.#logs.watch(graph);
    try {
      await entry.runner.replace(graph, limits);
    } catch (error) {
      forgetNew();
      throw error;
    }
    entry.forgetSecrets();
    entry.forgetSecrets = forgetNew;
    return {};
  }

  /** Drains every stream for at most `drainMs`, the writing of its records included, and stops it. */
  stop(drainMs: number): Promise<boolean> {
    this.#stopping ??= this.#stop(drainMs);
    return this.#stopping;
  }

  async dot(graphId: string): Promise<{ dot: string }> {
    return { dot: await this.#entry(graphId).runner.dot() };
  }

  /** Throws `SL_NOT_FOUND` for an unknown graph or node, `SL_SPEC_INVALID` for what an element does not take. */
  async set(
    graphId: string,
    changes: readonly PropertyChange[],
  ): Promise<{ applied: readonly boolean[] }> {
    return { applied: await this.#entry(graphId).runner.set(changes) };
  }

  /** A pipeline of it hangs: an ordinary exit would wait for that. */
  get frozen(): boolean {
    return [...this.#entries.values()].some(({ frozen }) => frozen === true);
  }

  #entry(graphId: string): Entry {
    const entry = this.#entries.get(graphId);
    if (entry !== undefined) return entry;
    throw new SightlineError('SL_NOT_FOUND', `The worker has no graph "${graphId}"`);
  }

  #assertRuns(): void {
    if (this.#params !== undefined && this.#stopping === undefined && !this.#finishing) return;
    throw new SightlineError('SL_CLOSED', 'The worker runs no pipeline');
  }

  async #startAll(graphs: readonly Graph[]): Promise<void> {
    const entries = graphs.map((graph) => this.#createEntry(graph));
    await Promise.all(entries.map(({ runner }) => runner.start()));
  }

  #createEntry(graph: Graph): Entry {
    const { stream, over = [], waits = {} } = this.#params!;
    const [id = '', ...others] = graph.streams;
    const runner = new StreamRunner({
      graph,
      policy: stream,
      over,
      wait: others.length === 0 ? waits[id] : undefined,
      report: this.#options.send,
      onFrozen: () => this.#onFrozen(entry),
    });
    const entry: Entry = { runner, forgetSecrets: this.#logs.watch(graph) };
    this.#entries.set(graph.id, entry);
    void runner.over.then(() => this.#onOver(entry));
    return entry;
  }

  /** What hangs has threads of its own, so that the others can go on until somebody else runs them. */
  #onFrozen(entry: Entry): void {
    entry.frozen = true;
    const { id: graphId, streams } = entry.runner.graph;
    const fields = { graph: graphId };
    this.#options.send({ event: 'log', level: 'error', msg: 'pipeline.frozen', fields });
    // It ends anyway, when what the others have under way is out.
    if (this.#stopping !== undefined) return;
    const leave = () => this.#options.onDone(EXIT_CODES.frozen);
    if (this.#finishing || !this.#hasOthers(entry)) {
      leave();
      return;
    }
    this.#options.send({ event: 'frozen', graphId, streams });
    this.#leaving ??= setTimeout(leave, FROZEN_STAY_MS);
  }

  /** Whether a graph that can still do something is there. */
  #hasOthers(but?: Entry): boolean {
    return [...this.#entries.values()].some(
      (entry) => entry !== but && entry.frozen !== true && !entry.runner.isOver,
    );
  }

  async #stop(drainMs: number): Promise<boolean> {
    const deadline = performance.now() + drainMs;
    const entries = [...this.#entries.values()];
    const drained = await Promise.all(entries.map(({ runner }) => runner.stop(drainMs)));
    const written = await this.#written(deadline);
    await this.#reportStats();
    return written && drained.every(Boolean);
  }

  #written(deadline: number): Promise<boolean> {
    const limitMs = Math.max(0, deadline - performance.now());
    return recordsWritten(this.#options.addon, DATA_FD, limitMs);
  }

  /** When all streams ended by themselves, what they left goes out, and the process has nothing to do. */
  async #onOver({ runner }: Entry): Promise<void> {
    if (this.#stopping !== undefined || runner.wasStopped || this.#finishing) return;
    if (this.#hasOthers()) return;
    this.#finishing = true;
    await recordsWritten(this.#options.addon, DATA_FD, FLUSH_LIMIT_MS);
    await this.#reportStats();
    this.#options.onDone(this.frozen ? EXIT_CODES.frozen : EXIT_CODES.ended);
  }

  async #reportStats(): Promise<void> {
    clearTimeout(this.#statsTimer);
    const entries = [...this.#entries.values()];
    await settlesWithin(Promise.all(entries.map(sample)), SAMPLE_LIMIT_MS);
    for (const event of this.#logs.take()) this.#options.send(event);
    const nowNs = Number(process.hrtime.bigint());
    const streams: Record<string, StreamCounters> = {};
    const facts: Record<string, StreamFacts> = {};
    for (const { runner } of entries) {
      Object.assign(streams, runner.counters);
      Object.assign(facts, runner.facts(nowNs));
    }
    const monotonicMs = performance.now();
    this.#options.send({ event: 'stats', monotonicMs, ...processUsage(), streams, facts });
    clearTimeout(this.#statsTimer);
    this.#statsTimer = setTimeout(() => void this.#reportStats(), STATS_PERIOD_MS);
  }
}

/** One at a time: a pipeline that does not answer is not asked again. */
async function sample(entry: Entry): Promise<void> {
  entry.sampling ??= entry.runner.sample().finally(() => {
    entry.sampling = undefined;
  });
  await entry.sampling;
}

function assertGraphs(graphs: unknown, request: string): void {
  if (Array.isArray(graphs) && graphs.length > 0) return;
  throw new SightlineError('SL_SPEC_INVALID', `The ${request} request names no graph`);
}
