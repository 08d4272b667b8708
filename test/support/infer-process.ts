import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../src/common/paths.ts';
import { until } from './wait.ts';

/** What GET /v1/infer says, as far as it is looked at. */
export interface InferStatus {
  readonly frames: { readonly done: number; readonly poison: number; readonly duplicates: number };
  readonly queue: { readonly deleted: number };
  readonly models: readonly {
    readonly pid?: number;
    readonly restarts: number;
    readonly late: number;
    readonly resent: number;
  }[];
}

/** The built CLI, `sightline infer`, as a process of its own. */
export class InferProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: string[] = [];
  url = '';

  private constructor(file: string) {
    const args = [join(ROOT, 'bin', 'sightline.js'), 'infer', '--config', file];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: ROOT });
    this.#exited = once(this.#child, 'exit');
    for (const input of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input }).on('line', (line) => this.#lines.push(line));
    }
  }

  /** Starts and waits until it listens; `http` and `dataDir` are given. */
  static async start(folder: string, config: object): Promise<InferProcess> {
    const file = join(folder, 'infer.json');
    const given = { dataDir: 'data', http: { port: 0 } };
    await writeFile(file, JSON.stringify({ ...given, ...config }));
    const process = new InferProcess(file);
    process.url = await until('it listens', 60_000, () => {
      if (process.#child.exitCode !== null) throw new Error(process.#lines.join('\n'));
      const line = process.#lines.find((text) => text.includes('"infer.listening"'));
      return line && (JSON.parse(line) as { url: string }).url;
    });
    return process;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Undefined while it does not answer. */
  async status(): Promise<InferStatus | undefined> {
    const answer = await fetch(`${this.url}/v1/infer`).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as InferStatus) : undefined;
  }

  /** The exit code; null where the signal ended it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    this.#child.kill(signal);
    await this.#exited;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end('SIGTERM');
  }
}
