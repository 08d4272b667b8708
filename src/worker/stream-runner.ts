import { SightlineError, toSightlineError } from '../common/errors.ts';
import { fullJitterMs } from '../common/retry.ts';
import type { Graph } from '../pipeline/graph.ts';
import { changeGraph, type PropertyChange } from '../pipeline/graph-changes.ts';
import { addCounters, type CountersByStream, NO_FRAMES } from './frame-counters.ts';
import { withoutSources } from './graph-facts.ts';
import {
  DEFAULT_SHARED_POLICY,
  type StreamCounters,
  type StreamEvent,
  type StreamPhase,
  type StreamPolicy,
} from './protocol.ts';
import { Session } from './session.ts';
import { newSessionId } from './session-id.ts';
import type { RulesOptions, SessionEnd, SessionRules, StreamChange } from './session-rules.ts';
import { END_OF_FILE } from './shared-stream.ts';
import { SharedStreams } from './shared-streams.ts';
import { SoleStream } from './sole-stream.ts';

/** A graph that was live this long starts its back-off anew. */
const SETTLED_AFTER_MS = 60_000;

type Failed = Extract<SessionEnd, { cause: 'failed' }>;

export interface StreamRunnerOptions {
  readonly graph: Graph;
  readonly policy: StreamPolicy;
  /** Streams that are over before the first session. */
  readonly over: readonly string[];
  readonly report: (event: StreamEvent) => void;
  /** A pipeline hangs in a call: only the end of the process helps. */
  readonly onFrozen: (graph: Graph) => void;
}

