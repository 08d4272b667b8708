import type { Fleet } from '../../src/api/schemas.ts';
import { Cleanup } from '../../src/common/cleanup.ts';
import { startCamera } from './camera.ts';
import { installFixedModel } from './fixed-model.ts';
import { type Arrived, FleetConsumer } from './fleet-consumer.ts';
import { clipFile, makeH264Clip } from './h264-clip.ts';
import { stopProcess } from './processes.ts';
import { TestServer, temporaryFolder } from './server.ts';
import { until } from './wait.ts';

export interface FleetServersOptions {
  readonly boxes: number;
  readonly streams: number;
  /** `receive`: the streams are recorded and sampled, without a detector. */
  readonly command: 'serve' | 'receive';
  /** Of the configuration; default: a SQLite file. */
  readonly store?: object;
  /** Times of the lease; default: those of the product. */
  readonly lease?: object;
  /** Longest wait for anything. */
  readonly limitMs: number;
}

/** What became of the streams of a box after a fault. */
export interface Moved {
  readonly streams: number;
  /** From the fault until the consumer accepted something of their new owners: of all streams. */
  readonly eachMs: readonly number[];
}

const CLIP = { fps: 5, frames: 10, keyFrameEvery: 5 };

/** Servers that share cameras as a fleet, each a process of its own, and the consumer they post to. */
export class FleetServers implements AsyncDisposable {
  readonly streams: readonly string[];
  readonly consumer: FleetConsumer;
  readonly #options: FleetServersOptions;
  readonly #cleanup: Cleanup;
  readonly #folder: string;
  readonly #modelsDir: string;
  readonly #servers = new Map<string, TestServer>();

