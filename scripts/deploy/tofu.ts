import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../src/common/paths.ts';

const run = promisify(execFile);
const BIN = join(ROOT, '.cache', 'go-tools', 'bin');
/** Queues take two minutes to be deleted, the dead letters after the others. */
const LIMIT_MS = 600_000;

/** What `deploy/terraform` gives back. */
export interface Outputs {
  readonly buckets: Readonly<Record<'raw' | 'inference' | 'queries', string>>;
  readonly queues: Readonly<Record<'frames' | 'detections', string>>;
  readonly dead_letter_queues: Readonly<Record<'frames' | 'detections', string>>;
  readonly delivery_streams: Readonly<Record<'detections' | 'frames' | 'segments', string>>;
  readonly record_stream: string;
  readonly tables: Readonly<Record<'events' | 'fleet', string>>;
  readonly athena: { readonly workgroup: string; readonly database: string };
  readonly roles: Readonly<Record<string, string>>;
  readonly task_definitions: Readonly<Record<string, string>>;
}

/** OpenTofu in a copy of deploy/, with the provider that `npm run check:terraform` built and no registry. */
export class Tofu {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param folder an empty one, which the caller removes
   * @param proxy URL for requests to hosts that are not loopback
   */
  constructor(folder: string, providerVersion: string, proxy: string) {
    this.#folder = join(folder, 'deploy', 'terraform');
    for (const part of ['terraform', 'ecs']) {
      cpSync(join(ROOT, 'deploy', part), join(folder, 'deploy', part), { recursive: true });
    }
    const platform = `linux_${process.arch === 'x64' ? 'amd64' : process.arch}`;
    const mirror = join(folder, 'mirror');
    const place = ['registry.opentofu.org', 'hashicorp', 'aws', providerVersion, platform];
    mkdirSync(join(mirror, ...place), { recursive: true });
    const program = 'terraform-provider-aws';
    symlinkSync(join(BIN, program), join(mirror, ...place, program));
    const config = join(folder, 'tofu.rc');
    writeFileSync(
      config,
      `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
    );
    const { PATH, HOME } = process.env;
    this.#env = {
      PATH,
      HOME,
      HTTP_PROXY: proxy,
      TF_CLI_CONFIG_FILE: config,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
    };
  }

  /** Runs a subcommand to its end and returns what it printed; rejects with all of it when it fails. */
  async run(...args: readonly string[]): Promise<string> {
    try {
      const options = { cwd: this.#folder, env: this.#env, timeout: LIMIT_MS, maxBuffer: 1 << 26 };
      return (await run(join(BIN, 'tofu'), [...args], options)).stdout;
    } catch (error) {
      const { stdout = '', stderr = '', message } = error as Error & Record<string, string>;
      throw new Error(`tofu ${args[0]}: ${message}\n${stdout}\n${stderr}`);
    }
  }

  async outputs(): Promise<Outputs> {
    const values = JSON.parse(await this.run('output', '-json')) as Record<
      string,
      { value: unknown }
    >;
    const plain = Object.entries(values).map(([name, { value }]) => [name, value]);
    return Object.fromEntries(plain) as Outputs;
  }
}
