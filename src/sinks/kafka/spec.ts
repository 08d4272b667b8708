import { type Static, Type } from 'typebox';
import { defaulted, oneOf, secretString, strictObject } from '../../common/schema.ts';
import { COMMON, kinds, MESSAGE, MIB, Tls } from '../spec-parts.ts';

/** A producer of Apache Kafka (2.4 and newer) and what speaks its protocol. */
export const KafkaSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('kafka'),
  brokers: Type.Array(
    Type.String({ pattern: '^(\\[[0-9A-Fa-f:]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$' }),
    { minItems: 1, maxItems: 32, description: 'host:port of some brokers; they name the others' },
  ),
  clientId: defaulted(Type.String({ minLength: 1, maxLength: 256 }), 'sightline'),
  topic: defaulted(
    Type.String({
      pattern: '^[A-Za-z0-9._{}-]{1,249}$',
      description:
        '{streamId} and {kind} are filled in; what Kafka does not take in them becomes _. It must exist',
    }),
    'sightline.{kind}s',
  ),
  key: defaulted(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'Records of one key stay in order. {streamId} and {kind} are filled in',
    }),
    '{streamId}',
  ),
  kinds: kinds(['frame', 'image', 'event', 'segment'], ['frame', 'event']),
  ...MESSAGE,
  acks: defaulted(
    oneOf(['all', 'leader'], {
      description: 'all: every in-sync replica has a record before it counts as delivered',
    }),
    'all',
  ),
  idempotent: defaulted(
    Type.Boolean({
      description: 'A resend within one attempt is stored once. Needs acks: all',
    }),
    true,
  ),
  compression: defaulted(
    oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd'], {
      description: 'zstd needs Node 22.15 or newer',
    }),
    'none',
  ),
  sasl: Type.Optional(
    strictObject({
      mechanism: oneOf(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']),
      username: Type.String({ minLength: 1 }),
      password: Type.Optional(secretString()),
      passwordFile: Type.Optional(
        Type.String({
          minLength: 1,
          description: 'Instead of password; read anew with each connection',
        }),
      ),
    }),
  ),
  tls: Type.Optional(Tls),
  maxBatchBytes: Type.Optional(
    Type.Integer({
      minimum: 1024,
      maximum: 64 * MIB,
      description:
        'Of one write to a partition. Default: max.message.bytes of the topic, 1 MiB where it may not be read',
    }),
  ),
  connectTimeoutMs: defaulted(Type.Integer({ minimum: 100, maximum: 60_000 }), 5_000),
  requestTimeoutMs: defaulted(
    Type.Integer({ minimum: 100, maximum: 60_000, description: 'Of one answer of a broker' }),
    10_000,
  ),
});
export type KafkaSinkSpec = Static<typeof KafkaSinkSpec>;
