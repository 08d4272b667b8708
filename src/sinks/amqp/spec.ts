import { type Static, Type } from 'typebox';
import { defaulted, oneOf, secretString, strictObject } from '../../common/schema.ts';
import { COMMON, kinds, MESSAGE, MIB, Tls } from '../spec-parts.ts';

/** Where a broker is and who asks: of sinks and of queues that are read. */
export const AMQP_LOGIN = {
  url: Type.String({
    pattern: '^amqps?://[^/?#@]+(/[^/?#]*)?$',
    description: 'amqp://host:port/vhost, or amqps. No user in it; a / in the vhost is %2F',
  }),
  username: defaulted(Type.String({ minLength: 1 }), 'guest'),
  password: Type.Optional(secretString({ description: 'Default: guest' })),
  passwordFile: Type.Optional(
    Type.String({ minLength: 1, description: 'Instead of password; read anew each time' }),
  ),
};

/** A publisher of AMQP 0-9-1 with confirms, as RabbitMQ gives them. */
export const AmqpSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('amqp'),
  ...AMQP_LOGIN,
  exchange: defaulted(
    Type.String({
      maxLength: 255,
      description: 'Placeholders as in routingKey. Empty: the default exchange',
    }),
    'amq.topic',
  ),
  routingKey: defaulted(
    Type.String({
      maxLength: 1024,
      description:
        '{streamId}, {kind} and more are filled in; . # * and % in them are percent-encoded',
    }),
    'sightline.{kind}s.{streamId}',
  ),
  kinds: kinds(['frame', 'image', 'event', 'segment'], ['frame', 'event']),
  ...MESSAGE,
  persistent: defaulted(
    Type.Boolean({ description: 'Queues that outlive the broker keep messages on disk' }),
    true,
  ),
  unroutable: defaulted(
    oneOf(['retry', 'reject'], {
      description: 'What to do with a message that no queue is bound for',
    }),
    'retry',
  ),
  declare: Type.Optional(
    strictObject(
      {
        exchangeType: Type.Optional(oneOf(['topic', 'direct', 'fanout', 'headers'])),
        queue: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
        queueType: defaulted(oneOf(['classic', 'quorum']), 'quorum'),
        bindingKey: defaulted(Type.String({ maxLength: 255 }), '#'),
      },
      { description: 'Makes a durable exchange and a durable queue bound to it, where missing' },
    ),
  ),
  tls: Type.Optional(Tls),
  maxBodyBytes: defaulted(
    Type.Integer({
      minimum: 1024,
      maximum: 512 * MIB,
      description: 'max_message_size of the broker: 16 MiB in RabbitMQ 4, 128 MiB before',
    }),
    16 * MIB,
  ),
  heartbeatS: defaulted(Type.Integer({ minimum: 1, maximum: 600 }), 10),
  connectTimeoutMs: defaulted(Type.Integer({ minimum: 100, maximum: 60_000 }), 5_000),
  confirmTimeoutMs: defaulted(
    Type.Integer({ minimum: 100, maximum: 60_000, description: 'Of one confirm after the other' }),
    10_000,
  ),
});
export type AmqpSinkSpec = Static<typeof AmqpSinkSpec>;
