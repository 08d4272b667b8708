import type { AmqpSinkSpec } from '../../src/sinks/amqp/spec.ts';

/** The specification of a sink with its defaults. */
export function amqpSpec(spec: Partial<AmqpSinkSpec> & { readonly url: string }): AmqpSinkSpec {
  return {
    ...{ id: 'amqp', type: 'amqp', required: true, username: 'guest', exchange: 'amq.topic' },
    ...{ routingKey: 'sightline.{kind}s.{streamId}', kinds: ['frame', 'event'] },
    ...{ format: 'protobuf', persistent: true, unroutable: 'retry' },
    ...{ maxBodyBytes: 16 * 1024 * 1024, heartbeatS: 10 },
    ...{ connectTimeoutMs: 3000, confirmTimeoutMs: 5000 },
    ...spec,
  };
}
