import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { BlackBoxEntry } from '../common/black-box.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { deferred, settlesWithin } from '../common/waits.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { PropertyChange } from '../pipeline/graph-changes.ts';
import type { StartParams, WorkerEvent } from '../worker/protocol.ts';
import { type DataConsumer, DataLine } from './data-line.ts';
import type { BlackBoxFile } from './incidents/black-box-file.ts';
import { TextLineReader } from './json-lines.ts';
import type { Scrubber } from './scrubber.ts';
import type { Reason, WorkerExit } from './types.ts';
import type { WorkerCommand } from './worker-command.ts';
import { classifyExit, type StopStep } from './worker-exit.ts';
import { WorkerLine } from './worker-line.ts';

const STDERR_TAIL_LINES = 40;
/** After the process has gone its pipes still hold the last words. */
const LAST_WORDS_MS = 500;
/** Beyond the drain: for the answer, for leaving after it, for SIGTERM. */
const ANSWER_GRACE_MS = 300;
const LEAVE_MS = 700;
const TERM_MS = 500;
/** For a change of a running graph: it may have to wait until the pipeline is built. */
const SET_LIMIT_MS = 5_000;
/** Beyond the drain of one graph, for the end of its pipeline. */
const REMOVE_GRACE_MS = 15_000;
/** A worker whose line is closed has this long to leave. */
const LINE_CLOSED_MS = 2_000;

export interface WorkerLimits {
  /** Spawn to the ready event. Default 10000. */
  readonly readyMs: number;
  /** The start request. Default 15000. */
  readonly startMs: number;
}

export const WORKER_LIMITS: WorkerLimits = { readyMs: 10_000, startMs: 15_000 };

/** Whose a worker is. */
export interface WorkerOwner {
  readonly scrubber: Scrubber;
  readonly logger: Logger;
  readonly limits?: Partial<WorkerLimits>;
  /** Every event but `ready`, as sent: texts in it are not scrubbed. */
  readonly onEvent: (event: WorkerEvent) => void;
  /** Must not throw or reject. */
  readonly onRecords: DataConsumer;
  /** Before `exited` settles, also for a worker that never was ready. `lastLines`: of its black box. */
  readonly onExit: (exit: WorkerExit, pid: number, lastLines: readonly BlackBoxEntry[]) => void;
}

export interface WorkerProcessOptions extends WorkerOwner {
  readonly command: WorkerCommand;
  /** What the worker writes its last lines into; closed when it has gone. */
  readonly blackBox?: BlackBoxFile;
}

/**
 * One run of one worker process: from spawn to exit. It is ready when launch() resolves, and `exited` settles exactly
 * once, whatever happens; afterwards no process is left.
 */
export class WorkerProcess {
  /** How it ended, after its last log lines were read. Never rejects. */
  readonly exited: Promise<WorkerExit>;
  readonly #blackBox: BlackBoxFile | undefined;
  #owner: WorkerOwner;
  #limits: WorkerLimits;
  readonly #child: ChildProcess;
  readonly #line: WorkerLine;
  readonly #data: DataLine;
  readonly #stderrTail: string[] = [];
  readonly #ready = deferred<void>();
  readonly #ended = deferred<{ code: number | null; signal: string | null }>();
  #gone = false;
  #fault: SightlineError | undefined;
  #step: StopStep | undefined;
  #stopping: Promise<WorkerExit> | undefined;

