import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../../src/common/paths.ts';
import { startCamera, type TestCamera } from '../../test/support/camera.ts';
import { TestServer } from '../../test/support/server.ts';

const ENV = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'emulator',
  AWS_SECRET_ACCESS_KEY: 'emulator',
};

/** The services of deploy/compose as processes of this machine, with their own configurations. */
export class Services implements AsyncDisposable {
  readonly #running: AsyncDisposable[] = [];
  #react: TestServer | undefined;

  /** @param endpoint in place of the container `aws` */
  static async start(folder: string, endpoint: string): Promise<Services> {
    const services = new Services();
    try {
      const camera = await startCamera({ args: ['--count', '4'] });
      services.#running.push(camera);
      for (const name of ['react', 'infer', 'receive']) {
        const config = configOf(name, join(folder, name), { endpoint, camera });
        const server = await TestServer.start(folder, config, ENV, name);
        services.#running.push(server);
        if (name === 'react') services.#react = server;
      }
      return services;
    } catch (error) {
      await services[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How many events of a rule react answers with. */
  async countEvents(rule: string): Promise<number> {
    const { items } = await this.#react!.json<{ items: object[] }>(`/v1/rule-events?rule=${rule}`);
    return items.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#running.splice(0).reverse()) await one[Symbol.asyncDispose]();
  }
}

function configOf(
  name: string,
  dataDir: string,
  { endpoint, camera }: { endpoint: string; camera: TestCamera },
): object {
  const text = readFileSync(join(ROOT, 'deploy', 'compose', 'config', `${name}.yaml`), 'utf8')
    .replaceAll('http://aws:4566', endpoint)
    .replaceAll('rtsp://mediamtx:8554', `rtsp://127.0.0.1:${camera.port}`);
  return { ...(parse(text) as object), dataDir, http: { host: '127.0.0.1', port: 0 } };
}
