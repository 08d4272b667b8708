import { type Static, Type } from 'typebox';
import { defaulted, secretString, strictObject } from '../../common/schema.ts';
import { COMMON, kinds, MESSAGE, Tls } from '../spec-parts.ts';

/** MQTT 5 or 3.1.1 with QoS 1. */
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
      pattern: '^[^+#\\u0000]+$',
      description: '{streamId} and {kind} are filled in; + # / and NUL in them are percent-encoded',
    }),
    'sightline/{streamId}/{kind}s',
  ),
  kinds: kinds(['frame', 'image', 'event'], ['frame', 'event']),
  ...MESSAGE,
  clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  username: Type.Optional(Type.String({ minLength: 1 })),
  password: Type.Optional(secretString()),
  tls: Type.Optional(Tls),
  maxInFlight: defaulted(Type.Integer({ minimum: 1, maximum: 10_000 }), 100),
  connectTimeoutMs: defaulted(Type.Integer({ minimum: 100, maximum: 60_000 }), 5_000),
});
export type MqttSinkSpec = Static<typeof MqttSinkSpec>;
