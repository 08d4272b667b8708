import type { ErrorWithReasonCode, IClientOptions, IClientPublishOptions, MqttClient } from 'mqtt';
import mqtt from 'mqtt';
import { type ErrorCode, SightlineError } from '../common/errors.ts';

/** Reason codes of MQTT 5 (2.4) and return codes of 3.1.1 (3.2.2.3) that say more than "try again". */
const UNAUTHORIZED = new Set([4, 5, 0x86, 0x87, 0x8c]);
const THROTTLED = new Set([0x89, 0x93, 0x96, 0x97, 0x9f]);
const REJECTED = new Set([0x90, 0x95, 0x99]);

/** One connection to a broker, as long as it lasts. Publishes wait for the broker's acknowledgement. */
export class MqttConnection {
  readonly #client: MqttClient;
  readonly #what: string;
  readonly #lost = new AbortController();
  /** Largest packet the broker takes; unlimited when it names none. */
  readonly maxPacketBytes: number;

  private constructor(client: MqttClient, what: string, maxPacketBytes: number) {
    this.#client = client;
    this.#what = what;
    this.maxPacketBytes = maxPacketBytes;
    const lose = (error?: Error): void => this.#lost.abort(mqttError(error, `stay with ${what}`));
    client.on('close', () => lose());
    client.on('error', lose);
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
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
    });
    try {
      return new MqttConnection(client, what, await connected);
    } catch (error) {
      client.end(true);
      throw error;
    }
  }

  get isLost(): boolean {
    return this.#lost.signal.aborted;
  }

  /** Resolves with the broker's acknowledgement. @throws SightlineError one of `SL_SINK_*` */
  publish(
    topic: string,
    payload: Uint8Array,
    options: IClientPublishOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const cut = AbortSignal.any([signal, this.#lost.signal]);
    return new Promise((resolve, reject) => {
      if (cut.aborted) {
        reject(cut.reason as Error);
        return;
      }
      const onCut = (): void => reject(cut.reason as Error);
      cut.addEventListener('abort', onCut, { once: true });
      const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      this.#client.publish(topic, body, options, (error) => {
        cut.removeEventListener('abort', onCut);
        if (error == null) resolve();
        else reject(mqttError(error, `publish to ${this.#what}`));
      });
    });
  }

  async close(): Promise<void> {
    if (this.isLost) {
      this.#client.end(true);
      return;
    }
    await this.#client.endAsync(false).catch(() => this.#client.end(true));
  }

  /** Drops the connection, with whatever is on its way. */
  abandon(): void {
    this.#client.end(true);
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
