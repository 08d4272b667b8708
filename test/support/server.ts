import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../src/common/paths.ts';
import type { StreamView } from '../../src/control/types.ts';
import { processTree } from './processes.ts';
import { until } from './wait.ts';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sightline-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The built CLI, `sightline serve` (or another service), as a process of its own. */
export class TestServer implements AsyncDisposable {
  readonly logs: LogLine[] = [];
  readonly stderr: string[] = [];
  readonly pid: number;
  readonly #child;
  readonly #exited: Promise<unknown>;
  url = '';

  private constructor(
    configFile: string,
    env: Readonly<Record<string, string>>,
    command = 'serve',
  ) {
    this.#child = spawn(
      process.execPath,
      [join(ROOT, 'bin', 'sightline.js'), command, '--config', configFile],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: ROOT, env: { ...process.env, ...env } },
    );
    this.pid = this.#child.pid!;
    this.#exited = once(this.#child, 'exit');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.logs.push(JSON.parse(line) as LogLine);
    });
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.stderr.push(line));
  }

  /** Starts and waits until it listens; `env` is added to its environment. */
  static async start(
    folder: string,
    config: object,
    env: Readonly<Record<string, string>> = {},
    command = 'serve',
  ): Promise<TestServer> {
    return (await TestServer.launch(folder, config, env, command)).#listening();
  }

  /** The same with a configuration, file or folder, that is there. */
  static open(config: string): Promise<TestServer> {
    return new TestServer(config, {}).#listening();
  }

  async #listening(): Promise<TestServer> {
    this.url = await until('the server listens', 20_000, () => {
      if (this.exitCode !== null) throw new Error(`It ended: ${this.stderr.join('\n')}`);
      const line = this.logs.find(({ msg }) => /^(?:server|infer)\.listening$/.test(msg));
      return line === undefined ? undefined : String(line['url']);
    });
    return this;
  }

  /** Starts without waiting, for servers that are expected to refuse. */
  static async launch(
    folder: string,
    config: object,
    env: Readonly<Record<string, string>> = {},
    command = 'serve',
  ): Promise<TestServer> {
    const file = join(folder, `config-${process.hrtime.bigint()}.json`);
    await writeFile(file, JSON.stringify(config));
    return new TestServer(file, env, command);
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** It has not ended. */
  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async exited(withinMs: number): Promise<number | null> {
    await Promise.race([this.#exited, until('the server ends', withinMs, () => !this.runs)]);
    return this.#child.exitCode;
  }

  tree() {
    return processTree(this.pid);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGKILL to the server and everything below it at once. */
  async killTree(): Promise<void> {
    for (const { pid } of this.tree()) process.kill(pid, 'SIGKILL');
    await this.#exited;
  }

  /** A change is asked for whatever the thing's state is now (`If-Match: *`). */
  async request(method: string, path: string, body?: unknown): Promise<Response> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return fetch(`${this.url}${path}`, {
      method,
      signal: AbortSignal.timeout(15_000),
      headers: {
        ...(method === 'GET' || method === 'POST' ? {} : { 'if-match': '*' }),
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async json<T>(path: string): Promise<T> {
    const response = await this.request('GET', path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  stream(id: string): Promise<StreamView> {
    return this.json<StreamView>(`/v1/streams/${id}`);
  }

  /** Waits until the stream is in one of the states, and returns it. */
  streamIn(id: string, states: readonly string[], withinMs: number): Promise<StreamView> {
    return until(`${id} is ${states.join(' or ')}`, withinMs, async () => {
      const stream = await this.stream(id);
      return states.includes(stream.status.state) ? stream : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.runs) return;
    this.#child.kill('SIGTERM');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(limit);
  }
}
