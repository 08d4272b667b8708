import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';
import { freePort } from './config.ts';
import { missing } from './optional.ts';
import { until } from './wait.ts';

const PROGRAM = join(ROOT, '.cache', 'python', 'bin', 'moto_server');
const START_LIMIT_MS = 60_000;

/** Why there is no moto to test against; false where there is. */
export const noMoto = missing('moto', [PROGRAM], ['servers', 'python', 'moto']);

/** moto as a child process: the protocols of AWS without most of its limits. Holds everything in memory. */
export class Moto {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(): Promise<Moto> {
    const port = await freePort();
    const child = spawn(PROGRAM, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    const moto = new Moto(port, child);
    await until('moto answers', START_LIMIT_MS, async () => {
      if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}`);
      return (await fetch(`${moto.client.endpoint}/moto-api/data.json`)).ok;
    });
    return moto;
  }

  /** For clients that read what was delivered. */
  get client() {
    const credentials = { accessKeyId: 'reader', secretAccessKey: 'reader' };
    return { endpoint: `http://127.0.0.1:${this.port}`, region: 'us-east-1', credentials };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
