import { type Static, Type } from 'typebox';
import { defaulted, oneOf, secretString, strictObject } from '../../common/schema.ts';
import { COMMON, kinds, MESSAGE, Tls } from '../spec-parts.ts';

const TOPIC = '^[^+#\\u0000]+$';

const Qos = Type.Union([Type.Literal(1), Type.Literal(2)], {
  description: '1: at least once. 2: once on a connection, at the price of two more packets',
});

/** Retained `online` and `offline`, also by the last will. */
const StatusSpec = strictObject(
  {
    topic: Type.String({ minLength: 1, maxLength: 1024, pattern: TOPIC }),
  },
  { description: 'Retained JSON that tells whether this server is connected' },
);

const HomeAssistantSpec = strictObject(
  {
    discoveryPrefix: defaulted(
      Type.String({ minLength: 1, maxLength: 256, pattern: TOPIC }),
      'homeassistant',
    ),
    stateTopic: defaulted(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        pattern: TOPIC,
        description: 'Retained state of each stream; {streamId} is filled in',
      }),
      'sightline/{streamId}/state',
    ),
    intervalMs: defaulted(
      Type.Integer({
        minimum: 100,
        maximum: 3_600_000,
        description: 'The state of a stream is published at most this often, when it changed',
      }),
      1_000,
    ),
  },
  { description: 'Entities for Home Assistant by MQTT discovery; needs `status`' },
);

/** MQTT 5 or 3.1.1 with QoS 1 or 2. */
export const MqttSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('mqtt'),
  url: Type.String({ pattern: '^(mqtts?|wss?)://', description: 'mqtt, mqtts, ws or wss' }),
  protocolVersion: defaulted(
    Type.Union([Type.Literal(4), Type.Literal(5)], { description: '4 is MQTT 3.1.1' }),
    5,
  ),
  topic: defaulted(
    Type.String({
      minLength: 1,
      pattern: TOPIC,
      description: '{streamId} and {kind} are filled in; + # / and NUL in them are percent-encoded',
    }),
    'sightline/{streamId}/{kind}s',
  ),
  kinds: kinds(['frame', 'image', 'event', 'segment'], ['frame', 'event']),
  ...MESSAGE,
  qos: defaulted(Qos, 1),
  eventQos: Type.Optional({ ...Qos, description: 'QoS of events. Default: that of `qos`' }),
  retain: defaulted(
    Type.Array(oneOf(['frame', 'image', 'event', 'segment']), {
      uniqueItems: true,
      description: 'Kinds whose last message per topic the broker keeps for new subscribers',
    }),
    [],
  ),
  messageExpiryS: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 0xffff_ffff,
      description: 'After it the broker drops what a subscriber did not fetch (MQTT 5)',
    }),
  ),
  status: Type.Optional(StatusSpec),
  homeAssistant: Type.Optional(HomeAssistantSpec),
  clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  username: Type.Optional(Type.String({ minLength: 1 })),
  password: Type.Optional(secretString()),
  tls: Type.Optional(Tls),
  maxInFlight: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description:
        'Messages without an answer. Default: 1000 where the broker tells how many it takes (MQTT 5), 100 where it does not',
    }),
  ),
  maxPacketBytes: Type.Optional(
    Type.Integer({
      minimum: 256,
      maximum: 268_435_455,
      description: 'Larger ones go to the dead letters. MQTT 5 brokers tell theirs, 3.1.1 does not',
    }),
  ),
  connectTimeoutMs: defaulted(Type.Integer({ minimum: 100, maximum: 60_000 }), 5_000),
});
export type MqttSinkSpec = Static<typeof MqttSinkSpec>;
