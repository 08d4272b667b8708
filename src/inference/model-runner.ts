import type { OutboxRecord } from '../common/delivery.ts';
import type { Logger } from '../common/logger.ts';
import { StreamAccelerator } from '../control/stream-accelerator.ts';
import type { AcceleratorStatus, PlannedAccelerator } from '../control/types.ts';
import type { WorkerCommand } from '../control/worker-command.ts';
import { decodeFrame } from '../metadata/frame.ts';
import { readFrameHeader } from '../metadata/frame-header.ts';
import type { DataRecord } from '../metadata/record-reader.ts';
import type { Graph } from '../pipeline/graph.ts';
import { DATA_KIND_FRAME } from '../worker/protocol.ts';
import type { FrameJob } from './frame-job.ts';
import { type FrameLine, FrameServer } from './frame-server.ts';
import { ModelWorker } from './model-worker.ts';
import { StreamFeed, type Task } from './stream-feed.ts';

/** Frames of one camera in its graph: one is inferred, the others are decoded and on their way. */
const WINDOW = 8;
/** Alone in the worker, and it failed, so often: the frame is at fault. */
const MAX_FAILURES = 3;
const LOOK_MS = 1_000;

export interface ModelRunnerOptions {
  readonly model: string;
  /** What its graphs are made for. */
  readonly accelerator: PlannedAccelerator;
  /** Longest start of a graph, ms; default: that of StreamPolicy. */
  readonly startTimeoutMs?: number;
  /** Makes the graph of a camera, which fetches its frames at the socket. */
  readonly graphFor: (streamId: string, socketPath: string) => Promise<Graph>;
  readonly command: WorkerCommand;
  readonly logger: Logger;
  /** Stores results; resolves when they are durable, rejects when they could not be stored. */
  readonly store: (records: readonly OutboxRecord[]) => Promise<void>;
  /** A camera without frames for this long gives its graph back, ms. */
  readonly idleMs: number;
  /** The result of a frame in a graph comes within this, or the worker is started anew, ms. */
  readonly frameTimeoutMs: number;
  /** A result is durable. `ageMs`: of the frame, by the wall clock. */
  readonly onResult?: (facts: { readonly ageMs: number }) => void;
}

/** Since the start. */
export interface RunnerCounts {
  results: number;
  late: number;
  /** Frames that were in a worker or graph when it failed, and were sent again. */
  resent: number;
  /** Results that nobody waited for: their frame was given up meanwhile. */
  stray: number;
  refused: number;
}

/** All cameras at one model: feeds its worker, and brings results and frames together. */
export class ModelRunner {
  readonly counts: RunnerCounts = { results: 0, late: 0, resent: 0, stray: 0, refused: 0 };
  readonly #options: ModelRunnerOptions;
  readonly #feeds = new Map<string, StreamFeed>();
  readonly #server: FrameServer;
  readonly #worker: ModelWorker;
  readonly #timer: NodeJS.Timeout;
  readonly #storing = new Set<Promise<void>>();
  /** The one frame in the worker, when it was in one that failed. */
  #alone: Task | undefined;
  readonly #accelerator: StreamAccelerator;
  /** When a result was last asked what ran the model. */
  #askedMs = Number.NEGATIVE_INFINITY;
  #inside = 0;
  /** When the graphs were last not empty, busy time adds up here. */
  #busyMs = 0;
  #busySinceMs: number | undefined;
  #closed = false;

  private constructor(options: ModelRunnerOptions, server: (runner: ModelRunner) => FrameServer) {
    this.#options = options;
    this.#server = server(this);
    const { model, command, logger, startTimeoutMs } = options;
    this.#accelerator = new StreamAccelerator(options.accelerator);
    this.#tellAccelerator();
    this.#worker = new ModelWorker({
      ...{ model, command, logger },
      ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
      onRecords: (records) => this.#onRecords(records),
      onTrouble: (streamId, code, message) =>
        logger.warn({ model, streamId, code, reason: message }, 'infer.graph-failed'),
      onFallback: (reason) => {
        if (this.#accelerator.fellBack(reason)) this.#tellAccelerator();
      },
    });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  static async open(options: ModelRunnerOptions): Promise<ModelRunner> {
    let runner: ModelRunner | undefined;
    const server = await FrameServer.open({
      onLine: (streamId, line) => runner?.onLine(streamId, line),
    });
    runner = new ModelRunner(options, () => server);
    return runner;
  }

  get model(): string {
    return this.#options.model;
  }
  get pid(): number | undefined {
    return this.#worker.pid;
  }
  get restarts(): number {
    return this.#worker.restarts;
  }
  /** What its results say runs the model; before the first, what was planned. */
  get accelerator(): AcceleratorStatus {
    return this.#accelerator.status();
  }
  get cameras(): number {
    return this.#feeds.size;
  }
  /** Frames in graphs now. */
  get inside(): number {
    return this.#inside;
  }
  /** Time during which there was a frame in a graph, ms. */
  get busyMs(): number {
    const since = this.#busySinceMs;
    return this.#busyMs + (since === undefined ? 0 : performance.now() - since);
  }

  /** Takes a frame; its job hears of what becomes of it. */
  submit(job: FrameJob): void {
    const { streamId } = job.frame;
    let feed = this.#feeds.get(streamId);
    if (feed === undefined) {
      feed = new StreamFeed(streamId);
      this.#feeds.set(streamId, feed);
      void this.#addGraph(feed);
    }
    const recordId = job.recordIdFor(this.model);
    feed.add({ job, recordId, failures: 0, suspect: false, sentMs: 0 });
    this.#pump();
  }

