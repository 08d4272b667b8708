import { type Static, Type } from 'typebox';
import {
  defaulted,
  idString,
  oneOf,
  secretString,
  strictObject,
  tagged,
} from '../common/schema.ts';

// What a configuration says about a sink. Schemas alone: reading a configuration must not load any client library.

const MIB = 1024 * 1024;

const COMMON = {
  id: idString(),
  required: defaulted(
    Type.Boolean({
      description:
        'false: best effort, its backlog is shed first when the outbox outgrows its bounds',
    }),
    true,
  ),
};

function kinds<const K extends readonly ('frame' | 'image' | 'event')[]>(
  allowed: K,
  preset: K[number][],
) {
  return defaulted(
    Type.Array(oneOf(allowed), { minItems: 1, description: 'Which records it takes' }),
    preset,
  );
}

const Format = defaulted(
  oneOf(['protobuf', 'json'], {
    description: 'sightline.v1.Frame as bytes or in its JSON mapping',
  }),
  'protobuf',
);

const AWS = {
  region: Type.Optional(
    Type.String({ minLength: 1, description: 'Default: AWS_REGION, then us-east-1' }),
  ),
  endpoint: Type.Optional(
    Type.String({ pattern: '^https?://', description: 'Of a server other than AWS' }),
  ),
  credentials: Type.Optional(
    strictObject(
      {
        accessKeyId: Type.String({ minLength: 1 }),
        secretAccessKey: secretString(),
        sessionToken: Type.Optional(secretString()),
      },
      { description: "Default: the SDK's own chain (environment, profile, instance role)" },
    ),
  ),
};

/** Local files: NDJSON and length-delimited protobuf per stream and hour, pictures beside them. */
export const FileSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('file'),
  dir: Type.String({ minLength: 1, description: 'Relative to the configuration file' }),
  kinds: kinds(['frame', 'image', 'event'], ['frame', 'image', 'event']),
  formats: defaulted(
    Type.Array(oneOf(['ndjson', 'protobuf']), { minItems: 1, uniqueItems: true }),
    ['ndjson', 'protobuf'],
  ),
  maxFileBytes: defaulted(Type.Integer({ minimum: 4096 }), 64 * MIB),
  maxFileAgeMs: defaulted(Type.Integer({ minimum: 1000 }), 3_600_000),
  maxWaitMs: defaulted(
    Type.Integer({ minimum: 0, maximum: 60_000, description: 'How long records gather' }),
    2_000,
  ),
});
export type FileSinkSpec = Static<typeof FileSinkSpec>;

/** S3 or a store that speaks its protocol: pictures as objects. */
export const S3SinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('s3'),
  ...AWS,
  bucket: Type.String({ minLength: 3, maxLength: 63 }),
  prefix: defaulted(Type.String({ maxLength: 512, description: 'Put before each key' }), ''),
  forcePathStyle: Type.Optional(
    Type.Boolean({ description: 'Default: true with an endpoint of your own, else false' }),
  ),
  concurrency: defaulted(Type.Integer({ minimum: 1, maximum: 50 }), 8),
});
export type S3SinkSpec = Static<typeof S3SinkSpec>;

/** SQS: one message per record; too big a record goes to S3 by reference. */
export const SqsSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('sqs'),
  ...AWS,
  queue: Type.String({ minLength: 1, description: 'Name or URL' }),
  // Who reads frames from a queue must not meet JSON there unless it was asked for.
  kinds: kinds(['frame', 'event'], ['frame']),
  format: Format,
  concurrency: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 50,
      description: 'Requests at a time; FIFO queues get one',
    }),
    4,
  ),
  claimCheck: Type.Optional(
    strictObject(
      {
        bucket: Type.String({ minLength: 3, maxLength: 63 }),
        prefix: defaulted(Type.String({ maxLength: 512 }), 'claims/'),
      },
      {
        description:
          'Where records above the limit of the queue go; without it they are dead letters',
      },
    ),
  ),
});
export type SqsSinkSpec = Static<typeof SqsSinkSpec>;

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
  format: Format,
  clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  username: Type.Optional(Type.String({ minLength: 1 })),
  password: Type.Optional(secretString()),
  tls: Type.Optional(
    strictObject({
      caFile: Type.Optional(Type.String({ minLength: 1 })),
      certFile: Type.Optional(Type.String({ minLength: 1 })),
      keyFile: Type.Optional(Type.String({ minLength: 1 })),
      rejectUnauthorized: defaulted(Type.Boolean(), true),
    }),
  ),
  maxInFlight: defaulted(Type.Integer({ minimum: 1, maximum: 10_000 }), 100),
  connectTimeoutMs: defaulted(Type.Integer({ minimum: 100, maximum: 60_000 }), 5_000),
});
export type MqttSinkSpec = Static<typeof MqttSinkSpec>;

/** Any sink, told apart by `type`. */
export const SinkSpec = tagged('type', [FileSinkSpec, S3SinkSpec, SqsSinkSpec, MqttSinkSpec]);
export type SinkSpec = Static<typeof SinkSpec>;
