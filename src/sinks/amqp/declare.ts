import type { ConfirmChannel } from 'amqplib';
import type { AmqpSinkSpec } from './spec.ts';

/** Makes the durable exchange and queue a specification asks for. @throws Error of the channel, which is closed then */
export async function declare(
  channel: ConfirmChannel,
  { declare: wanted, exchange }: AmqpSinkSpec,
  signal: AbortSignal,
): Promise<void> {
  if (wanted === undefined) return;
  const { exchangeType, queue, queueType, bindingKey } = wanted;
  if (exchangeType !== undefined) {
    await channel.assertExchange(exchange, exchangeType, { durable: true });
  }
  if (queue === undefined) return;
  signal.throwIfAborted();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': queueType } });
  // Every queue is bound to the default exchange by its name.
  if (exchange !== '') await channel.bindQueue(queue, exchange, bindingKey);
}
