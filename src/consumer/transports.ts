import type { RawAttributes } from './attributes.ts';
import { decodeMessage } from './decode.ts';
import type { SightlineRecord } from './records.ts';

// What the usual clients hand over, by shape: none of them is loaded here.

/** A message of kafkajs, Confluent's client, node-rdkafka or @platformatic/kafka. */
export interface KafkaMessage {
  /** null: a tombstone, in which there is nothing. */
  readonly value: Uint8Array | string | null;
  readonly headers?: RawAttributes | undefined;
}

/** The packet of mqtt.js' `message` event. MQTT 3.1.1 has no properties. */
export interface MqttPacket {
  readonly properties?:
    | {
        readonly contentType?: string | undefined;
        readonly userProperties?: Readonly<Record<string, unknown>> | null | undefined;
      }
    | undefined;
}

/** A message of amqplib. */
export interface AmqpMessage {
  readonly content: Uint8Array;
  readonly properties: {
    readonly contentType?: unknown;
    readonly headers?: Readonly<Record<string, unknown>> | undefined;
  };
}

/** @throws SightlineError `SL_MESSAGE_INVALID` as `decodeMessage` */
export function fromKafka({ value, headers }: KafkaMessage): SightlineRecord[] {
  return value === null ? [] : decodeMessage(value, headers);
}

/** @throws SightlineError `SL_MESSAGE_INVALID` as `decodeMessage` */
export function fromMqtt(payload: Uint8Array, packet: MqttPacket = {}): SightlineRecord[] {
  const { contentType, userProperties } = packet.properties ?? {};
  return decodeMessage(payload, { ...userProperties, contentType });
}

/** @throws SightlineError `SL_MESSAGE_INVALID` as `decodeMessage` */
export function fromAmqp({ content, properties }: AmqpMessage): SightlineRecord[] {
  const { contentType, headers } = properties;
  return decodeMessage(content, { ...headers, contentType });
}

/** A request of the webhook sink. @throws SightlineError `SL_MESSAGE_INVALID` as `decodeMessage` */
export function fromHttp(
  body: Uint8Array | string,
  headers: Readonly<Record<string, unknown>>,
): SightlineRecord[] {
  return decodeMessage(body, headers);
}
