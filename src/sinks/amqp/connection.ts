import type { Socket } from 'node:net';
import { type ChannelModel, type ConfirmChannel, connect, type Options } from 'amqplib';
import { SightlineError } from '../../common/errors.ts';
import { settlesWithin } from '../../common/waits.ts';
import { amqpError } from './errors.ts';

const CLOSE_LIMIT_MS = 1000;

export interface ConnectOptions {
  readonly server: Options.Connect;
  readonly socket: Readonly<Record<string, unknown>>;
  /** The broker in messages, without secrets. */
  readonly what: string;
}

/** One connection to a broker with one channel, as long as both last. */
export class AmqpConnection {
  readonly #model: ChannelModel;
  readonly #what: string;
  readonly channel: ConfirmChannel;
  #lost: SightlineError | undefined;
  #blocked: string | undefined;
  /** Hears of the end of the channel, of a block, and of messages that no queue takes. */
  onLost: ((error: SightlineError) => void) | undefined;
  onBlocked: ((error: SightlineError) => void) | undefined;
  onReturned: ((messageId: string, reply: string) => void) | undefined;

  private constructor(model: ChannelModel, channel: ConfirmChannel, what: string) {
    this.#model = model;
    this.#what = what;
    this.channel = channel;
    model.on('error', (error) => this.#lose(error));
    model.on('close', (error) => this.#lose(error));
    model.on('blocked', (reason) => {
      this.#blocked = reason;
      this.onBlocked?.(this.blocked!);
    });
    model.on('unblocked', () => {
      this.#blocked = undefined;
    });
    channel.on('error', (error) => this.#lose(error));
    channel.on('close', () => this.#lose(undefined));
    channel.on('return', ({ properties, fields }) => {
      const { replyCode, replyText } = fields as unknown as Record<string, unknown>;
      const id = properties.messageId as unknown;
      this.onReturned?.(String(id), `${String(replyCode)} ${String(replyText)}`);
    });
  }

  /** @throws SightlineError one of `SL_SINK_*`, or the reason of `signal` */
  static async open(
    { server, socket, what }: ConnectOptions,
    signal: AbortSignal,
  ): Promise<AmqpConnection> {
    signal.throwIfAborted();
    const connecting = connect(server, { ...socket });
    try {
      const model = await orAborted(connecting, signal);
      model.on('error', () => undefined);
      const channel = await orAborted(model.createConfirmChannel(), signal);
      return new AmqpConnection(model, channel, what);
    } catch (thrown) {
      void connecting.then(destroy, () => undefined);
      throw signal.aborted ? signal.reason : amqpError(thrown, `connect to ${what}`);
    }
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Set while the broker takes nothing: it is short of memory or disk. */
  get blocked(): SightlineError | undefined {
    if (this.#blocked === undefined) return undefined;
    const message = `Cannot publish to ${this.#what}: it blocks publishers (${this.#blocked})`;
    return new SightlineError('SL_SINK_THROTTLED', message);
  }

  async close(): Promise<void> {
    if (!this.isLost && this.#blocked === undefined) {
      const closing = this.#model.close().catch(() => undefined);
      await settlesWithin(closing, CLOSE_LIMIT_MS);
    }
    this.abandon();
  }

  /** Drops the connection; what is on its way fails. */
  abandon(): void {
    this.#lose(undefined);
    destroy(this.#model);
  }

  #lose(thrown: unknown): void {
    if (this.#lost !== undefined) return;
    this.#lost = amqpError(thrown, `stay with ${this.#what}`);
    this.onLost?.(this.#lost);
    // A channel that the broker closed would leave the connection open behind it.
    destroy(this.#model);
  }
}

/** The library has no way to drop a connection that does not answer. */
function destroy({ connection }: ChannelModel): void {
  const { stream } = connection as unknown as { readonly stream: Socket };
  stream.on('error', () => undefined);
  stream.destroy(new Error('abandoned'));
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort!: () => void;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
