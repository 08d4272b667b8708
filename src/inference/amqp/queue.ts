import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumeMessage } from 'amqplib';
import { toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { fullJitterMs } from '../../common/retry.ts';
import { type Deferred, deferred } from '../../common/waits.ts';
import { fromAmqp } from '../../consumer/transports.ts';
import { AmqpConnection, type ConnectOptions } from '../../sinks/amqp/connection.ts';
import { type Delivery, type FrameQueue, newQueueCounts } from '../frame-queue.ts';
import { imageOf } from '../image-of.ts';

const RETRY = { baseMs: 500, capMs: 30_000 };
const CONNECT_LIMIT_MS = 15_000;
/** receive() comes back with nothing after this, as a poll of SQS does. */
const WAIT_MS = 5_000;

export interface AmqpFrameQueueOptions {
  /** Read anew for each connection. */
  readonly connect: () => Promise<ConnectOptions>;
  readonly queue: string;
  /** Messages that the broker hands out before the first of them has its fate. */
  readonly prefetch: number;
  /** Where poison goes, with its reason. */
  readonly deadLetterExchange?: string | undefined;
  /** The queue has a dead-letter exchange of its own: poison is rejected. Else, and without both, it is kept here. */
  readonly rejectsPoison: boolean;
  readonly logger: Logger;
}

/** Frames of the AMQP sink, with their pictures in them. Messages of a connection that is lost come again by themselves. */
export class AmqpFrameQueue implements FrameQueue {
  readonly what: string;
  readonly counts = newQueueCounts();
  readonly #options: AmqpFrameQueueOptions;
  readonly #closing = new AbortController();
  readonly #ready: Delivery[] = [];
  /** Receipts of each message without a counter of the broker's own. */
  readonly #receipts = new Map<string, number>();
  readonly #open = new Set<Promise<unknown>>();
  #arrival: Deferred<void> = deferred();
  #connection: AmqpConnection | undefined;
  /** Messages of this connection without a fate. */
  #unsettled = 0;
  readonly #running: Promise<void>;

  constructor(options: AmqpFrameQueueOptions) {
    this.#options = options;
    this.what = `AMQP queue ${options.queue}`;
    this.#running = this.#run();
  }

  async receive(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    if (this.#ready.length === 0 && !signal.aborted) {
      const waited = new AbortController();
      const stop = AbortSignal.any([signal, waited.signal]);
      await Promise.race([
        this.#arrival.promise,
        sleep(WAIT_MS, undefined, { signal: stop }).catch(() => undefined),
      ]);
      waited.abort();
    }
    return signal.aborted ? [] : this.#ready.splice(0, max);
  }

  async backlog(): Promise<number | undefined> {
    const connection = this.#connection;
    if (connection === undefined) return undefined;
    try {
      const { messageCount } = await connection.channel.checkQueue(this.#options.queue);
      return messageCount + this.#unsettled;
    } catch {
      this.counts.errors += 1;
      return undefined;
    }
  }

  async close(limitMs: number): Promise<void> {
    this.#closing.abort();
    await Promise.race([Promise.allSettled(this.#open), sleep(limitMs, undefined, { ref: false })]);
    await this.#connection?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const { lost } = await this.#connect(signal);
        failures = 0;
        throw await lost;
      } catch (thrown) {
        // close() ends the connection: while one is open the process does not end.
        if (signal.aborted) return;
        this.#connection?.abandon();
        this.#connection = undefined;
        this.#ready.length = 0;
        this.#unsettled = 0;
        this.counts.errors += 1;
        failures += 1;
        const { code, message } = toSightlineError(thrown);
        this.#options.logger.warn({ code, reason: message }, 'infer.queue-failed');
        const waitMs = fullJitterMs(failures, RETRY);
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Resolves when messages come; `lost` when the connection is lost, or is to be closed. */
  async #connect(signal: AbortSignal): Promise<{ readonly lost: Promise<Error> }> {
    const settings = await this.#options.connect();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_LIMIT_MS)]);
    const connection = await AmqpConnection.open(settings, limit);
    this.#connection = connection;
    const lost = deferred<Error>();
    connection.onLost = (error) => lost.resolve(error);
    signal.addEventListener('abort', () => lost.resolve(new Error('closed')), { once: true });
    const { channel } = connection;
    await channel.prefetch(this.#options.prefetch);
    await channel.consume(this.#options.queue, (message) => this.#take(connection, message));
    return { lost: lost.promise };
  }

  #take(connection: AmqpConnection, message: ConsumeMessage | null): void {
    if (message === null) {
      connection.abandon();
      return;
    }
    this.counts.received += 1;
    this.#unsettled += 1;
    this.#ready.push(this.#deliver(connection, message));
    this.#arrival.resolve();
    this.#arrival = deferred();
  }

  #deliver(connection: AmqpConnection, message: ConsumeMessage): Delivery {
    const { channel } = connection;
    const id = String(message.properties.messageId ?? message.fields.deliveryTag);
    let isOpen = true;
    /** Once, and only on the connection that brought it. */
    const settle = (act: () => void): boolean => {
      if (!isOpen || connection.isLost) return false;
      isOpen = false;
      this.#unsettled -= 1;
      act();
      return true;
    };
    return {
      id,
      receives: this.#receives(id, message),
      open: async () => imageOf(fromAmqp(message)),
      accept: () => {
        this.#receipts.delete(id);
        if (settle(() => channel.ack(message))) this.counts.deleted += 1;
        else this.counts.deleteFailures += 1;
      },
      release: (delayMs) => {
        const later = sleep(delayMs, undefined, { signal: this.#closing.signal, ref: false })
          .catch(() => undefined)
          .then(() => {
            if (settle(() => channel.nack(message, false, true))) this.counts.released += 1;
          })
          .finally(() => this.#open.delete(later));
        this.#open.add(later);
      },
      bury: async (reason) => {
        const { deadLetterExchange, rejectsPoison } = this.#options;
        if (deadLetterExchange !== undefined) {
          const headers = { ...message.properties.headers, 'x-sightline-reason': reason };
          channel.publish(deadLetterExchange, message.fields.routingKey, message.content, {
            ...{ headers, contentType: message.properties.contentType, persistent: true },
          });
          await channel.waitForConfirms();
          if (settle(() => channel.ack(message))) this.counts.buried += 1;
          return true;
        }
        if (rejectsPoison && settle(() => channel.nack(message, false, false))) {
          this.counts.buried += 1;
        }
        return rejectsPoison;
      },
    };
  }

  /** Quorum queues count by themselves; of others it is known that there was an earlier receipt. */
  #receives(id: string, { properties, fields }: ConsumeMessage): number {
    const counted = properties.headers?.['x-delivery-count'] as unknown;
    if (typeof counted === 'number') return counted + 1;
    if (!fields.redelivered) return 1;
    const receives = (this.#receipts.get(id) ?? 1) + 1;
    if (this.#receipts.size > 10_000) this.#receipts.clear();
    this.#receipts.set(id, receives);
    return receives;
  }
}
