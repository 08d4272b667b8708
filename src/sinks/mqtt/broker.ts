import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { IClientOptions } from 'mqtt';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { redactUrl } from '../../common/redact-url.ts';
import { fullJitterMs } from '../../common/retry.ts';
import { Secret } from '../../common/secret.ts';
import { settlesWithin } from '../../common/waits.ts';
import type { EventLog } from '../event-log.ts';
import type { MqttConnection } from './connection.ts';
import type { MqttSinkSpec } from './spec.ts';

const KEEP_ALIVE_S = 30;
const CLOSE_LIMIT_MS = 2_000;
/** MQTT 5 brokers tell how many they take; of others some take no more than this. */
const IN_FLIGHT = { 4: 100, 5: 1000 } as const;

export interface BrokerOptions {
  readonly spec: MqttSinkSpec;
  /** Where relative paths of the TLS files start. */
  readonly baseDir: string;
  readonly logger?: EventLog | undefined;
  /** Called with every new connection, after its status went out. */
  readonly onConnected?: (connection: MqttConnection) => void;
}

/** The connection a sink has at the moment, made when it is asked for or, with `keep`, whenever there is none. */
export class Broker {
  readonly #spec: MqttSinkSpec;
  readonly #options: BrokerOptions;
  readonly #password: Secret | undefined;
  readonly #closed = new AbortController();
  #connection: MqttConnection | undefined;
  #opening: Promise<MqttConnection> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(options: BrokerOptions) {
    const { password } = options.spec;
    this.#spec = options.spec;
    this.#options = options;
    this.#password = password === undefined ? undefined : new Secret(password);
  }

  /** The broker in messages, without secrets. */
  get what(): string {
    return `MQTT broker ${redactUrl(this.#spec.url)}`;
  }

  /** @throws SightlineError one of `SL_SINK_*`, or the reason of `signal` */
  async connection(signal: AbortSignal): Promise<MqttConnection> {
    if (this.#connection !== undefined && !this.#connection.isLost) return this.#connection;
    signal.throwIfAborted();
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return untilAborted(this.#opening, signal);
  }

  /** From now on a lost connection is made anew without anybody asking, so that its status is right. */
  keep(): void {
    this.#keeping ??= this.#keep();
  }

  async close(): Promise<void> {
    if (!this.#closed.signal.aborted) {
      this.#closed.abort(new SightlineError('SL_CLOSED', `Sink ${this.#spec.id} was closed`));
    }
    await this.#opening?.catch(() => undefined);
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) await this.#leave(connection);
    await this.#keeping;
  }

  async #open(): Promise<MqttConnection> {
    this.#closed.signal.throwIfAborted();
    const { url, protocolVersion } = this.#spec;
    const maxInFlight = this.#spec.maxInFlight ?? IN_FLIGHT[protocolVersion];
    const client = await this.#clientOptions();
    // Where the sink is made to be looked at only, mqtt.js is not needed.
    const { MqttConnection } = await import('./connection.ts');
    const connection = await MqttConnection.open({ url, client, what: this.what, maxInFlight });
    this.#connection = connection;
    this.#warnOf(connection);
    void this.#publishStatus(connection, 'online');
    this.#options.onConnected?.(connection);
    return connection;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closed;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const connection = await this.connection(signal);
        attempt = 0;
        await untilAborted(connection.lost, signal);
      } catch (error) {
        if (signal.aborted) return;
        const { code, message } = toSightlineError(error);
        this.#options.logger?.debug({ sink: this.#spec.id, code, reason: message }, 'sink.away');
      }
      await pause(fullJitterMs(attempt + 1, { baseMs: 250 }), signal);
    }
  }

  /** A clean end says so itself: the broker drops the last will of who takes leave. */
  async #leave(connection: MqttConnection): Promise<void> {
    if (this.#spec.status !== undefined) {
      const told = this.#publishStatus(connection, 'offline');
      if (!(await settlesWithin(told, CLOSE_LIMIT_MS)) || !(await told)) {
        connection.abandon();
        return;
      }
    }
    await connection.close();
  }

  /** True when the broker has it. */
  async #publishStatus(connection: MqttConnection, status: Status): Promise<boolean> {
    const { status: spec } = this.#spec;
    if (spec === undefined) return true;
    const retain = connection.facts.canRetain;
    const qos = connection.facts.maxQos === 0 ? 0 : 1;
    try {
      await connection.publish(spec.topic, statusPayload(status), { qos, retain });
      return true;
    } catch (error) {
      const { code, message } = toSightlineError(error);
      this.#options.logger?.warn(
        { sink: this.#spec.id, code, reason: message },
        'sink.status.failed',
      );
      return false;
    }
  }

  #warnOf({ facts }: MqttConnection): void {
    const { id, qos, eventQos = qos, retain, status } = this.#spec;
    const wantsRetain = retain.length > 0 || status !== undefined;
    const reason =
      facts.maxQos < Math.max(qos, eventQos)
        ? `${this.what} takes QoS ${facts.maxQos} at most: messages are sent with that`
        : wantsRetain && !facts.canRetain
          ? `${this.what} retains nothing: new subscribers wait for the next message`
          : undefined;
    if (reason !== undefined) this.#options.logger?.warn({ sink: id, reason }, 'sink.limited');
  }

  async #clientOptions(): Promise<IClientOptions> {
    const { protocolVersion, connectTimeoutMs, clientId, username, tls, status } = this.#spec;
    return {
      protocolVersion,
      connectTimeout: connectTimeoutMs,
      keepalive: KEEP_ALIVE_S,
      clean: true,
      // Its own log costs more than a tenth of a publish, also while nobody reads it.
      log: () => undefined,
      ...(clientId === undefined ? {} : { clientId }),
      ...(username === undefined ? {} : { username }),
      ...(this.#password === undefined ? {} : { password: this.#password.reveal() }),
      ...(status === undefined
        ? {}
        : {
            will: { topic: status.topic, payload: statusPayload('offline'), qos: 1, retain: true },
          }),
      ...(tls === undefined ? {} : await this.#tlsOptions(tls)),
    };
  }

  async #tlsOptions(tls: NonNullable<MqttSinkSpec['tls']>): Promise<IClientOptions> {
    const { caFile, certFile, keyFile, rejectUnauthorized } = tls;
    const [ca, cert, key] = await Promise.all(
      [caFile, certFile, keyFile].map((f) => this.#read(f)),
    );
    return {
      rejectUnauthorized,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  }

  async #read(file: string | undefined): Promise<Buffer | undefined> {
    if (file === undefined) return undefined;
    const path = resolve(this.#options.baseDir, file);
    try {
      return await readFile(path);
    } catch (cause) {
      const message = `Cannot read the TLS file ${path} of sink ${this.#spec.id}`;
      throw new SightlineError('SL_SINK_UNAVAILABLE', message, { cause });
    }
  }
}

type Status = 'online' | 'offline';

function statusPayload(status: Status): Buffer {
  return Buffer.from(JSON.stringify({ status }));
}

/** Settles as `promise`, or rejects with the reason of `signal` when that is first. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Ends early with `signal`. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
