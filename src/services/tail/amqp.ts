import { SightlineError } from '../../common/errors.ts';
import { Secret } from '../../common/secret.ts';
import { fromAmqp } from '../../consumer/index.ts';
import { AmqpConnection } from '../../sinks/amqp/connection.ts';
import { amqpError } from '../../sinks/amqp/errors.ts';
import { connectOptions } from '../../sinks/amqp/settings.ts';
import type { AmqpSinkSpec } from '../../sinks/amqp/spec.ts';
import { Incoming } from './incoming.ts';
import type { Reader, ReadOptions } from './tail.ts';

/** Binds a queue of its own to the exchange, which goes with the connection: each queue gets its copy as before. */
export async function* followAmqp(spec: AmqpSinkSpec, options: ReadOptions): Reader {
  const { exchange, bindingKey } = bindingOf(spec);
  const { signal, tell, baseDir } = options;
  const password = spec.password === undefined ? undefined : new Secret(spec.password);
  const settings = await connectOptions(spec, password, baseDir);
  const connection = await AmqpConnection.open(settings, signal);
  const incoming = new Incoming(options);
  connection.onLost = (error) => incoming.fail(error);
  try {
    const { channel } = connection;
    try {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      await channel.bindQueue(queue, exchange, bindingKey);
      const take = (message: Parameters<typeof fromAmqp>[0] | null): void => {
        if (message !== null) incoming.take(exchange, () => fromAmqp(message));
      };
      await channel.consume(queue, take, { noAck: true });
    } catch (thrown) {
      throw amqpError(thrown, `bind a queue to exchange ${exchange}`);
    }
    tell(`Bound to ${exchange} with ${bindingKey} at ${settings.what}`);
    yield* incoming.records();
  } finally {
    connection.onLost = undefined;
    await connection.close();
  }
}

/** A word of the routing key that is filled in becomes one that matches every word. */
export function bindingOf({
  id,
  exchange,
  routingKey,
}: Pick<AmqpSinkSpec, 'id' | 'exchange' | 'routingKey'>): { exchange: string; bindingKey: string } {
  if (exchange === '' || exchange.includes('{')) {
    const why =
      exchange === ''
        ? 'the default exchange hands each message to the one queue of its name, and nothing else can be bound to it'
        : `its exchange ${exchange} changes by record`;
    throw new SightlineError('SL_REQUEST_INVALID', `Cannot watch sink ${id} (amqp): ${why}`);
  }
  const words = routingKey.split('.').map((word) => (word.includes('{') ? '*' : word));
  return { exchange, bindingKey: words.join('.') };
}
