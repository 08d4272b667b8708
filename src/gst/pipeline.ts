import { SightlineError } from '../common/errors.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import type { PipelineEvent, ReplyEvent } from './events.ts';
import { loadAddon, type NativeBatch, type NativePipeline } from './load-addon.ts';
import { errorOfIssue } from './native-error.ts';
import { PendingRequests } from './pending-requests.ts';
import { createRedactor } from './redact.ts';

export type PipelineState = 'null' | 'ready' | 'paused' | 'playing';

/** One buffer of an output node. `data` is a view into the batch's memory: copy it to keep it alone. */
export interface OutputRecord {
  readonly node: string;
  readonly kind: number;
  readonly data: Buffer;
}

/** Buffers of outputs to JavaScript, many a call. What does not fit the bounds is dropped and counted. */
export interface RecordsToJs {
  readonly to: 'js';
  readonly onRecords: (records: readonly OutputRecord[]) => void;
  /** Records that may wait for JavaScript. Default 1024. */
  readonly maxRecords?: number;
  /** Their bytes. Default 32 MiB. */
  readonly maxBytes?: number;
}

/** Buffers of outputs to a descriptor, as `u32le length | u32le kind | payload`, without JavaScript. */
export interface RecordsToFd {
  readonly to: 'fd';
  readonly fd: number;
}

export interface GstPipelineOptions {
  /** Called for each event, never before create() was called. What it throws becomes an uncaught exception. */
  readonly onEvent?: (event: PipelineEvent) => void;
  /** Where output nodes send their buffers. Default: they are counted and let go. */
  readonly records?: RecordsToJs | RecordsToFd;
  /** Nodes that report their first buffer and each end-of-stream. Default none. */
  readonly watch?: readonly string[];
  /** Nodes whose incoming buffers are counted. Default none. */
  readonly count?: readonly string[];
  /** Closes the pipeline when it aborts. */
  readonly signal?: AbortSignal;
}

export interface StateOptions {
  /** Limit of the change. Default 10000. */
  readonly timeoutMs?: number;
  /** Wait until the state is reached; else until GStreamer has taken the change. Default false. */
  readonly wait?: boolean;
  readonly signal?: AbortSignal;
}

export interface OutputCounters {
  /** Buffers that were taken. */
  readonly records: number;
  readonly bytes: number;
  /** Buffers that were dropped because the reader was slow or gone. */
  readonly dropped: number;
}

export interface PipelineCounters {
  /** Warnings, errors and element messages dropped because JavaScript was busy. */
  readonly eventsDropped: number;
  /** By node. A node of a dynamic chain is there once it is built. */
  readonly outputs: Readonly<Record<string, OutputCounters>>;
  /** Buffers that entered the counted nodes. A node of a dynamic chain is there once it is built. */
  readonly entered: Readonly<Record<string, number>>;
}

const STATE_TIMEOUT_MS = 10_000;
const BUILD_TIMEOUT_MS = 10_000;
const QUERY_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** For ending a loop whose pipeline is in state NULL already. */
const DISPOSE_LIMIT_MS = 1_000;

/**
 * A GStreamer pipeline made from a Graph. Everything that touches GStreamer runs on a thread of its own; JavaScript
 * only waits for answers, each with a limit. A pipeline that is not closed keeps the process alive.
 */
export class GstPipeline implements AsyncDisposable {
  readonly graph: Graph;
  readonly #native: NativePipeline;
  readonly #options: GstPipelineOptions;
  readonly #requests = new PendingRequests();
  readonly #redact: (text: string) => string;
  readonly #outputs: readonly string[];
  readonly #onAbort = () => void this.close();
  #closing: Promise<void> | undefined;
  #frozen = false;
  #firstError: SightlineError | undefined;