  private constructor(options: WorkerProcessOptions) {
    this.#owner = options;
    this.#blackBox = options.blackBox;
    this.#limits = { ...WORKER_LIMITS, ...options.limits };
    const { file, args, env } = options.command;
    const lines = ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] as const;
    const stdio = [...lines, options.blackBox?.fd ?? ('ignore' as const)];
    this.#child = spawn(file, args, { env, stdio });
    this.#readLog(this.#child.stdout!, 'stdout');
    this.#readLog(this.#child.stderr!, 'stderr');
    const [, , , control, data] = this.#child.stdio as unknown as Socket[];
    const onBroken = (error: SightlineError) => this.#abandon(error);
    this.#line = new WorkerLine(control!, { onEvent: (event) => this.#onEvent(event), onBroken });
    this.#data = new DataLine(data!, {
      consume: (records) => this.#owner.onRecords(records),
      onBroken,
    });
    this.#ready.promise.catch(() => undefined);
    this.exited = this.#watch();
    void this.#line.ended.then(() => this.#onLineClosed());
  }

  /**
   * Spawns a worker and waits until it is ready. Throws `SL_WORKER_NOT_READY` when it is not in time, dies first or
   * `signal` aborts; the process is gone by then.
   */
  static async launch(
    options: WorkerProcessOptions,
    waiting: { signal?: AbortSignal } = {},
  ): Promise<WorkerProcess> {
    const worker = new WorkerProcess(options);
    const { readyMs } = worker.#limits;
    const timer = setTimeout(() => {
      worker.#abandon(notReady(`it was not ready within ${readyMs} ms`));
    }, readyMs);
    const onAbort = () => worker.#abandon(notReady('its start was cancelled'));
    if (waiting.signal?.aborted) onAbort();
    waiting.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await worker.#ready.promise;
      return worker;
    } catch (error) {
      await worker.exited;
      throw error;
    } finally {
      clearTimeout(timer);
      waiting.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Serves another one from now on. What it has not told yet, it tells the new owner. */
  adopt(owner: WorkerOwner): void {
    this.#owner = owner;
    this.#limits = { ...WORKER_LIMITS, ...owner.limits };
  }

  /** Whether it answers a question within the limit. */
  async answers(limitMs: number): Promise<boolean> {
    const question = this.#line.request('dot', { graphId: '' }, { timeoutMs: limitMs });
    const refusal = await question.then(
      () => undefined,
      (error: unknown) => toSightlineError(error).code,
    );
    return refusal === undefined || refusal === 'SL_NOT_FOUND';
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The worker's last lines so far. */
  get lastLines(): readonly BlackBoxEntry[] {
    return this.#blackBox?.entries() ?? [];
  }

  /** True while the consumer holds back this worker's records. */
  get paused(): boolean {
    return this.#data.paused;
  }

  /** Settles when the last record was handed on, after the process has gone. */
  get drained(): Promise<void> {
    return this.#data.ended;
  }

  /** Stops reading records: what is still in the line is lost. */
  discardData(): void {
    this.#data.destroy();
  }

  /** Bytes of a record that the worker's death cut off. */
  get cutOffBytes(): number {
    return this.#data.cutOffBytes;
  }

  /** Throws `SL_TIMEOUT`, `SL_WORKER_DIED`, or the code with which the worker refused the graphs. */
  async start(params: StartParams): Promise<void> {
    await this.#line.request('start', params, { timeoutMs: this.#limits.startMs });
  }

  /** Throws as start(). */
  async dot(graphId: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const reply = await this.#line.request('dot', { graphId }, { timeoutMs: 2_000, ...options });
    return this.#owner.scrubber.text(reply.dot);
  }

  /** Throws as start(), `SL_CONFLICT` for an id that it runs. */
  async add(graphs: readonly Graph[]): Promise<void> {
    await this.#line.request('add', { graphs }, { timeoutMs: this.#limits.startMs });
  }

  /** Drains one graph. False when the drain came to its limit. Throws `SL_TIMEOUT`, `SL_WORKER_DIED`, `SL_NOT_FOUND`. */
  async remove(graphId: string, drainMs: number): Promise<boolean> {
    const timeoutMs = drainMs + REMOVE_GRACE_MS;
    return (await this.#line.request('remove', { graphId, drainMs }, { timeoutMs })).drained;
  }

  /** See WorkerMethods.replace. Throws as the worker does, `SL_TIMEOUT`, `SL_WORKER_DIED`. */
  async replace(graph: Graph, limits: { drainMs: number; timeoutMs: number }): Promise<void> {
    const timeoutMs = limits.timeoutMs + limits.drainMs + REMOVE_GRACE_MS;
    await this.#line.request('replace', { graph, ...limits }, { timeoutMs });
  }

  /** Throws `SL_TIMEOUT`, `SL_WORKER_DIED`, or the code with which the worker refused the changes. */
  async set(graphId: string, changes: readonly PropertyChange[]): Promise<readonly boolean[]> {
    const timeoutMs = SET_LIMIT_MS;
    const reply = await this.#line.request('set', { graphId, changes }, { timeoutMs });
    return reply.applied;
  }

  /**
   * Ends the process: a drain of at most `drainMs`, then SIGTERM, then SIGKILL. Takes at most `drainMs` + 1.5 s and the
   * kernel's time to reap. Further calls wait for the first one.
   */
  stop(options: { drainMs: number }): Promise<WorkerExit> {
    this.#stopping ??= this.#stop(options.drainMs);
    return this.#stopping;
  }

  async #stop(drainMs: number): Promise<WorkerExit> {
    if (!this.#gone) {
      this.#step = 'drain';
      const timeoutMs = drainMs + ANSWER_GRACE_MS;
      const answer = this.#line.request('stop', { drainMs }, { timeoutMs });
      const answered = await answer.then(
        ({ drained }) => {
          if (!drained) this.#step = 'cut';
          return true;
        },
        () => false,
      );
      if (!(answered && (await settlesWithin(this.#ended.promise, LEAVE_MS)))) await this.#force();
    }
    return this.exited;
  }

  async #force(): Promise<void> {
    this.#step = 'SIGTERM';
    this.#child.kill('SIGTERM');
    if (await settlesWithin(this.#ended.promise, TERM_MS)) return;
    this.#step = 'SIGKILL';
    this.#child.kill('SIGKILL');
  }

  #scrubbed({ code, message }: SightlineError): Reason {
    return { code, message: this.#owner.scrubber.text(message) };
  }

  /**
   * Gives up a worker that no longer answers, and `reason` becomes that of its death: SIGABRT, which leaves a core dump
   * where the system keeps them, and SIGKILL after `killAfterMs`.
   */
  abort(reason: Reason, killAfterMs: number): void {
    this.#fault ??= new SightlineError(reason.code, reason.message);
    if (this.#gone) return;
    this.#child.kill('SIGABRT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs);
    void this.#ended.promise.then(() => clearTimeout(timer));
  }

  /** The worker cannot be used any further: it is killed, and `error` becomes the reason of its death. */
  #abandon(error: SightlineError): void {
    this.#fault ??= error;
    this.#ready.reject(error);
    if (!this.#gone) this.#child.kill('SIGKILL');
  }

  #onEvent(event: WorkerEvent): void {
    if (event.event === 'ready') this.#ready.resolve();
    else this.#owner.onEvent(event);
  }

  /** A worker that has closed its line must leave: nobody can stop it by a request any more. */
  async #onLineClosed(): Promise<void> {
    if (await settlesWithin(this.#ended.promise, LINE_CLOSED_MS)) return;
    if (this.#stopping !== undefined) return;
    const message = 'The worker closed its control line and did not leave; it had to be killed';
    this.#abandon(new SightlineError('SL_WORKER_DIED', message));
  }

  async #watch(): Promise<WorkerExit> {
    this.#child.once('exit', (code, signal) => this.#ended.resolve({ code, signal }));
    this.#child.once('error', (error) => {
      // Only a failed spawn has no pid; a failed kill is no end.
      if (this.#child.pid !== undefined) return;
      this.#fault ??= notReady(`it could not be spawned: ${error.message}`);
      this.#ended.resolve({ code: null, signal: null });
    });
    const ended = await this.#ended.promise;
    this.#gone = true;
    const stderr = this.#child.stderr!;
    const said = stderr.closed ? undefined : once(stderr, 'close');
    await settlesWithin(Promise.all([said, this.#line.ended]), LAST_WORDS_MS);
    const exit = classifyExit({
      ...ended,
      ...(this.#fault === undefined ? {} : { fault: this.#scrubbed(this.#fault) }),
      ...(this.#step === undefined ? {} : { step: this.#step }),
      stderrTail: this.#stderrTail,
    });
    const error = new SightlineError('SL_WORKER_DIED', exit.message);
    this.#line.fail(error);
    this.#line.destroy();
    this.#owner.onExit(exit, this.pid, this.lastLines);
    this.#blackBox?.close();
    this.#ready.reject(this.#fault ?? notReady(exit.message));
    return exit;
  }

  #readLog(stream: NodeJS.ReadableStream, name: 'stdout' | 'stderr'): void {
    const reader = new TextLineReader();
    const log = (line: string) => {
      const text = this.#owner.scrubber.text(line);
      if (name === 'stderr') {
        this.#stderrTail.push(text);
        if (this.#stderrTail.length > STDERR_TAIL_LINES) this.#stderrTail.shift();
      }
      this.#owner.logger.info({ stream: name, line: text, workerPid: this.pid }, 'worker.output');
    };
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      for (const line of reader.push(chunk)) log(line);
    });
    stream.on('end', () => {
      for (const line of reader.end()) log(line);
    });
  }
}

function notReady(why: string): SightlineError {
  return new SightlineError('SL_WORKER_NOT_READY', `Cannot start a worker process: ${why}`);
}