/** Keeps one graph's streams running: session after session, with the policy's limits and back-off, until it is over. */
export class StreamRunner {
  /** Settles when the streams are over for good: ended, failed or stopped. Never rejects. */
  readonly over: Promise<void>;
  readonly #options: StreamRunnerOptions;
  /** Streams that are over while others of the graph go on. */
  readonly #overStreams: Set<string>;
  /** Streams that the next session leaves out, because the graph could not start with their source. */
  #absent: ReadonlyMap<string, SightlineError> = new Map();
  readonly #past = new Map<string, StreamCounters>();
  #setOver!: () => void;
  #session: Session | undefined;
  #shared: SharedStreams | undefined;
  #attempt = 0;
  /** Times the graph was started anew for the sake of one stream. */
  #rescues = 0;
  #stopped = false;
  #isOver = false;
  #graph: Graph;
  /** The change that is under way; the next one waits for it. */
  #changing: Promise<unknown> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  constructor(options: StreamRunnerOptions) {
    this.#graph = options.graph;
    this.#options = options;
    this.#overStreams = new Set(options.over.filter((id) => options.graph.streams.includes(id)));
    this.over = new Promise((resolve) => {
      this.#setOver = resolve;
    });
  }

  /** As it is built next: with every change that was made. */
  get graph(): Graph {
    return this.#graph;
  }

  /** Each stream's counters over all sessions, as of the last sample(). */
  get counters(): CountersByStream {
    return new Map(this.graph.streams.map((id) => [id, this.#countersOf(id)]));
  }

  /** Begins the first session; resolves when its pipeline has begun to start or has failed. */
  async start(): Promise<void> {
    await this.#connect();
  }

  async sample(): Promise<void> {
    await this.#session?.sample();
  }

  /** GraphViz text of the running pipeline. Throws `SL_UNAVAILABLE` between sessions. */
  async dot(): Promise<string> {
    const dot = await this.#session?.dot();
    if (dot !== undefined) return dot;
    throw new SightlineError('SL_UNAVAILABLE', `Graph "${this.graph.id}" has no running pipeline`);
  }

  /**
   * Changes properties of nodes, now and in every later session; the answer says for each whether a running element took
   * it. Throws `SL_NOT_FOUND`, `SL_SPEC_INVALID` (nothing is changed then), `SL_PIPELINE_TIMEOUT`.
   */
  set(changes: readonly PropertyChange[]): Promise<readonly boolean[]> {
    const done = this.#changing.then(() => this.#set(changes));
    this.#changing = done.catch(() => undefined);
    return done;
  }

  async #set(changes: readonly PropertyChange[]): Promise<readonly boolean[]> {
    const before = this.#graph;
    // First: a session that begins meanwhile begins with it.
    this.#graph = changeGraph(before, changes);
    try {
      return (await this.#session?.set(changes)) ?? changes.map(() => false);
    } catch (error) {
      const { code } = toSightlineError(error);
      // The session went away under it; the next one has the change.
      if (code === 'SL_CLOSED') return changes.map(() => false);
      if (code === 'SL_SPEC_INVALID' || code === 'SL_BACKEND_UNSUPPORTED') this.#graph = before;
      throw error;
    }
  }

  /** Drains for at most `drainMs` and stops. True when everything that was under way came out. */
  async stop(drainMs: number): Promise<boolean> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    if (this.#session === undefined) {
      this.#conclude('stopped');
      return true;
    }
    const drained = await this.#session.drain(drainMs);
    await this.over;
    return drained;
  }

  async #connect(): Promise<void> {
    this.#attempt += 1;
    const id = newSessionId();
    const absent = this.#absent;
    const overBefore = this.#overStreams.size;
    const graph = withoutSources(this.graph, new Set([...this.#overStreams, ...absent.keys()]));
    const { policy } = this.#options;
    const rules = ({ end }: Pick<RulesOptions, 'end'>) =>
      this.#rulesOf(
        { graph, policy, end, onChange: (change) => this.#onChange(change, id) },
        absent,
      );
    const session = new Session({ id, graph, policy, rules });
    this.#session = session;
    this.#absent = new Map();
    for (const streamId of this.#running()) {
      if (absent.has(streamId)) continue;
      const facts = { session: id, attempt: this.#attempt };
      this.#options.report({ ...facts, event: 'stream', streamId, phase: 'connecting' });
    }
    void session.ended.then((end) => {
      for (const streamId of graph.streams) this.#past.set(streamId, this.#countersOf(streamId));
      this.#session = undefined;
      if (session.liveForMs >= SETTLED_AFTER_MS) this.#attempt = 0;
      if (session.frozen) this.#options.onFrozen(graph);
      else if (this.#stopped) this.#conclude('stopped', { session: id });
      else if (end.cause === 'failed') this.#recover(end, id, this.#overStreams.size > overBefore);
      else this.#conclude('ended', { session: id, ...END_OF_FILE });
    });
    await session.start();
  }

  #rulesOf(options: RulesOptions, absent: ReadonlyMap<string, SightlineError>): SessionRules {
    if (this.graph.streams.length <= 1) return new SoleStream(options);
    const over = this.#overStreams;
    this.#shared = new SharedStreams({ ...options, over, absent, rescueMs: this.#rescueMs() });
    return this.#shared;
  }

  #rescueMs(): number {
    const { rescueBaseMs, rescueCapMs } = {
      ...DEFAULT_SHARED_POLICY,
      ...this.#options.policy.shared,
    };
    return Math.min(rescueCapMs, rescueBaseMs * 2 ** this.#rescues);
  }

  #onChange({ streamId, phase, ...facts }: StreamChange, session: string): void {
    this.#options.report({ ...facts, event: 'stream', streamId, phase, session });
    if (phase === 'ended' || phase === 'failed') this.#overStreams.add(streamId);
    // A camera that was given up and has pictures after all.
    if (phase === 'live') this.#overStreams.delete(streamId);
  }

  /** `someOver`: streams went over in the session that failed. */
  #recover({ error, forSakeOf, atStart }: Failed, session: string, someOver: boolean): void {
    const failed = this.#shared?.failed ?? new Map();
    const others = this.#running().length > failed.size;
    if (atStart && others && (failed.size > 0 || someOver)) {
      // One source keeps all of them from starting: the others go on without it.
      this.#absent = failed;
    } else if (!error.retryable) {
      const { code, message } = error;
      this.#conclude('failed', { session, code, message });
      return;
    }
    if (forSakeOf !== undefined) this.#rescues += 1;
    const retryInMs = this.#waitMs(error);
    for (const streamId of this.#running()) {
      const reason = this.#shared?.troubleOf(streamId) ?? reasonFor(streamId, error, forSakeOf);
      const { code, message } = reason;
      const facts = { session, code, message, retryInMs, attempt: this.#attempt };
      this.#options.report({ ...facts, event: 'stream', streamId, phase: 'backoff' });
    }
    this.#retry = setTimeout(() => void this.#connect(), retryInMs);
  }

  #waitMs(error: SightlineError): number {
    const { authProbeMs, backoffBaseMs, backoffCapMs } = this.#options.policy;
    // Of several streams one camera's password must not keep the others waiting.
    const alone = this.graph.streams.length <= 1;
    if (error.code === 'SL_SOURCE_UNAUTHORIZED' && alone) return authProbeMs;
    const attempt = Math.max(1, this.#attempt);
    return fullJitterMs(attempt, { baseMs: backoffBaseMs, capMs: backoffCapMs });
  }

  #countersOf(streamId: string): StreamCounters {
    const past = this.#past.get(streamId) ?? NO_FRAMES;
    return addCounters(past, this.#session?.counters.get(streamId) ?? NO_FRAMES);
  }

  #running(): readonly string[] {
    return this.graph.streams.filter((id) => !this.#overStreams.has(id));
  }

  #conclude(phase: 'ended' | 'failed' | 'stopped', facts: Partial<StreamEvent> = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reportAll(phase, facts);
    this.#setOver();
  }

  /** To every stream that is not over by itself. */
  #reportAll(phase: StreamPhase, facts: Partial<StreamEvent>): void {
    for (const streamId of this.#running()) {
      this.#options.report({ ...facts, event: 'stream', streamId, phase });
    }
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