  /** Sends nothing more, waits for results that are being stored, and ends the worker. */
  async close(drainMs: number): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#worker.close(drainMs);
    await Promise.all(this.#storing);
    await this.#server.close();
  }

  /** A graph connects. */
  onLine(streamId: string, line: FrameLine): { onClosed(): void } | undefined {
    const feed = this.#feeds.get(streamId);
    if (feed === undefined || this.#closed) return undefined;
    if (feed.connected) this.#lose(feed);
    feed.connect(line);
    this.#pump();
    return { onClosed: () => feed.holds(line) && this.#lose(feed) };
  }

  async #addGraph(feed: StreamFeed): Promise<void> {
    try {
      const graph = await this.#options.graphFor(feed.id, this.#server.socketPath);
      if (this.#feeds.get(feed.id) === feed && !this.#closed) this.#worker.add(graph);
    } catch (error) {
      this.#options.logger.error({ err: error, streamId: feed.id }, 'infer.graph-refused');
      this.#feeds.delete(feed.id);
      for (const { job } of feed.drop(() => true)) job.end({ kind: 'later', delayMs: 60_000 });
    }
  }

  /**
   * The graph of a camera is gone with frames in it. Which one is to blame shows when each goes through the worker alone;
   * only there a failure counts.
   */
  #lose(feed: StreamFeed): void {
    const lost = feed.disconnect();
    this.#inside -= lost.length;
    this.counts.resent += lost.length;
    for (const task of lost) {
      task.suspect = true;
      if (task !== this.#alone) continue;
      this.#alone = undefined;
      task.failures += 1;
      if (task.failures < MAX_FAILURES) continue;
      feed.drop((other) => other === task);
      task.job.end({
        kind: 'poison',
        reason: `the worker of model ${this.model} failed on it ${MAX_FAILURES} times`,
      });
    }
    this.#markBusy();
    this.#pump();
  }

  #pump(): void {
    if (this.#closed) return;
    const feeds = [...this.#feeds.values()];
    for (const feed of feeds) if (feed.next?.job.isOver) feed.drop(({ job }) => job.isOver);
    const suspect = feeds.find(({ connected, next }) => connected && next?.suspect === true);
    if (this.#alone === undefined && suspect === undefined) {
      for (const feed of feeds) this.#fill(feed);
    } else if (suspect !== undefined && this.#inside === 0) {
      this.#alone = suspect.next;
      this.#send(suspect);
    }
    this.#markBusy();
  }

  #fill(feed: StreamFeed): void {
    while (feed.connected && feed.inside < WINDOW && feed.next?.suspect === false) this.#send(feed);
  }

  #send(feed: StreamFeed): void {
    if (feed.send(this.model)) this.counts.late += 1;
    this.#inside += 1;
  }

  #onRecords(records: readonly DataRecord[]): void {
    const found: { task: Task; record: OutboxRecord }[] = [];
    for (const { kind, payload } of records) {
      if (kind !== DATA_KIND_FRAME) continue;
      const { streamId, recordId, timestampMs: atMs } = readFrameHeader(payload);
      const task = this.#feeds.get(streamId)?.take(recordId);
      if (task === undefined) {
        this.counts.stray += 1;
        continue;
      }
      this.#inside -= 1;
      if (task === this.#alone) this.#alone = undefined;
      this.#askProvider(payload);
      found.push({ task, record: { kind: 'frame', streamId, recordId, atMs, payload } });
    }
    this.#pump();
    if (found.length === 0) return;
    const storing = this.#store(found).finally(() => this.#storing.delete(storing));
    this.#storing.add(storing);
  }

  async #store(found: readonly { task: Task; record: OutboxRecord }[]): Promise<void> {
    try {
      await this.#options.store(found.map(({ record }) => record));
    } catch (error) {
      this.counts.refused += found.length;
      this.#options.logger.warn({ err: error, model: this.model }, 'infer.results-refused');
      for (const { task } of found) task.job.end({ kind: 'later', delayMs: 5_000 });
      return;
    }
    for (const { task, record } of found) {
      this.counts.results += 1;
      this.#options.onResult?.({ ageMs: Date.now() - record.atMs });
      task.job.done(this.model);
    }
  }

  /** Now and then: decoding every result costs. */
  #askProvider(payload: Uint8Array): void {
    const now = performance.now();
    if (now - this.#askedMs < LOOK_MS) return;
    this.#askedMs = now;
    const provider = decodeFrame(payload).model?.executionProvider || undefined;
    if (this.#accelerator.saw(provider)) this.#tellAccelerator();
  }

  #tellAccelerator(): void {
    const facts = this.#accelerator.facts();
    const level = facts['code'] === undefined ? 'info' : 'warn';
    this.#options.logger[level]({ model: this.model, ...facts }, 'infer.accelerator');
  }

  #markBusy(): void {
    const now = performance.now();
    if (this.#inside > 0) {
      this.#busySinceMs ??= now;
    } else if (this.#busySinceMs !== undefined) {
      this.#busyMs += now - this.#busySinceMs;
      this.#busySinceMs = undefined;
    }
  }

  #look(): void {
    const now = performance.now();
    for (const feed of this.#feeds.values()) {
      const sent = feed.oldestSentMs;
      if (sent !== undefined && now - sent > this.#options.frameTimeoutMs) {
        this.#worker.abort(`No result of a frame came within ${this.#options.frameTimeoutMs} ms`);
        return;
      }
      if (!feed.isEmpty || now - feed.usedMs < this.#options.idleMs) continue;
      this.#feeds.delete(feed.id);
      this.#worker.remove(feed.id);
    }
  }
}
