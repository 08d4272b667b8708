import { type Static, Type } from 'typebox';
import {
  defaulted,
  idString,
  oneOf,
  secretString,
  strictObject,
  tagged,
} from '../../../common/schema.ts';
import { KafkaSinkSpec } from '../../../sinks/kafka/spec.ts';
import { AWS, Tls } from '../../../sinks/spec-parts.ts';

// Where frames come from that other servers made: what their sinks have sent. Schemas alone.

const id = idString();
const username = Type.Optional(Type.String({ minLength: 1 }));
const connectTimeoutMs = defaulted(Type.Integer({ minimum: 100, maximum: 60_000 }), 5_000);

export const SqsInputSpec = strictObject({
  id,
  type: Type.Literal('sqs', { description: 'A message is deleted when its events are stored' }),
  ...AWS,
  queue: Type.String({ minLength: 1, maxLength: 2048, description: 'Name or URL' }),
  concurrency: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 10,
      description: 'Messages at a time; more than 1 can turn the frames of a stream around',
    }),
    1,
  ),
  visibilityTimeoutS: defaulted(Type.Integer({ minimum: 3, maximum: 43_200 }), 30),
});

export const KafkaInputSpec = strictObject({
  id,
  type: Type.Literal('kafka', {
    description: 'Offsets are committed when their events are stored',
  }),
  brokers: KafkaSinkSpec.properties.brokers,
  sasl: KafkaSinkSpec.properties.sasl,
  tls: KafkaSinkSpec.properties.tls,
  topics: defaulted(
    Type.Array(Type.String({ pattern: '^[A-Za-z0-9._-]{1,249}$' }), { minItems: 1, maxItems: 100 }),
    ['sightline.frames'],
  ),
  groupId: defaulted(Type.String({ minLength: 1, maxLength: 256 }), 'sightline-react'),
  from: defaulted(
    oneOf(['latest', 'earliest'], {
      description: 'Where a group begins that has read nothing yet',
    }),
    'latest',
  ),
  connectTimeoutMs,
});

export const MqttInputSpec = strictObject({
  id,
  type: Type.Literal('mqtt', {
    description:
      'A durable session with QoS 1: a message is acknowledged when its events are stored',
  }),
  url: Type.String({ pattern: '^(mqtts?|wss?)://' }),
  protocolVersion: defaulted(
    Type.Union([Type.Literal(4), Type.Literal(5)], { description: '4 is MQTT 3.1.1' }),
    5,
  ),
  topic: defaulted(Type.String({ minLength: 1, maxLength: 1024 }), 'sightline/+/frames'),
  clientId: Type.Optional(
    Type.String({ minLength: 1, maxLength: 256, description: 'Default: sightline-react-<id>' }),
  ),
  username,
  password: Type.Optional(secretString()),
  tls: Type.Optional(Tls),
  connectTimeoutMs,
});

export const AmqpInputSpec = strictObject({
  id,
  type: Type.Literal('amqp', {
    description: 'A message is acknowledged when its events are stored',
  }),
  url: Type.String({ pattern: '^amqps?://' }),
  queue: Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'Durable; made when it is not there and `exchange` is given',
  }),
  exchange: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The queue is bound to it' }),
  ),
  routingKey: defaulted(Type.String({ maxLength: 255, description: 'Of the binding' }), '#'),
  username: defaulted(Type.String({ minLength: 1 }), 'guest'),
  password: Type.Optional(secretString()),
  passwordFile: Type.Optional(Type.String({ minLength: 1 })),
  tls: Type.Optional(Tls),
  heartbeatS: defaulted(Type.Integer({ minimum: 1, maximum: 600 }), 10),
  connectTimeoutMs,
});

export const InputSpec = tagged('type', [
  SqsInputSpec,
  KafkaInputSpec,
  MqttInputSpec,
  AmqpInputSpec,
]);
export type InputSpec = Static<typeof InputSpec>;
export type SpecOf<T extends InputSpec['type']> = Extract<InputSpec, { readonly type: T }>;
