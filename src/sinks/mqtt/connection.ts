import type { ErrorWithReasonCode, IClientOptions, IClientPublishOptions, MqttClient } from 'mqtt';
import mqtt from 'mqtt';
import { type ErrorCode, SightlineError } from '../../common/errors.ts';

/** Reason codes of MQTT 5 (2.4) and return codes of 3.1.1 (3.2.2.3) that say more than "try again". */
const UNAUTHORIZED = new Set([4, 5, 0x86, 0x87, 0x8c]);
const THROTTLED = new Set([0x89, 0x93, 0x96, 0x97, 0x9f]);
const REJECTED = new Set([0x90, 0x95, 0x99]);

/** One connection to a broker, as long as it lasts. Publishes wait for the broker's acknowledgement. */
export class MqttConnection {
  readonly #client: MqttClient;
  readonly #what: string;
  readonly #waiting = new Set<(error: SightlineError) => void>();
  #lost: SightlineError | undefined;
  /** Largest packet the broker takes; unlimited when it names none. */
  readonly maxPacketBytes: number;

  private constructor(client: MqttClient, what: string, maxPacketBytes: number) {
    this.#client = client;
    this.#what = what;
    this.maxPacketBytes = maxPacketBytes;
    client.on('close', () => this.#lose(undefined));
    client.on('error', (error) => this.#lose(error));
  }

  /** @param what the broker in messages, without secrets. @throws SightlineError one of `SL_SINK_*` */
  static async open(
    url: string,
    options: IClientOptions,
    what: string,
    signal: AbortSignal,
  ): Promise<MqttConnection> {
    // Reconnecting is the delivery loop's work: one place decides how long to wait.
    const client = mqtt.connect(url, { ...options, reconnectPeriod: 0, resubscribe: false });
    const connected = new Promise<number>((resolve, reject) => {
      let failure: Error | undefined;
      client.on('error', (error) => {
        failure ??= error;
      });
      client.once('close', () => reject(mqttError(failure, `connect to ${what}`)));
      client.once('connect', ({ properties }) => {
        resolve(properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY);
      });
    });
    connected.catch(() => undefined);
    const cut = (): void => void client.end(true);
    signal.addEventListener('abort', cut, { once: true });
    try {
      signal.throwIfAborted();
      return new MqttConnection(client, what, await connected);
    } catch (error) {
      client.end(true);
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Resolves with the broker's acknowledgement. @throws SightlineError one of `SL_SINK_*` */
  publish(topic: string, payload: Uint8Array, options: IClientPublishOptions): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#client.publish(topic, body, options, (error) => {
        this.#waiting.delete(reject);
        if (error == null) resolve();
        else reject(mqttError(error, `publish to ${this.#what}`));
      });
    });
  }

  async close(): Promise<void> {
    if (this.isLost) this.#client.end(true);
    else await this.#client.endAsync(false).catch(() => this.#client.end(true));
  }

  /** Drops the connection; what is on its way fails. */
  abandon(): void {
    this.#lose(undefined);
    this.#client.end(true);
  }

  /** The client itself would keep what is on its way for a reconnect that never comes. */
  #lose(error: Error | undefined): void {
    this.#lost ??= mqttError(error, `stay with ${this.#what}`);
    for (const reject of this.#waiting) reject(this.#lost);
    this.#waiting.clear();
  }
}

function mqttError(thrown: unknown, what: string): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  const { code, message } = (thrown ?? {}) as Partial<ErrorWithReasonCode> & { code?: unknown };
  const reason = code ?? message ?? 'connection closed';
  return new SightlineError(codeOf(code), `Cannot ${what} (${String(reason)})`, {
    cause: thrown,
    details: { reason },
  });
}

function codeOf(code: unknown): ErrorCode {
  if (typeof code !== 'number') return 'SL_SINK_UNAVAILABLE';
  if (UNAUTHORIZED.has(code)) return 'SL_SINK_UNAUTHORIZED';
  if (THROTTLED.has(code)) return 'SL_SINK_THROTTLED';
  return REJECTED.has(code) ? 'SL_SINK_REJECTED' : 'SL_SINK_UNAVAILABLE';
}
