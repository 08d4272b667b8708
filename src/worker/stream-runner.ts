import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { SegmentEvent } from '../common/segments.ts';
import { deferred } from '../common/waits.ts';
import type { Graph } from '../pipeline/graph.ts';
import { changeGraph, type PropertyChange } from '../pipeline/graph-changes.ts';
import { withoutSources } from './graph-facts.ts';
import { HandOver } from './hand-over.ts';
import type {
  FallbackEvent,
  StreamCounters,
  StreamEvent,
  StreamFacts,
  StreamPolicy,
  StreamWait,
} from './protocol.ts';
import { Run } from './run.ts';
import type { SessionEnd, StreamChange } from './session-rules.ts';
import { SessionWaits } from './session-waits.ts';
import { END_OF_FILE } from './shared-stream.ts';
import { factsOf, NO_SAMPLE, type SamplesByStream } from './stream-sample.ts';
import { StreamTotals } from './stream-totals.ts';

type Failed = Extract<SessionEnd, { cause: 'failed' }>;

export interface StreamRunnerOptions {
  readonly graph: Graph;
  readonly policy: StreamPolicy;
  /** Streams that are over before the first session. */
  readonly over: readonly string[];
  /** Before the first session. */
  readonly wait: StreamWait | undefined;
  readonly report: (event: StreamEvent | SegmentEvent | FallbackEvent) => void;
  /** A pipeline hangs in a call: only the end of the process helps. */
  readonly onFrozen: (graph: Graph) => void;
}

