import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { IssueEvent, PipelineEvent } from '../gst/events.ts';
import { errorOfIssue, mayBeExplained } from '../gst/native-error.ts';
import { GstPipeline } from '../gst/pipeline.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import { decodedNodes, FrameCounters, NO_FRAMES } from './frame-counters.ts';
import { DATA_FD, type StreamCounters, type StreamPolicy } from './protocol.ts';

/** GStreamer takes a start within this, or it hangs, unless the policy says otherwise. */
const START_LIMIT_MS = 10_000;

/** An error that explains the one before follows within this. */
const EXPLANATION_MS = 100;

/** How a session ended: the file is over, it was told to, or it failed. */
export type SessionEnd =
  | { readonly cause: 'ended' | 'stopped' }
  | { readonly cause: 'failed'; readonly error: SightlineError };

export interface SessionOptions {
  readonly id: string;
  readonly graph: Graph;
  readonly policy: StreamPolicy;
  /** The first decoded picture passed. */
  readonly onLive: () => void;
}

/** The graph with this session's id in the nodes that carry it. */
function withSession(graph: Graph, session: string): Graph {
  const nodes = graph.nodes.map((node) =>
    graph.sessionNodes.includes(node.id)
      ? { ...node, properties: { ...node.properties, session } }
      : node,
  );
  return { ...graph, nodes };
}

/** Reading a file to its end is its purpose; a live source has no end. */
function isFile(graph: Graph): boolean {
  return graph.nodes.some(({ role, factory }) => role === 'source' && factory === 'filesrc');
}

/** One run of one graph's pipeline, from its construction to its end. */
export class Session {
  readonly id: string;
  /** Settles once with the way it ended; the pipeline is closed by then. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  readonly #options: SessionOptions;
  readonly #file: boolean;
  readonly #abort = new AbortController();
  #finish!: (end: SessionEnd) => void;
  #pipeline: GstPipeline | undefined;
  #counters: FrameCounters | undefined;
  #last: StreamCounters = NO_FRAMES;
  #liveSinceMs: number | undefined;
  #progress = 0;
  #progressAtMs = 0;
  #draining = false;
  #hung = false;
  #starting: Promise<void> | undefined;
  #firstFrameTimer: NodeJS.Timeout | undefined;
  #explanationTimer: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.id = options.id;
    this.#options = options;
    this.#file = isFile(options.graph);
    const finished = new Promise<SessionEnd>((resolve) => {
      this.#finish = resolve;
    });
    this.ended = finished.then((end) => this.#close(end));
  }

  /** How long pictures have come, in ms; 0 before the first. */
  get liveForMs(): number {
    return this.#liveSinceMs === undefined ? 0 : performance.now() - this.#liveSinceMs;
  }

  get live(): boolean {
    return this.#liveSinceMs !== undefined;
  }

  /** A call into GStreamer does not come back. */
  get frozen(): boolean {
    return this.#hung || (this.#pipeline?.frozen ?? false);
  }

  /** Counters of this session as of the last sample(). */
  get counters(): StreamCounters {
    return this.#last;
  }

