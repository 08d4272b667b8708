import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import type { Cleanup } from './cleanup.ts';
import { freePort } from './config.ts';
import { until } from './wait.ts';

/** Debian's MQTT broker as a child process, with a configuration of its own. */
export class Mosquitto {
  readonly port: number;
  readonly url: string;
  readonly #config: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, config: string) {
    this.port = port;
    this.url = `mqtt://127.0.0.1:${port}`;
    this.#config = config;
  }

  /** Not started yet. @param lines added to the configuration */
  static async prepare(context: Cleanup, lines: readonly string[] = []): Promise<Mosquitto> {
    const dir = mkdtempSync(join(tmpdir(), 'sightline-mosquitto-'));
    const port = await freePort();
    const config = join(dir, 'mosquitto.conf');
    const isOpen = !lines.some((line) => line.startsWith('allow_anonymous'));
    writeFileSync(
      config,
      [
        `listener ${port} 127.0.0.1`,
        ...(isOpen ? ['allow_anonymous true'] : []),
        'max_queued_messages 0',
        'max_inflight_messages 0',
        'persistence true',
        `persistence_location ${dir}/`,
        'user root',
        ...lines,
        '',
      ].join('\n'),
    );
    const broker = new Mosquitto(port, config);
    context.after(async () => {
      await broker.stop();
      rmSync(dir, { recursive: true, force: true });
    });
    return broker;
  }

  static async start(context: Cleanup, lines: readonly string[] = []): Promise<Mosquitto> {
    const broker = await Mosquitto.prepare(context, lines);
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    this.#child = spawn('mosquitto', ['-c', this.#config], { stdio: 'ignore' });
    await until('mosquitto listens', 10_000, () => canConnect(this.port));
  }

  /** Ends it in order: what it accepted for its subscribers is kept. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A subscriber with a session that outlives the broker's restarts, so that it sees all that was acknowledged. */
export class Subscriber {
  readonly packets: IPublishPacket[] = [];

  private constructor(client: MqttClient) {
    client.on('message', (_topic, _payload, packet) => this.packets.push(packet));
    client.on('error', () => undefined);
  }

  static async open(
    context: Cleanup,
    url: string,
    topic = '#',
    options: { readonly protocolVersion?: 4 | 5; readonly qos?: 1 | 2 } = {},
  ): Promise<Subscriber> {
    const { protocolVersion = 5, qos = 1 } = options;
    const client = await mqtt.connectAsync(url, {
      protocolVersion,
      clientId: `test-${process.pid}-${Math.random()}`,
      clean: false,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
      reconnectPeriod: 100,
    });
    context.after(() => client.end(true));
    const subscriber = new Subscriber(client);
    await client.subscribeAsync(topic, { qos });
    return subscriber;
  }

  topics(): string[] {
    return this.packets.map(({ topic }) => topic);
  }

  /** The user property of each packet. */
  recordIds(): string[] {
    return this.packets.map(({ properties }) => {
      const { recordId } = { ...properties?.userProperties };
      return String(recordId);
    });
  }
}