/** Keeps one graph's streams running: session after session, with the policy's limits and back-off, until it is over. */
export class StreamRunner {
  /** Settles when the streams are over for good: ended, failed or stopped. Never rejects. */
  readonly over: Promise<unknown>;
  readonly #options: StreamRunnerOptions;
  readonly #setOver: (runs: unknown) => void;
  /** Streams that are over while others of the graph go on. */
  readonly #overStreams: Set<string>;
  /** Streams that the next session leaves out, because the graph could not start with their source. */
  #absent: ReadonlyMap<string, SightlineError> = new Map();
  readonly #totals = new StreamTotals();
  readonly #waits: SessionWaits;
  /** Every session that has not ended: the current one, one that is to follow it, one that was followed and drains. */
  readonly #runs = new Set<Run>();
  /** What the streams' phases follow from; undefined between two sessions. */
  #current: Run | undefined;
  /** While another graph is to take over. */
  #handOver: HandOver | undefined;
  #stopped = false;
  #isOver = false;
  #graph: Graph;
  /** The change that is under way; the next one waits for it. */
  #changing: Promise<unknown> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  constructor(options: StreamRunnerOptions) {
    this.#graph = options.graph;
    this.#options = options;
    this.#waits = new SessionWaits(options.policy);
    this.#overStreams = new Set(options.over.filter((id) => options.graph.streams.includes(id)));
    const { promise, resolve } = deferred<unknown>();
    this.over = promise;
    this.#setOver = resolve;
  }

  /** As it is built next: with every change that was made. */
  get graph(): Graph {
    return this.#graph;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** It is over, or going to be, because stop() was called. */
  get wasStopped(): boolean {
    return this.#stopped;
  }

  /** Each stream's counters over all sessions, as of the last sample(). */
  get counters(): Readonly<Record<string, StreamCounters>> {
    return this.#totals.counters(this.graph.streams, this.#samples());
  }

  /** What is known of each stream's frames, as of the last sample(). `nowNs`: monotonic. */
  facts(nowNs: number): Readonly<Record<string, StreamFacts>> {
    const session = this.#current?.session;
    return Object.fromEntries(
      this.graph.streams.map((id) => {
        const now = session?.samples.get(id) ?? NO_SAMPLE;
        const before = session?.samplesBefore.get(id) ?? NO_SAMPLE;
        return [id, factsOf(before, now, this.#totals.of(id, this.#samples()).skipped, nowNs)];
      }),
    );
  }

  /** Begins the first session, or the wait for it; resolves when its pipeline has begun to start or has failed. */
  async start(): Promise<void> {
    const { wait, report } = this.#options;
    if (wait === undefined) return this.#connect();
    for (const streamId of this.#running()) {
      report({ ...wait, event: 'stream', streamId, phase: 'backoff', attempt: 0 });
    }
    this.#retry = setTimeout(() => void this.#connect(), wait.retryInMs);
  }

  async sample(): Promise<void> {
    await Promise.all([...this.#runs].map(({ session }) => session.sample()));
  }

  /** GraphViz text of the running pipeline. Throws `SL_UNAVAILABLE` between sessions. */
  async dot(): Promise<string> {
    const dot = await this.#current?.session.dot();
    if (dot !== undefined) return dot;
    throw new SightlineError('SL_UNAVAILABLE', `Graph "${this.graph.id}" has no running pipeline`);
  }

  /**
   * Changes properties of nodes, now and in every later session; the answer says for each whether a running element took
   * it. Throws `SL_NOT_FOUND`, `SL_SPEC_INVALID` (nothing is changed then), `SL_PIPELINE_TIMEOUT`.
   */
  set(changes: readonly PropertyChange[]): Promise<readonly boolean[]> {
    return this.#inTurn(() => this.#set(changes));
  }

  async #set(changes: readonly PropertyChange[]): Promise<readonly boolean[]> {
    const before = this.#graph;
    // First: a session that begins meanwhile begins with it.
    this.#graph = changeGraph(before, changes);
    try {
      return (await this.#current?.session.set(changes)) ?? changes.map(() => false);
    } catch (error) {
      const { code } = toSightlineError(error);
      // The session went away under it; the next one has the change.
      if (code === 'SL_CLOSED') return changes.map(() => false);
      if (code === 'SL_SPEC_INVALID' || code === 'SL_BACKEND_UNSUPPORTED') this.#graph = before;
      throw error;
    }
  }

  /**
   * Goes over to another graph without a gap: its session starts beside the current one, which is drained when the new
   * one has pictures of every stream that has some now. The phases speak of the old session until then. Throws
   * `SL_TIMEOUT`, or what kept the new one from starting, with the old one running on; `SL_CLOSED` once it is over.
   */
  replace(graph: Graph, limits: { drainMs: number; timeoutMs: number }): Promise<void> {
    return this.#inTurn(() => this.#replace(graph, limits));
  }

  async #replace(graph: Graph, limits: { drainMs: number; timeoutMs: number }): Promise<void> {
    this.#assertGoesOn();
    const next = this.#open(graph, new Map());
    const current = () => this.#current;
    this.#handOver = new HandOver({ next, current, timeoutMs: limits.timeoutMs });
    await this.#handOver.wait().finally(() => {
      this.#handOver = undefined;
    });
    this.#assertGoesOn();
    clearTimeout(this.#retry);
    const former = this.#current;
    const { streams } = this.#graph;
    this.#current = next;
    this.#graph = graph;
    for (const streamId of streams) {
      const gone = !graph.streams.includes(streamId) && !this.#overStreams.has(streamId);
      if (gone) this.#options.report({ event: 'stream', streamId, phase: 'stopped' });
    }
    for (const change of next.said) this.#onChange(change, next);
    await former?.session.drain(limits.drainMs);
  }

  /** Drains for at most `drainMs` and stops. True when everything that was under way came out. */
  async stop(drainMs: number): Promise<boolean> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    const drained = await Promise.all([...this.#runs].map((run) => run.session.drain(drainMs)));
    this.#conclude('stopped');
    return drained.every(Boolean);
  }

  async #connect(): Promise<void> {
    this.#waits.begun();
    const absent = this.#absent;
    const run = this.#open(this.#graph, absent);
    this.#current = run;
    this.#absent = new Map();
    for (const streamId of this.#running()) {
      if (absent.has(streamId)) continue;
      const facts = { session: run.id, attempt: this.#waits.attempt };
      this.#options.report({ ...facts, event: 'stream', streamId, phase: 'connecting' });
    }
    await run.session.start();
  }

  #open(graph: Graph, absent: ReadonlyMap<string, SightlineError>): Run {
    const overBefore = this.#overStreams.size;
    const run = new Run({
      graph: withoutSources(graph, new Set([...this.#overStreams, ...absent.keys()])),
      policy: this.#options.policy,
      over: this.#overStreams,
      absent,
      rescueMs: this.#waits.rescueMs,
      onChange: (change, from) => {
        if (from === this.#current) this.#onChange(change, from);
        this.#handOver?.check();
      },
      onTold: this.#options.report,
    });
    this.#runs.add(run);
    void run.session.ended.then((end) =>
      this.#onEnded(run, end, this.#overStreams.size > overBefore),
    );
    return run;
  }

  /** `someOver`: streams went over in the session that ended. */
  #onEnded(run: Run, end: SessionEnd, someOver: boolean): void {
    this.#totals.add(run.session.samples);
    this.#runs.delete(run);
    if (run.session.frozen) this.#options.onFrozen(run.graph);
    if (run.session.frozen || run !== this.#current) return;
    this.#current = undefined;
    this.#waits.ended(run.session.liveForMs);
    if (this.#stopped) this.#conclude('stopped', { session: run.id });
    else if (end.cause === 'failed') this.#recover(end, run, someOver);
    else this.#conclude('ended', { session: run.id, ...END_OF_FILE });
  }

  #onChange({ streamId, phase, ...facts }: StreamChange, { id: session }: Run): void {
    this.#options.report({ ...facts, event: 'stream', streamId, phase, session });
    if (phase === 'ended' || phase === 'failed') this.#overStreams.add(streamId);
    // A camera that was given up and has pictures after all.
    if (phase === 'live') this.#overStreams.delete(streamId);
  }

  #recover(end: Failed, run: Run, someOver: boolean): void {
    const { error, forSakeOf, atStart, layer, observed } = end;
    const session = run.id;
    const stall = layer === undefined ? {} : { layer, ...(observed && { observed }) };
    const failed = run.shared?.failed ?? new Map();
    const others = this.#running().length > failed.size;
    if (atStart && others && (failed.size > 0 || someOver)) {
      // One source keeps all of them from starting: the others go on without it.
      this.#absent = failed;
    } else if (!error.retryable) {
      const { code, message } = error;
      this.#conclude('failed', { session, code, message });
      return;
    }
    if (forSakeOf !== undefined) this.#waits.rescued();
    const retryInMs = this.#waits.afterMs(error, this.graph.streams.length <= 1);
    for (const streamId of this.#running()) {
      const reason = run.shared?.troubleOf(streamId) ?? reasonFor(streamId, error, forSakeOf);
      const { code, message } = reason;
      const facts = { session, code, message, retryInMs, attempt: this.#waits.attempt, ...stall };
      this.#options.report({ ...facts, event: 'stream', streamId, phase: 'backoff' });
    }
    this.#retry = setTimeout(() => void this.#connect(), retryInMs);
  }

  #samples(): readonly SamplesByStream[] {
    return [...this.#runs].map(({ session }) => session.samples);
  }

  #assertGoesOn(): void {
    if (!this.#isOver && !this.#stopped) return;
    throw new SightlineError('SL_CLOSED', `Graph "${this.graph.id}" is over`);
  }

  #running(): readonly string[] {
    return this.graph.streams.filter((id) => !this.#overStreams.has(id));
  }

  /** To every stream that is not over by itself. */
  #conclude(phase: 'ended' | 'failed' | 'stopped', facts: Partial<StreamEvent> = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handOver?.cancel();
    for (const streamId of this.#running()) {
      this.#options.report({ ...facts, event: 'stream', streamId, phase });
    }
    void Promise.all([...this.#runs].map(({ session }) => session.ended)).then(this.#setOver);
  }

  /** One after the other. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => undefined);
    return done;
  }
}

/** The error itself, or, for a stream that is interrupted because of another one, that it is. */
function reasonFor(
  streamId: string,
  error: SightlineError,
  forSakeOf: string | undefined,
): SightlineError {
  if (forSakeOf === undefined || forSakeOf === streamId) return error;
  return new SightlineError(
    'SL_PIPELINE_FAILED',
    `The pipeline is started anew to bring back stream "${forSakeOf}", which failed in it`,
  );
}