  private constructor(graph: Graph, options: GstPipelineOptions) {
    this.graph = graph;
    this.#options = options;
    this.#redact = createRedactor(graph);
    const { records, watch = [], count = [] } = options;
    const bounds =
      records?.to === 'js'
        ? {
            ...(records.maxRecords === undefined ? {} : { maxRecords: records.maxRecords }),
            ...(records.maxBytes === undefined ? {} : { maxRecordBytes: records.maxBytes }),
          }
        : {};
    this.#native = new (loadAddon().Pipeline)(
      graph,
      { watch, count, ...bounds, ...(records?.to === 'fd' ? { fd: records.fd } : {}) },
      (events, batch) => this.#onWake(events, batch),
    );
    this.#outputs = this.#native.outputs();
  }

  /**
   * Builds the graph, in state NULL. Throws `SL_ADDON_LOAD_FAILED`, `SL_BACKEND_UNSUPPORTED` for an element that is
   * not installed, `SL_SPEC_INVALID` for what an element does not take, naming node, factory, property and value.
   */
  static async create(graph: Graph, options: GstPipelineOptions = {}): Promise<GstPipeline> {
    options.signal?.throwIfAborted();
    const pipeline = new GstPipeline(graph, options);
    try {
      await pipeline.#request('the construction', BUILD_TIMEOUT_MS, options.signal, (id) =>
        pipeline.#native.build(id),
      );
    } catch (error) {
      await pipeline.close();
      throw error;
    }
    options.signal?.addEventListener('abort', pipeline.#onAbort, { once: true });
    return pipeline;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** True once a call into GStreamer has not come back within its limit: only the end of the process helps. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** The first error the pipeline posted. */
  get error(): SightlineError | undefined {
    return this.#firstError;
  }

  /**
   * Changes the state. Throws `SL_PIPELINE_TIMEOUT` at the limit (see `frozen`), the error that the pipeline posted
   * when it fails, `SL_CLOSED` after close().
   */
  async setState(state: PipelineState, options: StateOptions = {}): Promise<void> {
    const { timeoutMs = STATE_TIMEOUT_MS, wait = false, signal } = options;
    try {
      await this.#request(`the change to state ${state}`, timeoutMs, signal, (id) =>
        this.#native.setState(id, state, wait),
      );
    } catch (error) {
      const failed = error instanceof SightlineError && error.code === 'SL_PIPELINE_FAILED';
      throw failed && this.#firstError !== undefined ? this.#firstError : error;
    }
  }

  /**
   * Reads many properties in one go: values in the order of the paths, null for a node whose pad has not appeared yet.
   * Enums read as nicks, structures as JSON, integers beyond 2^53 as decimal strings, secrets as `[redacted]`.
   */
  getProperties(
    paths: readonly (readonly [node: string, property: string])[],
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<readonly unknown[]> {
    const { timeoutMs = QUERY_TIMEOUT_MS, signal } = options;
    return this.#request('reading properties', timeoutMs, signal, (id) =>
      this.#native.getProperties(id, paths),
    );
  }

  /**
   * Sets properties while the pipeline runs: all of them or, when one is refused, none. The answer says for each whether
   * a running element took it; an element that is not built yet is built with the value later. Throws as create() does.
   */
  async setProperties(
    changes: readonly PropertyChange[],
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<readonly boolean[]> {
    const { timeoutMs = QUERY_TIMEOUT_MS, signal } = options;
    const what = `setting ${changes.map(({ node, property }) => `${node}.${property}`).join(', ')}`;
    return this.#request(what, timeoutMs, signal, (id) =>
      this.#native.setProperties(
        id,
        changes.map(({ node, property, value }) => [node, property, value] as const),
      ),
    );
  }

  /** GraphViz text of the pipeline as it is now, also one that hangs, without the values of secret properties. */
  async dot(): Promise<string> {
    const dot = await this.#request<string>('the dump', QUERY_TIMEOUT_MS, undefined, (id) =>
      this.#native.dot(id),
    );
    return this.#redact(dot);
  }

  /**
   * Sends end-of-stream into the sources, or out of `nodes`: what comes after it from there is refused. An `eos` event
   * follows when it has reached every sink. False when nobody took it.
   */
  sendEos(options: { timeoutMs?: number; nodes?: readonly string[] } = {}): Promise<boolean> {
    const { timeoutMs = QUERY_TIMEOUT_MS, nodes = [] } = options;
    return this.#request('sending end-of-stream', timeoutMs, undefined, (id) =>
      this.#native.sendEos(id, nodes),
    );
  }

  /** What the outputs took and dropped, and events that were dropped. */
  counters(): PipelineCounters {
    this.#assertOpen();
    return JSON.parse(this.#native.counters()) as PipelineCounters;
  }

  /** Stops everything and frees it. Idempotent. A pipeline that hangs is left behind, and `frozen` says so. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (!this.#frozen) {
      await this.#send('the change to state null', CLOSE_TIMEOUT_MS, undefined, (id) =>
        this.#native.setState(id, 'null', false),
      ).catch(() => undefined); // a failed build has no state, and a hang shows in `frozen`
    }
    if (!this.#native.dispose(this.#frozen ? 0 : DISPOSE_LIMIT_MS)) this.#frozen = true;
    const message = `Pipeline "${this.graph.id}" was closed`;
    this.#requests.failAll(new SightlineError('SL_CLOSED', message));
  }

  #request<T>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    send: (id: number) => void,
  ): Promise<T> {
    try {
      this.#assertOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#send<T>(what, timeoutMs, signal, send);
  }

  async #send<T>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    send: (id: number) => void,
  ): Promise<T> {
    const full = `${what} of pipeline "${this.graph.id}"`;
    try {
      return await this.#requests.send<T>(send, { what: full, timeoutMs, signal });
    } catch (error) {
      const late = error instanceof SightlineError && error.code === 'SL_PIPELINE_TIMEOUT';
      if (late && this.#native.busy()) this.#frozen = true;
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.closed) {
      throw new SightlineError('SL_CLOSED', `Pipeline "${this.graph.id}" is closed`);
    }
  }

  #onWake(events: readonly string[], batch: NativeBatch | undefined): void {
    for (const text of events) this.#take(JSON.parse(text) as PipelineEvent | ReplyEvent);
    if (batch !== undefined) this.#takeRecords(batch);
  }

  #take(event: PipelineEvent | ReplyEvent): void {
    if (event.type === 'reply') {
      this.#requests.settle(event);
      return;
    }
    const clean = this.#withoutSecrets(event);
    if (clean.type === 'error') this.#firstError ??= errorOfIssue(clean, this.graph);
    this.#call(() => this.#options.onEvent?.(clean));
  }

  #takeRecords({ data, index }: NativeBatch): void {
    const { records } = this.#options;
    if (records?.to !== 'js') return;
    const list: OutputRecord[] = [];
    for (let at = 0; at < index.length; at += 4) {
      const offset = index[at + 2]!;
      list.push({
        node: this.#outputs[index[at]!]!,
        kind: index[at + 1]!,
        data: data.subarray(offset, offset + index[at + 3]!),
      });
    }
    this.#call(() => records.onRecords(list));
  }

  #withoutSecrets(event: PipelineEvent): PipelineEvent {
    if (event.type !== 'error' && event.type !== 'warning') return event;
    const debug = event.debug === null ? null : this.#redact(event.debug);
    return { ...event, message: this.#redact(event.message), debug };
  }

  /** A listener that throws must neither vanish nor keep the events behind it from their listeners. */
  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
