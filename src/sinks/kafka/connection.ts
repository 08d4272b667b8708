import { isIP } from 'node:net';
import {
  apiVersionsV3,
  Connection,
  type ConnectionOptions,
  type ResponseParser,
  type Writer,
} from '@platformatic/kafka';
import { SightlineError } from '../../common/errors.ts';
import { clientError } from './errors.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionSettings {
  readonly clientId: string;
  /** Read anew with each connection. */
  readonly options: () => Promise<ConnectionOptions>;
}

/** One request of the protocol in one of its versions. */
export interface Call<T> {
  readonly key: number;
  readonly version: number;
  /** Whether its headers carry tagged fields (KIP-482). */
  readonly isFlexible: boolean;
  readonly request: () => Writer;
  readonly parse: ResponseParser<T>;
}

/** A connection to one broker, as long as it lasts. A request without an answer in time ends it. */
export class BrokerConnection {
  readonly #connection: Connection;
  readonly #what: string;
  #versions: ReadonlyMap<number, { readonly min: number; readonly max: number }> = new Map();
  #isLost = false;

  private constructor(connection: Connection, what: string) {
    this.#connection = connection;
    this.#what = what;
    connection.on('error', () => this.drop());
    connection.on('close', () => this.drop());
  }

  /** @throws SightlineError one of `SL_SINK_*`, or the reason of `signal` */
  static async open(
    { host, port }: BrokerAddress,
    settings: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<BrokerConnection> {
    const what = `Kafka broker ${host}:${port}`;
    const options = await settings.options();
    signal.throwIfAborted();
    const client = new Connection(settings.clientId, {
      ...options,
      // The server name of TLS; an address has none (RFC 6066).
      tlsServerName: isIP(host) === 0,
    });
    const connection = new BrokerConnection(client, what);
    await connection.#within(signal, 'connect to', client.connect(host, port) as Promise<void>);
    const { apiKeys } = await connection.call('ask the versions of', signal, {
      ...{ key: apiVersionsV3.api.key, version: apiVersionsV3.api.version, isFlexible: true },
      request: () => apiVersionsV3.createRequest('sightline', '1'),
      parse: apiVersionsV3.parseResponse,
    });
    connection.#versions = new Map(
      apiKeys.map(({ apiKey, minVersion: min, maxVersion: max }) => [apiKey, { min, max }]),
    );
    return connection;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** The first of `versions` that the broker speaks. @throws SightlineError `SL_SINK_UNAVAILABLE` */
  pick<V extends number>(key: number, name: string, versions: readonly V[]): V {
    const range = this.#versions.get(key);
    const version = versions.find((v) => range !== undefined && v >= range.min && v <= range.max);
    if (version !== undefined) return version;
    throw new SightlineError(
      'SL_SINK_UNAVAILABLE',
      `Cannot speak with ${this.#what}: it has no version of ${name} between ${versions.at(-1)} and ${versions[0]}`,
    );
  }

  /** @param verb as in "Cannot `verb` Kafka broker host:port". @throws SightlineError one of `SL_SINK_*` */
  call<T>(verb: string, signal: AbortSignal, call: Call<T>): Promise<T> {
    const { key, version, isFlexible, request, parse } = call;
    // The answer to ApiVersions never has tagged fields in its header (KIP-511).
    const hasTags = isFlexible && key !== apiVersionsV3.api.key;
    const answered = new Promise<T>((resolve, reject) => {
      const settle = (error: Error | null, value?: T): void => {
        if (error === null) resolve(value as T);
        else reject(error);
      };
      this.#connection.send<T>(key, version, request, parse, isFlexible, hasTags, settle);
    });
    return this.#within(signal, verb, answered);
  }

  drop(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const socket = this.#connection.socket as Connection['socket'] | undefined;
    socket?.on('error', () => undefined);
    void Promise.resolve(this.#connection.close()).catch(() => undefined);
    socket?.destroy();
  }

  /** An answer with error codes leaves the connection usable; whatever else goes wrong ends it. */
  async #within<T>(signal: AbortSignal, verb: string, work: Promise<T>): Promise<T> {
    const cut = (): void => this.drop();
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    try {
      return await work;
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      if (!isAnswer(thrown)) this.drop();
      throw isAnswer(thrown) ? thrown : clientError(thrown, `${verb} ${this.#what}`);
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }
}

interface AnswerError<T> extends Error {
  readonly response: T;
}

/** The client throws answers that hold error codes, with the answer in it. */
export function isAnswer<T = unknown>(thrown: unknown): thrown is AnswerError<T> {
  return (thrown as { code?: unknown } | undefined)?.code === 'PLT_KFK_RESPONSE';
}
