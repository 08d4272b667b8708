import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type GetMessage } from 'amqplib';
import { deferred } from '../../src/common/waits.ts';
import { freePort } from './config.ts';
import { missing } from './optional.ts';
import { selfSigned } from './self-signed.ts';
import { until } from './wait.ts';

/** Debian and Ubuntu: `/usr/lib/rabbitmq/lib/rabbitmq_server-<version>`. */
const PACKAGES = '/usr/lib/rabbitmq/lib';
const START_LIMIT_MS = 90_000;

/** The scripts themselves: those on PATH change the user. */
function sbin(): string {
  const versions = existsSync(PACKAGES) ? readdirSync(PACKAGES) : [];
  const server = versions.find((name) => name.startsWith('rabbitmq_server-')) ?? 'none';
  return join(PACKAGES, server, 'sbin');
}

/** Why there is no RabbitMQ to test against; false where there is. */
export const noRabbitMq = missing('RabbitMQ', [join(sbin(), 'rabbitmq-server')], ['servers']);

/** RabbitMQ as a child process: a node of its own on loopback, with a folder of its own. User guest, password guest. */
export class RabbitMq {
  readonly port: number;
  readonly tlsPort: number;
  readonly caFile: string;
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #epmdPort: number;
  #child: ChildProcess | undefined;

  private constructor(dir: string, caFile: string, ports: readonly number[]) {
    const [port, tlsPort, distributionPort, epmdPort] = ports as [number, number, number, number];
    this.#dir = dir;
    this.port = port;
    this.tlsPort = tlsPort;
    this.caFile = caFile;
    this.#epmdPort = epmdPort;
    this.#env = {
      ...process.env,
      HOME: dir,
      RABBITMQ_NODENAME: `sightline${port}@localhost`,
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_MNESIA_BASE: join(dir, 'mnesia'),
      RABBITMQ_LOG_BASE: join(dir, 'log'),
      RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
      RABBITMQ_PID_FILE: join(dir, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
        '+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}',
      ERL_EPMD_PORT: String(epmdPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      // Its port mapper obeys us also while it believes that the killed node is there.
      ERL_EPMD_RELAXED_COMMAND_CHECK: '1',
    };
  }

  static async start(): Promise<RabbitMq> {
    const dir = mkdtempSync(join(tmpdir(), 'sightline-rabbitmq-'));
    mkdirSync(join(dir, 'log'));
    const ports = await Promise.all(Array.from({ length: 4 }, () => freePort()));
    const { cert, key } = selfSigned(dir);
    const broker = new RabbitMq(dir, cert, ports);
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${broker.port}`,
      `listeners.ssl.1 = 127.0.0.1:${broker.tlsPort}`,
      `ssl_options.certfile = ${cert}`,
      `ssl_options.keyfile = ${key}`,
      'log.console = false',
      // One message above it closes the channel.
      `max_message_size = ${MAX_MESSAGE_BYTES}`,
      'disk_free_limit.absolute = 1MB',
      'vm_memory_high_watermark.absolute = 1GB',
    ];
    writeFileSync(join(dir, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    await broker.restart();
    return broker;
  }

  get url(): string {
    return `amqp://127.0.0.1:${this.port}`;
  }

  /** Starts it (again, with its durable queues) and waits until it answers. */
  async restart(): Promise<void> {
    const child = spawn(join(sbin(), 'rabbitmq-server'), [], {
      ...{ env: this.#env, cwd: this.#dir, stdio: 'ignore' },
      // A group of its own: the script is not the server.
      detached: true,
    });
    this.#child = child;
    await until('RabbitMQ answers', START_LIMIT_MS, async () => {
      if (child.exitCode !== null) throw new Error(`RabbitMQ ended with ${child.exitCode}`);
      await (await connect(this.url, { timeout: 2000 })).close();
      return true;
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await gone;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#child?.pid !== undefined) process.kill(-this.#child.pid, signal);
  }

  async close(): Promise<void> {
    await this.kill();
    spawnSync('epmd', ['-port', String(this.#epmdPort), '-kill'], { env: this.#env });
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Raises or clears the memory alarm: publishers are blocked meanwhile. */
  memoryAlarm(isOn: boolean): void {
    const limit = isOn ? ['0.000001'] : ['absolute', '1GB'];
    const args = ['-n', this.#env['RABBITMQ_NODENAME']!, 'set_vm_memory_high_watermark', ...limit];
    const { status, stderr } = spawnSync(join(sbin(), 'rabbitmqctl'), args, { env: this.#env });
    if (status !== 0) throw new Error(`rabbitmqctl failed: ${String(stderr)}`);
  }

  /** A durable queue, bound to an exchange. */
  async createQueue(queue: string, bindingKey: string, exchange = 'amq.topic'): Promise<void> {
    const connection = await connect(this.url);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, exchange, bindingKey);
    await connection.close();
  }

  /** Takes all that a queue holds. */
  async drain(queue: string): Promise<GetMessage[]> {
    const connection = await connect(this.url);
    const channel = await connection.createChannel();
    const found: GetMessage[] = [];
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount > 0) {
      const { promise, resolve } = deferred<void>();
      await channel.consume(
        queue,
        (message) => {
          found.push(message as unknown as GetMessage);
          if (found.length === messageCount) resolve();
        },
        { noAck: true },
      );
      await promise;
    }
    await connection.close();
    return found;
  }
}

export const MAX_MESSAGE_BYTES = 100_000;
