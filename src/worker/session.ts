import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { SegmentEvent } from '../common/segments.ts';
import { deferred } from '../common/waits.ts';
import type { PipelineEvent } from '../gst/events.ts';
import { GstPipeline } from '../gst/pipeline.ts';
import { allNodes } from '../gst/redact.ts';
import type { Graph, GraphNode } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import { setChecked } from './checked-set.ts';
import { fallbackEvent } from './fallback-event.ts';
import { FrameCounters } from './frame-counters.ts';
import { countedNodes, decodedNodes, muxIds } from './graph-facts.ts';
import { DATA_FD, type FallbackEvent, type StreamPolicy } from './protocol.ts';
import { segmentEvent } from './segment-event.ts';
import type { RulesOptions, SessionEnd, SessionRules } from './session-rules.ts';
import type { SamplesByStream } from './stream-sample.ts';

export type { SessionEnd } from './session-rules.ts';

/** GStreamer takes a start within this, or it hangs. */
const START_LIMIT_MS = 10_000;

export interface SessionOptions {
  readonly id: string;
  readonly graph: Graph;
  readonly policy: StreamPolicy;
  /** What the graph's events mean: for one stream or for several. */
  readonly rules: (options: Pick<RulesOptions, 'end'>) => SessionRules;
  /** An element says something: a recorder of one of its files, also when the session is over already. */
  readonly onTold: (event: SegmentEvent | FallbackEvent) => void;
}

/** The graph with this session's id, and the epoch, in the nodes that carry them. */
function withSession(graph: Graph, session: string): Graph {
  const { epoch } = graph;
  const facts = { session, ...(epoch === undefined ? {} : { epoch }) };
  const nodes = graph.nodes.map((node) =>
    graph.sessionNodes.includes(node.id)
      ? { ...node, properties: { ...node.properties, ...facts } }
      : node,
  );
  return { ...graph, nodes };
}

/** What is set there may make another rate of pictures the usual one. */
function setsRate(node: GraphNode | undefined): boolean {
  return node?.role === 'source' || node?.role === 'decode';
}

/** One run of one graph's pipeline, from its construction to its end. */
export class Session {
  readonly id: string;
  /** Settles once with the way it ended; the pipeline is closed by then. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  readonly #options: SessionOptions;
  readonly #rules: SessionRules;
  readonly #abort = new AbortController();
  readonly #setEnd: (end: SessionEnd) => void;
  /** Its end is decided: what still happens in the pipeline means nothing. */
  #finished = false;
  #pipeline: GstPipeline | undefined;
  #counters: FrameCounters | undefined;
  #last: SamplesByStream = new Map();
  #before: SamplesByStream = new Map();
  #hung = false;
  #starting: Promise<void> | undefined;

