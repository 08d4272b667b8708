import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { PATHS } from '../../src/common/paths.ts';
import type { Graph } from '../../src/pipeline/graph.ts';
import type {
  StreamEvent,
  StreamPhase,
  StreamPolicy,
  WorkerEvent,
  WorkerMethods,
  WorkerReply,
} from '../../src/worker/protocol.ts';
import { programArgs } from '../support/programs.ts';
import { until } from '../support/wait.ts';

/** Arguments of Node that run a worker. */
export const WORKER_ARGS = programArgs('src/worker/main.ts');

export const POLICY: StreamPolicy = {
  firstFrameTimeoutMs: 10_000,
  stallTimeoutMs: 5_000,
  backoffBaseMs: 200,
  backoffCapMs: 400,
  authProbeMs: 60_000,
};

export interface DataRecord {
  readonly kind: number;
  readonly payload: Buffer;
}

/** A real worker process on real descriptors, as the control process runs it. */
export class WorkerHarness implements AsyncDisposable {
  readonly events: WorkerEvent[] = [];
  readonly replies: WorkerReply[] = [];
  readonly records: DataRecord[] = [];
  readonly stderr: string[] = [];
  readonly child: ChildProcess;
  readonly control: Socket;
  readonly data: Socket;
  readonly #exited: Promise<unknown>;
  #unread = Buffer.alloc(0);
  #nextId = 1;

  private constructor(readData: boolean, env: NodeJS.ProcessEnv, blackBox?: number) {
    this.child = spawn(process.execPath, WORKER_ARGS, {
      stdio: ['ignore', 'inherit', 'pipe', 'pipe', 'pipe', blackBox ?? 'ignore'],
      env: { ...process.env, GST_PLUGIN_PATH: PATHS.pluginDir, ...env },
    });
    const stdio = this.child.stdio as unknown as Socket[];
    this.control = stdio[3]!;
    this.data = stdio[4]!;
    this.#exited = once(this.child, 'exit');
    for (const socket of [this.control, this.data]) socket.on('error', () => undefined);
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.stderr.push(line));
    createInterface({ input: this.control }).on('line', (line) => {
      const message = JSON.parse(line) as WorkerEvent | WorkerReply;
      if ('event' in message) this.events.push(message);
      else this.replies.push(message);
    });
    if (readData) this.readData();
  }

  /** Spawns a worker and waits until it is ready. */
  static async launch(
    options: { readData?: boolean; env?: NodeJS.ProcessEnv; blackBox?: number } = {},
  ): Promise<WorkerHarness> {
    const { readData = true, env = {}, blackBox } = options;
    const worker = new WorkerHarness(readData, env, blackBox);
    await until('the worker is ready', 20_000, () =>
      worker.events.some(({ event }) => event === 'ready'),
    );
    return worker;
  }

  get pid(): number {
    return this.child.pid!;
  }

  readData(): void {
    this.data.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      while (this.#unread.length >= 8) {
        const end = 8 + this.#unread.readUInt32LE(0);
        if (this.#unread.length < end) return;
        this.records.push({
          kind: this.#unread.readUInt32LE(4),
          payload: this.#unread.subarray(8, end),
        });
        this.#unread = this.#unread.subarray(end);
      }
    });
  }

  async request<M extends keyof WorkerMethods>(
    method: M,
    params: WorkerMethods[M]['params'],
    withinMs = 10_000,
  ): Promise<WorkerReply> {
    const id = this.#nextId++;
    this.control.write(`${JSON.stringify({ id, method, params })}\n`);
    return until(`the reply to ${method}`, withinMs, () =>
      this.replies.find((reply) => reply.id === id),
    );
  }

  start(
    graphs: readonly Graph[],
    policy: Partial<StreamPolicy> = {},
    over: readonly string[] = [],
  ): Promise<WorkerReply> {
    return this.request('start', {
      pipelineId: 'test',
      graphs,
      stream: { ...POLICY, ...policy },
      over,
    });
  }

  /** Everything said about a stream so far. */
  phases(streamId: string): readonly StreamEvent[] {
    return this.events.filter(
      (event): event is StreamEvent => event.event === 'stream' && event.streamId === streamId,
    );
  }

  phase(streamId: string, phase: StreamPhase, withinMs = 10_000): Promise<StreamEvent> {
    return until(`${streamId} is ${phase}`, withinMs, () =>
      this.phases(streamId).find((event) => event.phase === phase),
    );
  }

  /** Exit code and signal. */
  async exited(withinMs: number): Promise<{ code: number | null; signal: string | null }> {
    const { child } = this;
    await until(
      'the worker exits',
      withinMs,
      () => child.exitCode !== null || child.signalCode !== null,
    );
    return { code: child.exitCode, signal: child.signalCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.#exited;
    this.control.destroy();
    this.data.destroy();
  }
}
