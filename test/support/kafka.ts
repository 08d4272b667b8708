import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { ROOT } from '../../src/common/paths.ts';
import { type ReadMessage, readKafka } from '../../src/sinks/kafka/reader.ts';
import type { KafkaSinkSpec } from '../../src/sinks/kafka/spec.ts';
import { freePort } from './config.ts';
import { missing, program } from './optional.ts';
import { stopProcess } from './processes.ts';
import { selfSigned } from './self-signed.ts';
import { until } from './wait.ts';

const KAFKA = join(ROOT, '.cache', 'kafka');
const ARCHIVE = join(KAFKA, 'classes.jsa');
const START_LIMIT_MS = 60_000;
/** After so long without a message there is none left. */
const QUIET_MS = 1000;
const OPTIONAL_STEPS = ['servers', 'kafka'];

/** Why there is no Kafka to test against; false where there is. */
export const noKafka = missing('Apache Kafka', [ARCHIVE, program('java')], OPTIONAL_STEPS);

/** Apache Kafka in KRaft mode as a child process: broker and controller in one, topics made by hand alone. */
export class Kafka {
  /** Anybody may do anything. */
  readonly port: number;
  /** SASL without TLS: user camera, password camera-secret. */
  readonly saslPort: number;
  /** TLS, with the certificate of `caFile`. */
  readonly tlsPort: number;
  readonly caFile: string;
  /** A port of its own that the broker names as 127.0.0.1:`proxyPort`: clients come through what a test puts there. */
  readonly proxiedPort: number;
  readonly proxyPort: number;
  readonly #dir: string;
  #child: ChildProcess | undefined;

  private constructor(dir: string, ports: readonly number[], caFile: string) {
    this.#dir = dir;
    this.caFile = caFile;
    [this.port, this.saslPort, this.tlsPort, this.proxiedPort, this.proxyPort] = ports as [
      ...[number, number, number, number, number],
    ];
  }

  static async start(): Promise<Kafka> {
    const dir = mkdtempSync(join(tmpdir(), 'sightline-kafka-'));
    const data = join(dir, 'data');
    cpSync(join(KAFKA, 'storage'), data, { recursive: true });
    const ports = await Promise.all(Array.from({ length: 6 }, () => freePort()));
    const [port, saslPort, tlsPort, proxiedPort, proxyPort, controller] = ports;
    const { cert, pair } = selfSigned(dir);
    const open = [
      `PLAINTEXT://127.0.0.1:${port}`,
      `SASL_PLAINTEXT://127.0.0.1:${saslPort}`,
      `SSL://localhost:${tlsPort}`,
    ].join(',');
    const module = 'org.apache.kafka.common.security';
    const sasl = 'listener.name.sasl_plaintext';
    const scram = `${module}.scram.ScramLoginModule required;`;
    const lines = [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@127.0.0.1:${controller}`,
      `listeners=${open},PROXIED://127.0.0.1:${proxiedPort},CONTROLLER://127.0.0.1:${controller}`,
      `advertised.listeners=${open},PROXIED://127.0.0.1:${proxyPort}`,
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'controller.listener.names=CONTROLLER',
      `log.dirs=${data}`,
      'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      `${sasl}.plain.sasl.jaas.config=${module}.plain.PlainLoginModule required user_camera="camera-secret";`,
      `${sasl}.scram-sha-256.sasl.jaas.config=${scram}`,
      `${sasl}.scram-sha-512.sasl.jaas.config=${scram}`,
      'ssl.keystore.type=PEM',
      `ssl.keystore.location=${pair}`,
      'auto.create.topics.enable=false',
      'offsets.topic.replication.factor=1',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      // Little to do at the start.
      'offsets.topic.num.partitions=1',
      'transaction.state.log.num.partitions=1',
      'num.network.threads=2',
      'num.io.threads=2',
      'background.threads=1',
      'log.cleaner.enable=false',
      'controlled.shutdown.enable=false',
      // One that was killed is let in again after so long.
      'broker.session.timeout.ms=1000',
      'broker.heartbeat.interval.ms=200',
    ];
    writeFileSync(join(dir, 'server.properties'), `${lines.join('\n')}\n`);
    const broker = new Kafka(dir, ports, cert);
    await broker.restart();
    return broker;
  }

  /** Starts it (again, with what it had) and waits until it answers. */
  async restart(): Promise<void> {
    const { javaCommand } = (await import(join(ROOT, 'scripts', 'setup', 'kafka.mjs'))) as {
      javaCommand(): readonly string[];
    };
    const args = [...javaCommand(), 'kafka.Kafka', join(this.#dir, 'server.properties')];
    const child = spawn('java', [`-XX:SharedArchiveFile=${ARCHIVE}`, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: this.#dir,
    });
    this.#child = child;
    await until('Kafka answers', START_LIMIT_MS, async () => {
      if (child.exitCode !== null) throw new Error(`Kafka ended with ${child.exitCode}`);
      return (await this.#admin((admin) => admin.metadata({ topics: [] }))).brokers.size > 0;
    });
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Resolves when it does nothing any more. */
  async freeze(): Promise<void> {
    if (this.#child?.pid !== undefined) await stopProcess(this.#child.pid);
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async createTopic(topic: string, configs: Record<string, string> = {}, partitions = 1) {
    await this.#admin((admin) =>
      admin.createTopics({
        ...{ topics: [topic], partitions, replicas: 1 },
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      }),
    );
  }

  /** What a topic holds, up to `count` messages. */
  async read(topic: string, count: number): Promise<ReadMessage[]> {
    const signal = AbortSignal.timeout(20_000);
    const found: ReadMessage[] = [];
    const options = { topics: [topic], from: 'earliest', signal, baseDir: '/' } as const;
    if (count === 0) return found;
    for await (const message of readKafka(kafkaSpec({ port: this.port }), options)) {
      found.push(message);
      if (found.length === count) break;
    }
    return found;
  }

  /** All that a topic holds. */
  async readAll(topic: string): Promise<ReadMessage[]> {
    const stop = new AbortController();
    const found: ReadMessage[] = [];
    const options = {
      topics: [topic],
      from: 'earliest',
      signal: stop.signal,
      baseDir: '/',
    } as const;
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => stop.abort();
    for await (const message of readKafka(kafkaSpec({ port: this.port }), options)) {
      found.push(message);
      clearTimeout(timer);
      timer = setTimeout(end, QUIET_MS);
    }
    return found;
  }

  async #admin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin({
      clientId: 'test',
      bootstrapBrokers: [`127.0.0.1:${this.port}`],
      ...{ retries: 0, connectTimeout: 2000, requestTimeout: 5000 },
    });
    try {
      return await work(admin);
    } finally {
      await admin.close().catch(() => undefined);
    }
  }
}

/** The specification of a sink with all its defaults. */
export function kafkaSpec(
  spec: Partial<KafkaSinkSpec> & { readonly port?: number; readonly host?: string },
): KafkaSinkSpec {
  const { port = 1, host = '127.0.0.1', ...keys } = spec;
  return {
    ...{ id: 'kafka', type: 'kafka', required: true, brokers: [`${host}:${port}`] },
    ...{ clientId: 'sightline', topic: 'sightline.{kind}s', key: '{streamId}' },
    ...{ kinds: ['frame', 'event'], format: 'protobuf', acks: 'all', idempotent: true },
    ...{ compression: 'none', connectTimeoutMs: 3000, requestTimeoutMs: 5000 },
    ...keys,
  };
}
