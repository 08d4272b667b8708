import type { ErrorWithReasonCode, IClientOptions, IClientPublishOptions, MqttClient } from 'mqtt';
import mqtt from 'mqtt';
import { type ErrorCode, SightlineError } from '../../common/errors.ts';
import { settlesWithin } from '../../common/waits.ts';

/** Reason codes of MQTT 5 (2.4) and return codes of 3.1.1 (3.2.2.3) that say more than "try again". */
const UNAUTHORIZED = new Set([4, 5, 0x86, 0x87, 0x8c]);
const THROTTLED = new Set([0x89, 0x93, 0x96, 0x97, 0x9f]);
const REJECTED = new Set([0x90, 0x95, 0x99]);
/** MQTT 5, 3.2.2.3.3: what a broker allows that names no limit. */
const MAX_RECEIVE = 65_535;
const CLOSE_LIMIT_MS = 2_000;

/** What the broker said when it took the connection. */
export interface BrokerFacts {
  /** Largest packet it takes; unlimited when it names none. */
  readonly maxPacketBytes: number;
  /** Messages it takes without having answered them. */
  readonly receiveMaximum: number;
  readonly maxQos: 0 | 1 | 2;
  readonly canRetain: boolean;
}

export interface OpenOptions {
  readonly url: string;
  readonly client: IClientOptions;
  /** The broker in messages, without secrets. */
  readonly what: string;
  /** Most messages without an answer; the broker may allow fewer. */
  readonly maxInFlight: number;
}

interface Waiting {
  readonly topic: string;
  readonly body: Buffer;
  readonly options: IClientPublishOptions;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One connection to a broker, as long as it lasts. Publishes wait for the broker's acknowledgement. */
export class MqttConnection {
  readonly #client: MqttClient;
  readonly #what: string;
  readonly #window: number;
  /** On their way, without an answer. */
  readonly #sent = new Set<Waiting>();
  #queue: Waiting[] = [];
  #head = 0;
  #lost: SightlineError | undefined;
  #tellLost: () => void = () => undefined;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly lost: Promise<void>;
  readonly facts: BrokerFacts;

  private constructor(client: MqttClient, facts: BrokerFacts, options: OpenOptions) {
    this.#client = client;
    this.#what = options.what;
    this.#window = Math.min(options.maxInFlight, facts.receiveMaximum);
    this.facts = facts;
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
    client.on('close', () => this.#lose(undefined));
    client.on('error', (error) => this.#lose(error));
    client.on('disconnect', ({ reasonCode }) => this.#lose({ code: reasonCode }));
  }

  /** Ends after the client's `connectTimeout`. @throws SightlineError one of `SL_SINK_*` */
  static async open(options: OpenOptions): Promise<MqttConnection> {
    const { url, what } = options;
    // Reconnecting is not the client's work: one place decides how long to wait.
    const client = mqtt.connect(url, { ...options.client, reconnectPeriod: 0, resubscribe: false });
    try {
      const facts = await new Promise<BrokerFacts>((resolve, reject) => {
        let failure: Error | undefined;
        client.on('error', (error) => {
          failure ??= error;
        });
        client.once('close', () => reject(mqttError(failure, `connect to ${what}`)));
        client.once('connect', ({ properties = {} }) => {
          const { maximumPacketSize, receiveMaximum, maximumQoS, retainAvailable } = properties;
          resolve({
            maxPacketBytes: maximumPacketSize ?? Number.POSITIVE_INFINITY,
            receiveMaximum: receiveMaximum ?? MAX_RECEIVE,
            maxQos: (maximumQoS as 0 | 1 | undefined) ?? 2,
            canRetain: retainAvailable ?? true,
          });
        });
      });
      return new MqttConnection(client, facts, options);
    } catch (error) {
      client.end(true);
      throw error;
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * Resolves with the broker's acknowledgement (of QoS 2 with the last one). Messages leave in the order of the calls;
   * those beyond what may be on its way wait here.
   * @throws SightlineError one of `SL_SINK_*`
   */
  publish(topic: string, payload: Uint8Array, options: IClientPublishOptions): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    return new Promise((resolve, reject) => {
      this.#queue.push({ topic, body, options, resolve, reject });
      this.#pump();
    });
  }

  /** Waits for what is on its way, up to a limit, and takes leave of the broker: no last will. */
  async close(): Promise<void> {
    if (this.isLost || !(await settlesWithin(this.#client.endAsync(false), CLOSE_LIMIT_MS))) {
      this.#client.end(true);
    }
  }

  /** Drops the connection; what is on its way fails, and the broker publishes the last will. */
  abandon(): void {
    this.#lose(undefined);
    this.#client.stream?.destroy();
    this.#client.end(true);
  }

  #pump(): void {
    while (this.#sent.size < this.#window && this.#head < this.#queue.length) {
      this.#send(this.#queue[this.#head++]!);
    }
    if (this.#head < this.#queue.length) return;
    this.#queue = [];
    this.#head = 0;
  }

  #send(waiting: Waiting): void {
    this.#sent.add(waiting);
    this.#client.publish(waiting.topic, waiting.body, waiting.options, (error) => {
      if (!this.#sent.delete(waiting)) return;
      if (error == null) waiting.resolve();
      else waiting.reject(mqttError(error, `publish to ${this.#what}`));
      this.#pump();
    });
  }

  /** The client itself would keep what is on its way for a reconnect that never comes. */
  #lose(reason: unknown): void {
    this.#lost ??= mqttError(reason, `stay with ${this.#what}`);
    for (const { reject } of this.#sent) reject(this.#lost);
    for (const { reject } of this.#queue.slice(this.#head)) reject(this.#lost);
    this.#sent.clear();
    this.#queue = [];
    this.#head = 0;
    this.#tellLost();
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
