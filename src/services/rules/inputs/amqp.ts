import { toSightlineError } from '../../../common/errors.ts';
import { Secret } from '../../../common/secret.ts';
import { deferred } from '../../../common/waits.ts';
import { fromAmqp } from '../../../consumer/index.ts';
import { AmqpConnection } from '../../../sinks/amqp/connection.ts';
import { amqpError } from '../../../sinks/amqp/errors.ts';
import { connectOptions } from '../../../sinks/amqp/settings.ts';
import type { ReadInput } from './run.ts';
import type { SpecOf } from './specs.ts';

/** Messages that may wait here for their turn. */
const PREFETCH = 200;

/** A durable queue; whatever is not acknowledged when the connection goes comes again. */
export const readAmqp: ReadInput<SpecOf<'amqp'>> = async (spec, options) => {
  const { handle, signal, onConnected, onUnreadable, baseDir } = options;
  const password = spec.password === undefined ? undefined : new Secret(spec.password);
  const settings = await connectOptions(spec, password, baseDir);
  const connection = await AmqpConnection.open(settings, signal);
  const ended = deferred<void>();
  ended.promise.catch(() => undefined);
  connection.onLost = (error) => ended.reject(error);
  const onAbort = () => ended.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { channel } = connection;
    let work = Promise.resolve();
    try {
      await channel.prefetch(PREFETCH);
      if (spec.exchange === undefined) await channel.checkQueue(spec.queue);
      else {
        await channel.assertQueue(spec.queue, { durable: true });
        await channel.bindQueue(spec.queue, spec.exchange, spec.routingKey);
      }
      await channel.consume(spec.queue, (message) => {
        // The broker ends the consumer when its queue is deleted.
        if (message === null) return ended.reject(amqpError(undefined, `read queue ${spec.queue}`));
        work = work.then(async () => {
          if (signal.aborted || connection.isLost) return;
          await handle(read(message));
          if (!connection.isLost) channel.ack(message);
        });
        work.catch(ended.reject);
      });
    } catch (thrown) {
      throw amqpError(thrown, `read queue ${spec.queue}`);
    }
    onConnected();
    await ended.promise;
    await work;
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.onLost = undefined;
    await connection.close();
  }

  function read(message: Parameters<typeof fromAmqp>[0]) {
    try {
      return fromAmqp(message);
    } catch (error) {
      onUnreadable(toSightlineError(error).message);
      return [];
    }
  }
};