  /** Builds and starts the pipeline; resolves when GStreamer has taken the start or the session has failed. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { graph, id, policy } = this.#options;
    const { signal } = this.#abort;
    this.#firstFrameTimer = setTimeout(
      () =>
        this.#fail('SL_SOURCE_STALLED', `No picture came within ${policy.firstFrameTimeoutMs} ms`),
      policy.firstFrameTimeoutMs,
    );
    try {
      this.#pipeline = await GstPipeline.create(withSession(graph, id), {
        onEvent: (event) => this.#onEvent(event),
        records: { to: 'fd', fd: DATA_FD },
        watch: decodedNodes(graph).map((node) => node.id),
        signal,
      });
      const startLimitMs = policy.startTimeoutMs ?? START_LIMIT_MS;
      const timeoutMs = Math.min(startLimitMs, policy.firstFrameTimeoutMs);
      await this.#pipeline.setState('playing', { timeoutMs, signal });
      // Not before: an element that takes its time to start would not answer, and pass for one that hangs.
      this.#counters = new FrameCounters(this.#pipeline);
    } catch (cause) {
      const error = toSightlineError(cause);
      this.#hung = error.code === 'SL_PIPELINE_TIMEOUT';
      this.#finish({ cause: 'failed', error });
    }
  }

  /** Reads the counters, and ends the session when no picture has come for too long. */
  async sample(): Promise<void> {
    if (this.#counters === undefined || this.#pipeline?.closed) return;
    try {
      const now = await this.#counters.read();
      if (now.progress !== this.#progress) this.#progressAtMs = performance.now();
      this.#progress = now.progress;
      this.#last = now.counters;
    } catch (error) {
      this.#finish({ cause: 'failed', error: toSightlineError(error) });
      return;
    }
    this.#checkStall();
  }

  /** Sends end-of-stream and waits for its way through, up to `limitMs`. True when nothing is left inside. */
  async drain(limitMs: number): Promise<boolean> {
    this.#draining = true;
    const pipeline = this.live ? this.#pipeline : undefined;
    if (pipeline === undefined || limitMs <= 0) {
      this.stop();
      await this.ended;
      return pipeline === undefined;
    }
    const timer = setTimeout(() => this.stop(), limitMs);
    // Under its own limit: that of the drain may be too short to tell a pipeline that hangs from one that is busy.
    pipeline.sendEos().then(
      (taken) => {
        if (!taken) this.stop();
      },
      () => this.stop(),
    );
    const end = await this.ended;
    clearTimeout(timer);
    return end.cause === 'ended';
  }

  /**
   * Sets properties of the running pipeline; see GstPipeline.setProperties(). Undefined when there is none: it failed to
   * start, or is over.
   */
  async set(changes: readonly PropertyChange[]): Promise<readonly boolean[] | undefined> {
    // It was given the graph of before: what it builds of that must be built first.
    await this.#starting;
    if (this.#pipeline === undefined || this.#pipeline.closed) return undefined;
    return this.#pipeline.setProperties(changes);
  }

  /** GraphViz text of the pipeline; undefined before it is built. */
  async dot(): Promise<string | undefined> {
    return this.#pipeline?.dot();
  }

  /** Ends the session at once. */
  stop(): void {
    this.#finish({ cause: 'stopped' });
  }

  #onEvent(event: PipelineEvent): void {
    switch (event.type) {
      case 'first-buffer':
        this.#onFirstFrame();
        break;
      case 'error':
        this.#onError(event);
        break;
      case 'eos':
        this.#onEos();
        break;
      case 'writer-stopped':
        this.#fail('SL_PIPELINE_FAILED', `Records cannot be handed on: ${event.message}`);
        break;
      default:
        break;
    }
  }

  #onError(event: IssueEvent): void {
    const end = { cause: 'failed', error: errorOfIssue(event, this.#options.graph) } as const;
    if (!mayBeExplained(event)) this.#finish(end);
    else this.#explanationTimer ??= setTimeout(() => this.#finish(end), EXPLANATION_MS);
  }

  #onFirstFrame(): void {
    if (this.live) return;
    clearTimeout(this.#firstFrameTimer);
    this.#liveSinceMs = performance.now();
    this.#progressAtMs = this.#liveSinceMs;
    this.#options.onLive();
  }

  #onEos(): void {
    if (this.#draining) this.#finish({ cause: 'ended' });
    else if (!this.#file) this.#fail('SL_SOURCE_ENDED', 'The source ended the stream');
    else if (this.live) this.#finish({ cause: 'ended' });
    else this.#fail('SL_SOURCE_NOT_VIDEO', 'The file ended without a single picture');
  }

  #checkStall(): void {
    const { stallTimeoutMs } = this.#options.policy;
    const silentMs = performance.now() - this.#progressAtMs;
    if (!this.live || silentMs <= stallTimeoutMs) return;
    this.#fail('SL_SOURCE_STALLED', `No picture came for ${Math.round(silentMs)} ms`);
  }

  #fail(
    code: 'SL_SOURCE_STALLED' | 'SL_SOURCE_ENDED' | 'SL_SOURCE_NOT_VIDEO' | 'SL_PIPELINE_FAILED',
    message: string,
  ): void {
    this.#finish({ cause: 'failed', error: new SightlineError(code, message) });
  }

  async #close(end: SessionEnd): Promise<SessionEnd> {
    clearTimeout(this.#firstFrameTimer);
    clearTimeout(this.#explanationTimer);
    if (!this.frozen) await this.#lastSample();
    this.#abort.abort();
    await this.#starting;
    await this.#pipeline?.close();
    return end;
  }

  /** The last second's frames count too. */
  async #lastSample(): Promise<void> {
    try {
      this.#last = (await this.#counters?.read())?.counters ?? this.#last;
    } catch {
      // The values of the last second are lost, which a hanging or broken pipeline may cost.
    }
  }
}
