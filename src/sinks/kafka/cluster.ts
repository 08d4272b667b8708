import { SightlineError } from '../../common/errors.ts';
import { type BrokerAddress, BrokerConnection, type ConnectionSettings } from './connection.ts';
import { codeError, OK } from './errors.ts';
import { askMaxMessageBytes, askMetadata } from './requests.ts';

/** How long what is known of a topic is believed while nothing contradicts it, as in Kafka's own clients. */
const BELIEVED_MS = 300_000;
/** What a topic takes where its limit may not be read: the default of Kafka, rounded down. */
const USUAL_MAX_BYTES = 1024 * 1024;

export interface Topic {
  /** UUID; zeros before Kafka 2.8. */
  readonly id: string;
  /** Node that leads each partition; undefined while there is none. */
  readonly leaders: readonly (number | undefined)[];
  /** Largest batch it takes. */
  readonly maxBatchBytes: number;
}

export interface ClusterSettings extends ConnectionSettings {
  readonly brokers: readonly BrokerAddress[];
  readonly maxBatchBytes: number | undefined;
}

/** The brokers of a cluster, and which of them leads what. Connections are made when they are needed. */
export class Cluster {
  readonly #settings: ClusterSettings;
  readonly #connections = new Map<number, BrokerConnection>();
  readonly #nodes = new Map<number, BrokerAddress>();
  readonly #topics = new Map<string, { readonly topic: Topic; readonly readMs: number }>();
  #bootstrap: BrokerConnection | undefined;
  #nextBroker = 0;

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
  }

  /**
   * What is known of topics. @throws SightlineError one of `SL_SINK_*` when no broker answers
   * @returns for a topic that cannot be written to, why
   */
  async topics(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Topic | SightlineError>> {
    const now = performance.now();
    const isKnown = (name: string): boolean => {
      const known = this.#topics.get(name);
      return known !== undefined && now - known.readMs < BELIEVED_MS;
    };
    const missing = names.filter((name) => !isKnown(name));
    const refused = missing.length === 0 ? new Map() : await this.#ask(missing, signal);
    return new Map(names.map((name) => [name, refused.get(name) ?? this.#topics.get(name)!.topic]));
  }

  /** The next call asks anew. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** @throws SightlineError one of `SL_SINK_*` */
  async node(id: number, signal: AbortSignal): Promise<BrokerConnection> {
    const open = this.#connections.get(id);
    if (open !== undefined && !open.isLost) return open;
    this.#connections.delete(id);
    const address = this.#nodes.get(id);
    if (address === undefined) {
      throw new SightlineError('SL_SINK_UNAVAILABLE', `Cannot find Kafka broker ${id}`);
    }
    const connection = await BrokerConnection.open(address, this.#settings, signal);
    this.#connections.set(id, connection);
    return connection;
  }

  /**
   * Any broker: one that is connected, else the first of the configuration that answers.
   * @throws SightlineError of the last one, `SL_SINK_UNAUTHORIZED` when one refused the credentials
   */
  async any(signal: AbortSignal): Promise<BrokerConnection> {
    for (const connection of [this.#bootstrap, ...this.#connections.values()]) {
      if (connection !== undefined && !connection.isLost) return connection;
    }
    const { brokers } = this.#settings;
    let failure: SightlineError | undefined;
    for (let tries = 0; tries < brokers.length; tries++) {
      const address = brokers[this.#nextBroker % brokers.length]!;
      try {
        this.#bootstrap = await BrokerConnection.open(address, this.#settings, signal);
        return this.#bootstrap;
      } catch (thrown) {
        signal.throwIfAborted();
        this.#nextBroker++;
        const error = thrown as SightlineError;
        if (failure?.code !== 'SL_SINK_UNAUTHORIZED') failure = error;
      }
    }
    throw failure!;
  }

  close(): void {
    this.#bootstrap?.drop();
    for (const connection of this.#connections.values()) connection.drop();
    this.#connections.clear();
    this.#topics.clear();
  }

  async #ask(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, SightlineError>> {
    const connection = await this.any(signal);
    const { brokers, topics } = await askMetadata(connection, names, signal);
    this.#note(brokers);
    const refused = new Map<string, SightlineError>();
    for (const { name, topicId: id, errorCode, partitions } of topics) {
      if (!name) continue;
      if (errorCode !== OK) {
        refused.set(name, codeError(errorCode, `write to Kafka topic ${name}`));
        continue;
      }
      const leaders: (number | undefined)[] = [];
      for (const { partitionIndex, leaderId } of partitions) {
        leaders[partitionIndex] = leaderId === -1 ? undefined : leaderId;
      }
      const maxBatchBytes = await this.#limitOf(connection, name, signal);
      const topic = { id, leaders, maxBatchBytes };
      this.#topics.set(name, { topic, readMs: performance.now() });
    }
    return refused;
  }

  async #limitOf(
    connection: BrokerConnection,
    topic: string,
    signal: AbortSignal,
  ): Promise<number> {
    const { maxBatchBytes } = this.#settings;
    if (maxBatchBytes !== undefined) return maxBatchBytes;
    return (await askMaxMessageBytes(connection, topic, signal)) ?? USUAL_MAX_BYTES;
  }

  /** A node that moved is connected to anew. */
  #note(brokers: readonly ({ readonly nodeId: number } & BrokerAddress)[]): void {
    for (const { nodeId, host, port } of brokers) {
      const known = this.#nodes.get(nodeId);
      if (known?.host === host && known.port === port) continue;
      this.#connections.get(nodeId)?.drop();
      this.#connections.delete(nodeId);
      this.#nodes.set(nodeId, { host, port });
    }
  }
}
