import type { Options } from 'amqplib';
import { SightlineError } from '../../common/errors.ts';
import { deferred } from '../../common/waits.ts';
import type { Message } from '../format/formatter.ts';
import type { AmqpConnection } from './connection.ts';
import { amqpError } from './errors.ts';

/** A message with where it goes. */
export interface Outgoing {
  readonly message: Message;
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly options: Options.Publish;
}

export interface Outcome {
  readonly confirmed: Outgoing[];
  readonly failed: { readonly outgoing: Outgoing; readonly error: SightlineError }[];
  /** Nobody knows what became of these, but for why they were given up. */
  readonly open: readonly Outgoing[];
  readonly failure: SightlineError | undefined;
}

/**
 * Publishes messages in order and waits for the broker to confirm them. It ends early when the connection or the channel
 * is lost, when the broker blocks publishers, and when no confirm comes for `timeoutMs`.
 * @throws the reason of `signal`
 */
export async function publishAll(
  connection: AmqpConnection,
  messages: readonly Outgoing[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const open = new Set(messages);
  const confirmed: Outgoing[] = [];
  const failed: { outgoing: Outgoing; error: SightlineError }[] = [];
  const returned = new Map<string, string>();
  const { promise: ended, resolve: end } = deferred<SightlineError | undefined>();
  const settle = (outgoing: Outgoing, thrown: unknown): void => {
    if (!open.delete(outgoing)) return;
    const { recordId } = outgoing.message;
    const reply = returned.get(recordId);
    if (reply !== undefined) failed.push({ outgoing, error: noRoute(outgoing, reply) });
    else if (thrown == null) confirmed.push(outgoing);
    else failed.push({ outgoing, error: amqpError(thrown, `publish ${recordId}`) });
    if (open.size === 0) end(undefined);
    else timer.refresh();
  };
  const onTimeout = (): void => {
    const message = `Cannot publish ${open.size} messages: no confirm came for ${timeoutMs} ms`;
    end(new SightlineError('SL_SINK_TIMEOUT', message));
  };
  const timer = setTimeout(onTimeout, timeoutMs);
  const onAbort = (): void => end(undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  connection.onLost = end;
  connection.onBlocked = end;
  connection.onReturned = (messageId, reply) => returned.set(messageId, reply);
  try {
    for (const outgoing of messages) {
      const { exchange, routingKey, body, options } = outgoing;
      connection.channel.publish(exchange, routingKey, body, options, (thrown: unknown) => {
        // The end of a channel fails what is on its way; why it ended is told by onLost.
        if (thrown == null || !connection.isLost) settle(outgoing, thrown);
      });
    }
  } catch (thrown) {
    end(amqpError(thrown, 'publish'));
  }
  const failure = await ended;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
  connection.onLost = undefined;
  connection.onBlocked = undefined;
  connection.onReturned = undefined;
  signal.throwIfAborted();
  return { confirmed, failed, open: messages.filter((one) => open.has(one)), failure };
}

function noRoute({ message, exchange, routingKey }: Outgoing, reply: string): SightlineError {
  const text = `Cannot publish ${message.recordId}: no queue takes the routing key ${routingKey} from exchange "${exchange}" (${reply})`;
  return new SightlineError('SL_SINK_UNAVAILABLE', text, { details: { reason: 'NO_ROUTE' } });
}