  private constructor(
    options: FleetServersOptions,
    parts: { cleanup: Cleanup; folder: string; modelsDir: string; consumer: FleetConsumer },
  ) {
    this.#options = options;
    this.#cleanup = parts.cleanup;
    this.#folder = parts.folder;
    this.#modelsDir = parts.modelsDir;
    this.consumer = parts.consumer;
    this.streams = Array.from({ length: options.streams }, (_, index) => `cam-${index + 1}`);
    this.#cleanup.defer(() =>
      Promise.all([...this.#servers.values()].map((server) => server[Symbol.asyncDispose]())),
    );
  }

  /** Resolves when every stream has sent something that was accepted. */
  static async start(options: FleetServersOptions): Promise<FleetServers> {
    const cleanup = new Cleanup();
    try {
      const { path: folder } = cleanup.use(await temporaryFolder());
      await makeH264Clip(folder, CLIP);
      const args = ['--clip', clipFile(folder, CLIP), '--count', String(options.streams)];
      const camera = cleanup.use(await startCamera({ args }));
      const { modelsDir, model } = await installFixedModel(folder);
      const consumer = cleanup.use(await FleetConsumer.start());
      const fleet = new FleetServers(options, { cleanup, folder, modelsDir, consumer });
      await Promise.all(
        Array.from({ length: options.boxes }, (_, index) => fleet.join(`box-${index + 1}`)),
      );
      const what =
        options.command === 'serve'
          ? { infer: { model } }
          : { record: {}, images: { when: 'always', everyMs: 200 } };
      const [first] = fleet.boxes;
      for (const [index, id] of fleet.streams.entries()) {
        const url = `rtsp://127.0.0.1:${camera.port}/cam${index + 1}`;
        const spec = { ...what, source: { type: 'rtsp', url } };
        const reply = await fetch(`${first!.url}/v1/fleet/streams/${id}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(spec),
        });
        if (reply.status !== 201) throw new Error(`${reply.status}: ${await reply.text()}`);
      }
      await fleet.#taken(fleet.streams.map((id) => [id, 0]));
      return fleet;
    } catch (error) {
      await cleanup[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a box, or one that was killed again. */
  async join(name: string): Promise<TestServer> {
    const { command, store, lease } = this.#options;
    const dir = `${this.#folder}/${name}`;
    const recording = { store: { type: 'folder', dir: `${dir}/recordings` } };
    const server = await TestServer.start(
      this.#folder,
      {
        dataDir: `${dir}/data`,
        http: { port: 0 },
        modelsDir: this.#modelsDir,
        egress: { allow: ['127.0.0.1/32'] },
        sinks: [
          {
            id: 'post',
            type: 'webhook',
            url: this.consumer.urlOf(name),
            kinds: ['frame', 'image'],
          },
        ],
        fleet: {
          node: name,
          restMs: 5_000,
          store: store ?? { type: 'sqlite', file: this.file },
          ...(lease === undefined ? {} : { lease }),
        },
        ...(command === 'receive' ? { recording } : {}),
      },
      {},
      command,
    );
    this.#servers.set(name, server);
    return server;
  }

  /** Of the store, unless it is another one. */
  get file(): string {
    return `${this.#folder}/fleet.sqlite`;
  }

  get boxes(): readonly TestServer[] {
    return [...this.#servers.values()];
  }

  server(name: string): TestServer {
    return this.#servers.get(name)!;
  }

  /** As a box that runs sees it. */
  view(name?: string): Promise<Fleet> {
    const server = name === undefined ? this.boxes.find((each) => each.runs) : this.server(name);
    return server!.json<Fleet>('/v1/fleet');
  }

  /** Streams by the box that runs them, as the store has it. */
  async owned(): Promise<ReadonlyMap<string, readonly string[]>> {
    const { assignments } = await this.view();
    const boxes = [...this.#servers.keys()];
    return new Map(
      boxes.map((name) => [
        name,
        assignments.filter(({ node }) => node === name).map(({ streamId }) => streamId),
      ]),
    );
  }

  /** The box and all its processes are killed at once. */
  async kill(name: string): Promise<Moved> {
    return this.#after(name, () => this.server(name).killTree());
  }

  /** The box is told to stop. Its exit code must be 0. */
  async leave(name: string): Promise<Moved> {
    const server = this.server(name);
    const moved = await this.#after(name, () => server.signal('SIGTERM'));
    const code = await server.exited(this.#options.limitMs);
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
    return moved;
  }

  /**
   * The box is stopped, `alone` without its workers, until others have its streams, and goes on. Gives what came from it
   * with its old epochs that was captured while it stood still or later: nothing may.
   */
  async stopAndGoOn(
    name: string,
    alone: boolean,
  ): Promise<Moved & { readonly late: readonly Arrived[]; readonly refused: number }> {
    const { limitMs } = this.#options;
    const server = this.server(name);
    const before = await this.view(name);
    const epochs = this.consumer.epochs();
    const mine = new Set((await this.owned()).get(name));
    const pids = alone ? [server.pid] : server.tree().map(({ pid }) => pid);
    let stoppedMs = 0;
    const moved = await this.#after(name, async () => {
      await Promise.all(pids.map((pid) => stopProcess(pid)));
      stoppedMs = Date.now();
    });
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    const after = await until(`${name} has lost its lease and has it again`, limitMs, async () => {
      const now = await this.view(name);
      return now.leasesLost > before.leasesLost && now.held && now;
    });
    await this.#more([...mine]);
    const { accepted, stale } = this.consumer;
    const late = [...accepted, ...stale].filter(
      ({ box, streamId, epoch, captureMs }) =>
        box === name &&
        mine.has(streamId) &&
        epoch <= (epochs.get(streamId) ?? 0) &&
        captureMs > stoppedMs,
    );
    return { ...moved, late, refused: after.recordsRefused - before.recordsRefused };
  }

  async #after(name: string, fault: () => unknown): Promise<Moved> {
    const epochs = this.consumer.epochs();
    const mine = (await this.owned()).get(name)!;
    if (mine.length === 0) throw new Error(`${name} runs nothing`);
    const sinceMs = performance.now();
    await fault();
    const first = await this.#taken(mine.map((id) => [id, epochs.get(id) ?? 0]));
    return { streams: mine.length, eachMs: first.map(({ atMs }) => atMs - sinceMs) };
  }

  /** Waits for something of each stream with an epoch above the given one. */
  #taken(above: readonly (readonly [streamId: string, epoch: number])[]): Promise<Arrived[]> {
    return until('every stream has an owner that sends', this.#options.limitMs, () => {
      const found = above.map(([id, epoch]) => this.consumer.firstAbove(id, epoch));
      return found.every((record) => record !== undefined) && (found as Arrived[]);
    });
  }

  /** Waits until each of the streams has sent some more. */
  async #more(streams: readonly string[]): Promise<void> {
    const from = this.consumer.accepted.length;
    await until('they go on', this.#options.limitMs, () => {
      const since = this.consumer.accepted.slice(from);
      return streams.every((id) => since.filter(({ streamId }) => streamId === id).length >= 5);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup[Symbol.asyncDispose]();
  }
}