  constructor(options: SessionOptions) {
    this.id = options.id;
    this.#options = options;
    const { promise, resolve } = deferred<SessionEnd>();
    this.#setEnd = resolve;
    this.#rules = options.rules({ end: (end) => this.#finish(end) });
    this.ended = promise.then((end) => this.#close(end));
  }

  /** How long pictures have come, in ms; 0 before the first. */
  get liveForMs(): number {
    return this.#rules.liveForMs;
  }

  get live(): boolean {
    return this.#rules.live;
  }

  /** A call into GStreamer does not come back. */
  get frozen(): boolean {
    return this.#hung || (this.#pipeline?.frozen ?? false);
  }

  /** What the last sample() read. */
  get samples(): SamplesByStream {
    return this.#last;
  }

  /** What the one before it read. */
  get samplesBefore(): SamplesByStream {
    return this.#before;
  }

  /** Builds and starts the pipeline; resolves when GStreamer has taken the start or the session has failed. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { graph, id, policy } = this.#options;
    const { signal } = this.#abort;
    const { startTimeoutMs, firstFrameTimeoutMs } = policy;
    if (startTimeoutMs === undefined) this.#rules.begin();
    try {
      this.#pipeline = await GstPipeline.create(withSession(graph, id), {
        onEvent: (event) => this.#onEvent(event),
        records: { to: 'fd', fd: DATA_FD },
        watch: decodedNodes(graph).map((node) => node.id),
        count: countedNodes(graph).map((node) => node.id),
        signal,
      });
      const timeoutMs = startTimeoutMs ?? Math.min(START_LIMIT_MS, firstFrameTimeoutMs);
      await this.#pipeline.setState('playing', { timeoutMs, signal });
      // Not before: an element that takes its time to start would not answer, and pass for one that hangs.
      this.#counters = new FrameCounters(this.#pipeline);
      this.#rules.begin();
    } catch (cause) {
      const error = toSightlineError(cause);
      this.#hung = error.code === 'SL_PIPELINE_TIMEOUT';
      this.#finish({ cause: 'failed', error, atStart: true });
    }
  }

  /** Reads the counters, and ends the session when no picture has come for too long. */
  async sample(): Promise<void> {
    if (this.#counters === undefined || this.#pipeline?.closed) return;
    try {
      const samples = await this.#counters.read();
      this.#before = this.#last;
      this.#last = samples;
    } catch (error) {
      this.#finish({ cause: 'failed', error: toSightlineError(error) });
      return;
    }
    if (!this.#finished) this.#rules.onSample(this.#last);
  }

  /** Sends end-of-stream and waits for its way through, up to `limitMs`. True when nothing is left inside. */
  async drain(limitMs: number): Promise<boolean> {
    this.#rules.drain();
    const pipeline = this.live ? this.#pipeline : undefined;
    if (pipeline === undefined || limitMs <= 0) {
      this.stop();
      await this.ended;
      return pipeline === undefined;
    }
    const timer = setTimeout(() => this.stop(), limitMs);
    // From the muxer where there is one: cameras that reconnect swallow an end-of-stream, and a muxer told to survive
    // them does too. Under its own limit: that of the drain may be too short to tell a pipeline that hangs from one
    // that is busy.
    pipeline.sendEos({ nodes: muxIds(this.#options.graph) }).then(
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
   * Sets properties of the running pipeline; see setChecked(). False for nodes that this session does
   * without. Undefined when there is no pipeline: it failed to start, or is over.
   */
  async set(changes: readonly PropertyChange[]): Promise<readonly boolean[] | undefined> {
    // It was given the graph of before: what it builds of that must be built first.
    await this.#starting;
    if (this.#pipeline === undefined || this.#pipeline.closed) return undefined;
    const nodes = allNodes(this.#options.graph);
    const present = changes.filter(({ node }) => nodes.some(({ id }) => id === node));
    const applied = await setChecked(this.#pipeline, present);
    const rate = present.some(({ node }) => setsRate(nodes.find(({ id }) => id === node)));
    if (rate) this.#rules.onSet();
    return changes.map((change) => applied[present.indexOf(change)] ?? false);
  }

  /** GraphViz text of the pipeline; undefined before it is built. */
  async dot(): Promise<string | undefined> {
    return this.#pipeline?.dot();
  }

  /** Ends the session at once. */
  stop(): void {
    this.#finish({ cause: 'stopped' });
  }

  #finish(end: SessionEnd): void {
    this.#finished = true;
    this.#setEnd(end);
  }

  #onEvent(event: PipelineEvent): void {
    const { graph, onTold } = this.#options;
    const told = segmentEvent(event, graph) ?? fallbackEvent(event, graph);
    if (told !== undefined) onTold(told);
    if (this.#finished) return;
    if (event.type !== 'writer-stopped') {
      this.#rules.onEvent(event);
      return;
    }
    const message = `Records cannot be handed on: ${event.message}`;
    const error = new SightlineError('SL_PIPELINE_FAILED', message);
    this.#finish({ cause: 'failed', error });
  }

  async #close(end: SessionEnd): Promise<SessionEnd> {
    this.#rules.close();
    if (!this.frozen) await this.#lastSample();
    this.#abort.abort();
    await this.#starting;
    await this.#pipeline?.close();
    return end;
  }

  /** The last second's frames count too. */
  async #lastSample(): Promise<void> {
    try {
      this.#last = (await this.#counters?.read()) ?? this.#last;
    } catch {
      // The values of the last second are lost, which a hanging or broken pipeline may cost.
    }
  }
}
