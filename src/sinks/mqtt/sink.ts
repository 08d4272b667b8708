import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { EventLog } from '../event-log.ts';
import { Fates } from '../fates.ts';
import { cloudEventHeaders } from '../format/cloud-events.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { TopicTemplate } from '../format/template.ts';
import { Broker } from './broker.ts';
import type { MqttConnection, PublishOptions } from './connection.ts';
import { HomeAssistant } from './home-assistant.ts';
import type { MqttSinkSpec } from './spec.ts';

/** Fixed header, topic length, packet id and the lengths of properties: a safe upper bound. */
const PACKET_OVERHEAD_BYTES = 128;

export interface MqttSinkOptions {
  /** Where relative paths of the TLS files start. */
  readonly baseDir: string;
  readonly logger?: EventLog | undefined;
}

/**
 * Publishes each message with QoS 1 or 2 and takes the broker's last acknowledgement for the delivery. What had none
 * when a connection broke is published again on the next one, with the same record id.
 */
export class MqttSink implements Sink {
  readonly id: string;
  readonly type = 'mqtt';
  readonly kinds: readonly RecordKind[];
  // Large: the last acknowledgements of a batch may wait 40 ms in the broker's socket, and the next batch for them.
  readonly limits = { maxRecords: 4_000, maxBytes: 4 * 1024 * 1024, maxWaitMs: 20 };
  readonly #spec: MqttSinkSpec;
  readonly #formatter: Formatter;
  readonly #topic: TopicTemplate;
  readonly #broker: Broker;
  readonly #home: HomeAssistant | undefined;
  /** With a status the connection is held from then on: a server without records is online too. */
  readonly start?: () => void;

  /** @throws SightlineError `SL_CONFIG_INVALID` for a topic that cannot be published to */
  constructor(spec: MqttSinkSpec, { baseDir, logger }: MqttSinkOptions) {
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#formatter = new Formatter(spec, { headers: spec.protocolVersion === 5 });
    this.#topic = new TopicTemplate(spec.topic);
    this.#home = spec.homeAssistant && new HomeAssistant(spec, spec.homeAssistant);
    this.#broker = new Broker({
      ...{ spec, baseDir, logger },
      onConnected: (connection) => this.#home?.begin(connection),
    });
    if (spec.status !== undefined) this.start = () => this.#broker.keep();
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const connection = await this.#broker.connection(signal);
    const cut = (): void => connection.abandon();
    signal.addEventListener('abort', cut, { once: true });
    try {
      const formatted = await this.#formatter.formatInTurns(batch);
      signal.throwIfAborted();
      const fates = new Fates(batch.length, formatted);
      await this.#publishAll(connection, formatted.messages, fates);
      this.#home?.observe(batch);
      return fates.results();
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  async close(): Promise<void> {
    this.#home?.close();
    await this.#broker.close();
  }

  /** Resolves when the broker has answered to every message, or will not any more. */
  #publishAll(
    connection: MqttConnection,
    messages: readonly Message[],
    fates: Fates,
  ): Promise<void> {
    return new Promise((resolve) => {
      let open = messages.length + 1;
      const one = (): void => {
        if (--open === 0) resolve();
      };
      for (const message of messages) {
        const settle = (error?: Error): void => {
          if (error === undefined) fates.accept(message);
          else fates.fail(message, error);
          one();
        };
        try {
          const topic = this.#topic.fill(message);
          const options = this.#publishOptions(connection, message);
          this.#checkSize(connection, message, topic, options);
          connection.send({ topic, body: message.body, options, settle });
        } catch (thrown) {
          settle(toSightlineError(thrown));
        }
      }
      one();
    });
  }

  #checkSize(
    { facts }: MqttConnection,
    message: Message,
    topic: string,
    options: PublishOptions,
  ): void {
    const { maxPacketBytes = Number.POSITIVE_INFINITY } = this.#spec;
    const most = Math.min(facts.maxPacketBytes, maxPacketBytes);
    if (most !== Number.POSITIVE_INFINITY) checkSize(message, headerBytes(topic, options), most);
  }

  #publishOptions({ facts }: MqttConnection, message: Message): PublishOptions {
    const { qos, eventQos = qos, retain, protocolVersion, messageExpiryS } = this.#spec;
    const { kind, contentType, isText, attributes, cloudEvent } = message;
    const wanted = kind === 'event' ? eventQos : qos;
    const common = {
      qos: Math.min(wanted, facts.maxQos) as 0 | 1 | 2,
      retain: facts.canRetain && retain.includes(kind),
    };
    if (protocolVersion === 4) return common;
    return {
      ...common,
      properties: {
        contentType,
        payloadFormatIndicator: isText,
        ...(messageExpiryS === undefined ? {} : { messageExpiryInterval: messageExpiryS }),
        userProperties:
          cloudEvent === undefined
            ? attributes
            : { ...attributes, ...cloudEventHeaders(message, 'mqtt') },
      },
    };
  }
}

function checkSize({ recordId, body }: Message, headerBytes: number, most: number): void {
  const size = body.byteLength + headerBytes;
  if (size <= most) return;
  throw new SightlineError(
    'SL_SINK_REJECTED',
    `Cannot publish ${recordId}: about ${size} bytes are above the ${most} that may be sent`,
  );
}

function headerBytes(topic: string, { properties }: PublishOptions): number {
  let bytes = PACKET_OVERHEAD_BYTES + Buffer.byteLength(topic);
  bytes += Buffer.byteLength(properties?.contentType ?? '');
  for (const [name, value] of Object.entries(properties?.userProperties ?? {})) {
    bytes += 5 + name.length + Buffer.byteLength(String(value));
  }
  return bytes;
}
