import { type SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { fullJitterMs } from '../common/retry.ts';
import { Scrubber } from '../control/scrubber.ts';
import type { WorkerCommand } from '../control/worker-command.ts';
import { WorkerProcess } from '../control/worker-process.ts';
import type { DataRecord } from '../metadata/record-reader.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { StreamPolicy, WorkerEvent } from '../worker/protocol.ts';

/** A graph ends with its line; the next one comes soon, for frames wait. */
const POLICY: StreamPolicy = {
  firstFrameTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  backoffBaseMs: 100,
  backoffCapMs: 5_000,
  authProbeMs: 5_000,
};
/** No statistics for this long, which come once a second: it hangs. */
const HEARTBEAT_MS = 10_000;
const ABORT_MS = 2_000;
const RESTART = { baseMs: 200, capMs: 10_000 };
/** One that ran this long is followed at once when it dies. */
const HEALTHY_MS = 20_000;

export interface ModelWorkerOptions {
  readonly model: string;
  readonly command: WorkerCommand;
  readonly logger: Logger;
  /** While the promise is pending nothing more is read from the worker. */
  readonly onRecords: (records: readonly DataRecord[]) => void | Promise<void>;
  /** A graph failed or waits. */
  readonly onTrouble: (streamId: string, code: string, message: string) => void;
  /** The model does not run on the GPU it was to. */
  readonly onFallback: (reason: string) => void;
  /** Longest start of a graph, ms; default: that of StreamPolicy. */
  readonly startTimeoutMs?: number;
}

/**
 * Keeps one worker process running for one model, with a graph for each camera, started again for ever when it dies:
 * frames that wait for it stay in their queue.
 */
export class ModelWorker {
  readonly #options: ModelWorkerOptions;
  readonly #graphs = new Map<string, Graph>();
  readonly #closing = new AbortController();
  #worker: WorkerProcess | undefined;
  #starting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #attempt = 0;
  #changing: Promise<void> = Promise.resolve();
  restarts = 0;

  constructor(options: ModelWorkerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#worker?.pid;
  }

  /** Runs a graph, in this and in every later worker, until remove(). */
  add(graph: Graph): void {
    this.#graphs.set(graph.id, graph);
    if (this.#worker === undefined) this.#start();
    else if (this.#starting === undefined) this.#addNow(this.#worker, [graph]);
  }

  remove(graphId: string): void {
    if (!this.#graphs.delete(graphId)) return;
    const worker = this.#starting === undefined ? this.#worker : undefined;
    if (worker === undefined) return;
    this.#inTurn(async () => {
      await worker.remove(graphId, 0);
    }, 'infer.remove-failed');
  }

  /** The worker does not do what it should: it ends, and the next one starts. */
  abort(message: string): void {
    this.#worker?.abort({ code: 'SL_WORKER_HUNG', message }, ABORT_MS);
  }

  async close(drainMs: number): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#heartbeat);
    await this.#starting;
    await this.#worker?.stop({ drainMs });
  }

  #start(): void {
    if (this.#starting !== undefined || this.#closing.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#starting = this.#launch()
      .catch((error) => {
        this.#complain('infer.worker-failed', error);
        this.#again();
      })
      .finally(() => {
        this.#starting = undefined;
      });
  }

  async #launch(): Promise<void> {
    const { command, logger, onRecords, model, startTimeoutMs } = this.#options;
    const startedMs = performance.now();
    const worker = await WorkerProcess.launch(
      {
        ...{ command, logger: logger.child({ model }), scrubber: new Scrubber() },
        onRecords,
        onEvent: (event) => this.#onEvent(event),
        onExit: ({ message }) => this.#onExit(message, performance.now() - startedMs),
      },
      { signal: this.#closing.signal },
    );
    this.#worker = worker;
    this.#beat();
    const graphs = [...this.#graphs.values()];
    const stream = startTimeoutMs === undefined ? POLICY : { ...POLICY, startTimeoutMs };
    await worker.start({ pipelineId: model, graphs, stream });
    // Cameras that came or went meanwhile.
    const later = [...this.#graphs.values()].filter((graph) => !graphs.includes(graph));
    if (later.length > 0) this.#addNow(worker, later);
    for (const { id } of graphs.filter((graph) => !this.#graphs.has(graph.id))) {
      await worker.remove(id, 0);
    }
  }

  #addNow(worker: WorkerProcess, graphs: readonly Graph[]): void {
    this.#inTurn(async () => {
      try {
        await worker.add(graphs);
      } catch (error) {
        // Its successor starts with them.
        if (toSightlineError(error).code === 'SL_WORKER_DIED') return;
        worker.abort({ code: 'SL_WORKER_HUNG', message: 'It takes no more cameras' }, ABORT_MS);
        throw error;
      }
    }, 'infer.add-failed');
  }

  /** One after the other: a camera may come back while its graph is still being taken out. */
  #inTurn(change: () => Promise<void>, failure: string): void {
    this.#changing = this.#changing.then(change).catch((error) => this.#complain(failure, error));
  }

  #onEvent(event: WorkerEvent): void {
    this.#beat();
    if (event.event === 'log') {
      this.#options.logger[event.level]({ ...event.fields, model: this.#options.model }, event.msg);
    } else if (event.event === 'stream' && event.code !== undefined) {
      this.#options.onTrouble(event.streamId, event.code, event.message ?? '');
    } else if (event.event === 'fallback') {
      this.#options.onFallback(event.message);
    } else if (event.event === 'frozen') {
      this.abort('A graph in it hangs');
    }
  }

  #beat(): void {
    clearTimeout(this.#heartbeat);
    if (this.#closing.signal.aborted) return;
    this.#heartbeat = setTimeout(
      () => this.abort(`It has said nothing for ${HEARTBEAT_MS} ms`),
      HEARTBEAT_MS,
    );
  }

  #onExit(message: string, ranMs: number): void {
    clearTimeout(this.#heartbeat);
    const wasReady = this.#worker !== undefined;
    this.#worker = undefined;
    if (ranMs >= HEALTHY_MS) this.#attempt = 0;
    if (this.#closing.signal.aborted) return;
    this.#options.logger.warn({ model: this.#options.model, reason: message }, 'infer.worker-died');
    if (wasReady) this.#again();
  }

  #again(): void {
    if (this.#closing.signal.aborted || this.#timer !== undefined) return;
    this.restarts += 1;
    const waitMs = this.#attempt === 0 ? 0 : fullJitterMs(this.#attempt, RESTART);
    this.#attempt += 1;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#starting !== undefined) this.#again();
      else if (this.#graphs.size > 0 && this.#worker === undefined) this.#start();
    }, waitMs);
  }

  #complain(what: string, error: unknown): void {
    const { code, message }: SightlineError = toSightlineError(error);
    const { logger, model } = this.#options;
    logger.warn({ model, code, reason: message }, what);
  }
}
