import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ROOT } from '../../src/common/paths.ts';

const PROGRAM = `
const { buckets, queues } = JSON.parse(process.argv[1]);
import('fauxqs').then(async ({ startFauxqs }) => {
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  for (const bucket of buckets) server.createBucket(bucket);
  for (const queue of queues) server.createQueue(queue);
  console.log(server.port);
})`;

/** S3 and SQS in a process of their own, as they are elsewhere. */
export class Fauxqs {
  readonly #end: () => void;
  /** What a client of the SDK needs. */
  readonly client;

  private constructor(port: string, end: () => void) {
    this.client = {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    this.#end = end;
  }

  static async start(has: { buckets?: string[]; queues?: string[] }): Promise<Fauxqs> {
    const things = JSON.stringify({ buckets: [], queues: [], ...has });
    const child = spawn(process.execPath, ['-e', PROGRAM, things], {
      ...{ cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
    });
    const [port] = await once(createInterface({ input: child.stdout! }), 'line');
    return new Fauxqs(port as string, () => child.kill());
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
