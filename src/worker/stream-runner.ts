import { SightlineError, toSightlineError } from '../common/errors.ts';
import { fullJitterMs } from '../common/retry.ts';
import type { Graph } from '../pipeline/graph.ts';
import { changeGraph, type PropertyChange } from '../pipeline/graph-changes.ts';
import { addCounters, NO_FRAMES } from './frame-counters.ts';
import type { StreamCounters, StreamEvent, StreamPhase, StreamPolicy } from './protocol.ts';
import { Session } from './session.ts';
import { newSessionId } from './session-id.ts';

/** A stream that was live this long starts its back-off anew. */
const SETTLED_AFTER_MS = 60_000;

const END_OF_FILE = { code: 'SL_SOURCE_ENDED', message: 'The file was read to its end' } as const;

export interface StreamRunnerOptions {
  readonly graph: Graph;
  readonly policy: StreamPolicy;
  readonly report: (event: StreamEvent) => void;
  /** A pipeline hangs in a call: only the end of the process helps. */
  readonly onFrozen: (graph: Graph) => void;
}

/** Keeps one graph's streams running: session after session, with the policy's limits and back-off, until it is over. */
export class StreamRunner {
  /** Settles when the streams are over for good: ended, failed or stopped. Never rejects. */
  readonly over: Promise<void>;
  readonly #options: StreamRunnerOptions;
  #setOver!: () => void;
  #session: Session | undefined;
  #past: StreamCounters = NO_FRAMES;
  #attempt = 0;
  #stopped = false;
  #isOver = false;
  #graph: Graph;
  /** The change that is under way; the next one waits for it. */
  #changing: Promise<unknown> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  constructor(options: StreamRunnerOptions) {
    this.#graph = options.graph;
    this.#options = options;
    this.over = new Promise((resolve) => {
      this.#setOver = resolve;
    });
  }

  /** As it is built next: with every change that was made. */
  get graph(): Graph {
    return this.#graph;
  }

  /** Counters over all sessions, as of the last sample(). */
  get counters(): StreamCounters {
    return addCounters(this.#past, this.#session?.counters ?? NO_FRAMES);
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
    const session = new Session({
      id: newSessionId(),
      graph: this.graph,
      policy: this.#options.policy,
      onLive: () => this.#report('live', { session: session.id }),
    });
    this.#session = session;
    this.#report('connecting', { session: session.id, attempt: this.#attempt });
    void session.ended.then((end) => {
      this.#past = addCounters(this.#past, session.counters);
      this.#session = undefined;
      if (session.liveForMs >= SETTLED_AFTER_MS) this.#attempt = 0;
      if (session.frozen) this.#options.onFrozen(this.graph);
      else if (this.#stopped) this.#conclude('stopped', { session: session.id });
      else if (end.cause === 'failed') this.#recover(end.error, session.id);
      else this.#conclude('ended', { session: session.id, ...END_OF_FILE });
    });
    await session.start();
  }

  #recover(error: SightlineError, session: string): void {
    const { code, message } = error;
    if (!error.retryable) {
      this.#conclude('failed', { session, code, message });
      return;
    }
    const retryInMs = this.#waitMs(error);
    this.#report('backoff', { session, code, message, retryInMs, attempt: this.#attempt });
    this.#retry = setTimeout(() => void this.#connect(), retryInMs);
  }

  #waitMs(error: SightlineError): number {
    const { authProbeMs, backoffBaseMs, backoffCapMs } = this.#options.policy;
    if (error.code === 'SL_SOURCE_UNAUTHORIZED') return authProbeMs;
    const attempt = Math.max(1, this.#attempt);
    return fullJitterMs(attempt, { baseMs: backoffBaseMs, capMs: backoffCapMs });
  }

  #conclude(phase: 'ended' | 'failed' | 'stopped', facts: Partial<StreamEvent> = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#report(phase, facts);
    this.#setOver();
  }

  #report(phase: StreamPhase, facts: Partial<StreamEvent>): void {
    for (const streamId of this.graph.streams) {
      this.#options.report({ ...facts, event: 'stream', streamId, phase });
    }
  }
}
