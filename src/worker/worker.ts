import { setTimeout as delay } from 'node:timers/promises';
import { SightlineError } from '../common/errors.ts';
import type { Addon } from '../gst/load-addon.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import { LogBridge } from './log-bridge.ts';
import {
  DATA_FD,
  EXIT_CODES,
  type StartParams,
  type StreamCounters,
  type WorkerEvent,
} from './protocol.ts';
import { StreamRunner } from './stream-runner.ts';

const STATS_PERIOD_MS = 1_000;
/** For records that wait for a slow reader when everything else is over. */
const FLUSH_LIMIT_MS = 5_000;
const FLUSH_POLL_MS = 10;

export interface WorkerOptions {
  readonly addon: Addon;
  readonly send: (event: WorkerEvent) => void;
  /** Every stream is over and its records are written, or a pipeline hangs. */
  readonly onDone: (exitCode: number) => void;
}

/** The streams of one worker process: start, statistics once a second, stop. */
export class Worker {
  readonly #options: WorkerOptions;
  #runners: readonly StreamRunner[] = [];
  #logs: LogBridge;
  #statsTimer: NodeJS.Timeout | undefined;
  #stopping: Promise<boolean> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#logs = new LogBridge(options.addon, []);
  }

  /** Starts every graph. Throws `SL_CONFLICT` when it was started before, `SL_SPEC_INVALID` without graphs. */
  async start(params: StartParams): Promise<Record<string, never>> {
    if (this.#runners.length > 0) {
      throw new SightlineError('SL_CONFLICT', 'The worker runs a pipeline already');
    }
    if (!Array.isArray(params?.graphs) || params.graphs.length === 0) {
      throw new SightlineError('SL_SPEC_INVALID', 'The start request names no graph');
    }
    this.#logs = new LogBridge(this.#options.addon, params.graphs);
    this.#runners = params.graphs.map((graph) => this.#createRunner(graph, params));
    this.#statsTimer = setTimeout(() => void this.#reportStats(), STATS_PERIOD_MS);
    await Promise.all(this.#runners.map((runner) => runner.start()));
    void Promise.all(this.#runners.map(({ over }) => over)).then(() => this.#finish());
    return {};
  }

  /** Drains every stream for at most `drainMs`, the writing of its records included, and stops it. */
  stop(drainMs: number): Promise<boolean> {
    this.#stopping ??= this.#stop(drainMs);
    return this.#stopping;
  }

  async dot(graphId: string): Promise<{ dot: string }> {
    return { dot: await this.#runner(graphId).dot() };
  }

  /** Throws `SL_NOT_FOUND` for an unknown graph or node, `SL_SPEC_INVALID` for what an element does not take. */
  async set(
    graphId: string,
    changes: readonly PropertyChange[],
  ): Promise<{ applied: readonly boolean[] }> {
    return { applied: await this.#runner(graphId).set(changes) };
  }

  #runner(graphId: string): StreamRunner {
    const runner = this.#runners.find(({ graph }) => graph.id === graphId);
    if (runner !== undefined) return runner;
    throw new SightlineError('SL_NOT_FOUND', `The worker has no graph "${graphId}"`);
  }

  #createRunner(graph: Graph, params: StartParams): StreamRunner {
    return new StreamRunner({
      graph,
      policy: params.stream,
      over: params.over ?? [],
      report: this.#options.send,
      onFrozen: ({ id }) => {
        const fields = { graph: id };
        this.#options.send({ event: 'log', level: 'error', msg: 'pipeline.frozen', fields });
        this.#options.onDone(EXIT_CODES.frozen);
      },
    });
  }

  async #stop(drainMs: number): Promise<boolean> {
    const deadline = performance.now() + drainMs;
    const drained = await Promise.all(this.#runners.map((runner) => runner.stop(drainMs)));
    const flushed = await this.#flush(Math.max(0, deadline - performance.now()));
    await this.#reportStats();
    return flushed && drained.every(Boolean);
  }

  /** All streams ended by themselves: what they left goes out, then the process has nothing to do. */
  async #finish(): Promise<void> {
    if (this.#stopping !== undefined) return;
    await this.#flush(FLUSH_LIMIT_MS);
    await this.#reportStats();
    this.#options.onDone(EXIT_CODES.ended);
  }

  /** Waits until every record is written; false at the limit or when nobody reads. */
  async #flush(limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const { pending, error } = this.#options.addon.writerStats(DATA_FD);
      if (pending === 0) return true;
      if (error !== 0 || performance.now() >= deadline) return false;
      await delay(FLUSH_POLL_MS);
    }
  }

  async #reportStats(): Promise<void> {
    clearTimeout(this.#statsTimer);
    await Promise.all(this.#runners.map((runner) => runner.sample()));
    for (const event of this.#logs.take()) this.#options.send(event);
    const streams: Record<string, StreamCounters> = {};
    for (const { counters } of this.#runners) Object.assign(streams, Object.fromEntries(counters));
    this.#options.send({
      event: 'stats',
      monotonicMs: performance.now(),
      rssBytes: process.memoryUsage.rss(),
      cpuMs: 0,
      threads: 0,
      fds: 0,
      streams,
      facts: {},
    });
    this.#statsTimer = setTimeout(() => void this.#reportStats(), STATS_PERIOD_MS);
  }
}
