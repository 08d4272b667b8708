import { Socket } from 'node:net';
import type { ErrorWithReasonCode, IClientOptions, MqttClient } from 'mqtt';
import mqtt from 'mqtt';
import { type ErrorCode, SightlineError } from '../../common/errors.ts';
import { settlesWithin } from '../../common/waits.ts';
import { type PublishProperties, PublishWriter } from './publish-writer.ts';

/** Reason codes of MQTT 5 (2.4) and return codes of 3.1.1 (3.2.2.3) that say more than "try again". */
const UNAUTHORIZED = new Set([4, 5, 0x86, 0x87, 0x8c]);
const THROTTLED = new Set([0x89, 0x93, 0x96, 0x97, 0x9f]);
const REJECTED = new Set([0x90, 0x95, 0x99]);
/** MQTT 5, 3.2.2.3.3: what a broker allows that names no limit. */
const MAX_RECEIVE = 65_535;
/** MQTT 5, 2.4: from here on a reason code is a failure. */
const FIRST_FAILURE = 0x80;
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

export interface PublishOptions {
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties?: PublishProperties;
}

export interface Outgoing {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly options: PublishOptions;
  /** Called once: with the broker's acknowledgement (of QoS 2 the last one), or with one of `SL_SINK_*`. */
  readonly settle: (error?: SightlineError) => void;
}

/**
 * One connection to a broker, as long as it lasts. It is the client's: keep-alive, answers, QoS 0 and 2. Messages with QoS 1
 * go past the client into its stream, with identifiers of the client; what belongs to those is told by their answers.
 */
export class MqttConnection {
  readonly #client: MqttClient;
  readonly #what: string;
  readonly #window: number;
  readonly #writer: PublishWriter;
  /** On their way, without an answer: past the client by identifier, and through it. */
  readonly #written = new Map<number, Outgoing>();
  readonly #handed = new Set<Outgoing>();
  #queue: Outgoing[] = [];
  #head = 0;
  #isPumpDue = false;
  #tellIdle: (() => void) | undefined;
  #lost: SightlineError | undefined;
  #tellLost: () => void = () => undefined;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly lost: Promise<void>;
  readonly facts: BrokerFacts;

  private constructor(client: MqttClient, facts: BrokerFacts, options: OpenOptions) {
    this.#client = client;
    this.#what = options.what;
    this.#window = Math.min(options.maxInFlight, facts.receiveMaximum);
    const { stream } = client;
    // A message that the kernel holds back until the broker has answered the ones before, while the broker's kernel holds
    // its answers back for ours, costs 40 ms each time. Web sockets see to that themselves.
    if (stream instanceof Socket) stream.setNoDelay(true);
    this.#writer = new PublishWriter(options.client.protocolVersion === 4 ? 4 : 5);
    this.facts = facts;
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback')
        this.#acknowledged(packet.messageId ?? 0, packet.reasonCode ?? 0);
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

  /** Messages leave in the order of the calls, soon; those beyond what may be on its way wait here. */
  send(outgoing: Outgoing): void {
    if (this.#lost !== undefined) {
      outgoing.settle(this.#lost);
      return;
    }
    this.#queue.push(outgoing);
    this.#pumpSoon();
  }

  /**
   * Resolves with the broker's acknowledgement.
   * @throws SightlineError one of `SL_SINK_*`
   */
  publish(topic: string, body: Uint8Array, options: PublishOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: SightlineError): void => {
        if (error === undefined) resolve();
        else reject(error);
      };
      this.send({ topic, body, options, settle });
    });
  }

  /** Waits for what is on its way, up to a limit, and takes leave of the broker: no last will. */
  async close(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#tellIdle = resolve;
      this.#checkIdle();
    });
    const isIdle = !this.isLost && (await settlesWithin(idle, CLOSE_LIMIT_MS));
    if (!isIdle || !(await settlesWithin(this.#client.endAsync(false), CLOSE_LIMIT_MS))) {
      this.#client.end(true);
    }
  }

  /** Drops the connection; what is on its way fails, and the broker publishes the last will. */
  abandon(): void {
    this.#lose(undefined);
    this.#client.stream?.destroy();
    this.#client.end(true);
  }

  /** Answers come many at a time, and so do calls: what they make room for leaves in one write. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    setImmediate(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#onTheirWay < this.#window && this.#head < this.#queue.length) {
      const next = this.#queue[this.#head++]!;
      if (next.options.qos === 1) this.#write(next);
      else this.#hand(next);
    }
    this.#flush();
    if (this.#head < this.#queue.length) return;
    this.#queue = [];
    this.#head = 0;
    this.#checkIdle();
  }

  get #onTheirWay(): number {
    return this.#written.size + this.#handed.size;
  }

  #checkIdle(): void {
    if (this.#onTheirWay === 0 && this.#queue.length === 0) this.#tellIdle?.();
  }

  #write(outgoing: Outgoing): void {
    let id = this.#client.messageIdProvider.allocate();
    while (id !== null && this.#written.has(id)) id = this.#client.messageIdProvider.allocate();
    if (id !== null && this.#writer.add(outgoing, id)) {
      this.#written.set(id, outgoing);
      return;
    }
    const message = `Cannot publish to ${outgoing.topic}: a text of its properties is too long`;
    outgoing.settle(new SightlineError('SL_SINK_REJECTED', message));
  }

  /** Before the client writes, too: the stream keeps the order. */
  #flush(): void {
    const { stream } = this.#client;
    for (const part of this.#writer.take()) stream.write(part);
  }

  #acknowledged(id: number, reasonCode: number): void {
    const outgoing = this.#written.get(id);
    if (outgoing === undefined) return;
    this.#written.delete(id);
    outgoing.settle(
      reasonCode < FIRST_FAILURE
        ? undefined
        : mqttError({ code: reasonCode }, `publish to ${this.#what}`),
    );
    this.#pumpSoon();
  }

  #hand(outgoing: Outgoing): void {
    const { topic, body, options } = outgoing;
    this.#handed.add(outgoing);
    this.#flush();
    // Without an acknowledgement it may still be on its way when the memory of the batch is used again.
    const isUnheard = options.qos === 0;
    const payload = isUnheard
      ? Buffer.from(body)
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#client.publish(topic, payload, options, (error) => {
      if (!this.#handed.delete(outgoing)) return;
      outgoing.settle(error == null ? undefined : mqttError(error, `publish to ${this.#what}`));
      this.#pumpSoon();
    });
  }

  /** The client itself would keep what is on its way for a reconnect that never comes. */
  #lose(reason: unknown): void {
    this.#lost ??= mqttError(reason, `stay with ${this.#what}`);
    const open = [...this.#written.values(), ...this.#handed, ...this.#queue.slice(this.#head)];
    this.#written.clear();
    this.#handed.clear();
    this.#queue = [];
    this.#head = 0;
    for (const { settle } of open) settle(this.#lost);
    this.#tellIdle?.();
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
