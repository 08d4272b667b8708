import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { Secret } from '../../common/secret.ts';
import { Fates } from '../fates.ts';
import { cloudEventHeaders } from '../format/cloud-events.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { Template } from '../format/template.ts';
import { AmqpConnection } from './connection.ts';
import { declare } from './declare.ts';
import { amqpError } from './errors.ts';
import { type Outgoing, publishAll } from './publication.ts';
import { connectOptions } from './settings.ts';
import type { AmqpSinkSpec } from './spec.ts';

/** Short strings of the protocol. */
const MAX_SHORT_BYTES = 255;

/** Publishes to an exchange; what is delivered was confirmed by the broker, and a queue took it. */
export class AmqpSink implements Sink {
  readonly id: string;
  readonly type = 'amqp';
  readonly kinds: readonly RecordKind[];
  readonly limits = { maxRecords: 1000, maxBytes: 4 * 1024 * 1024, maxWaitMs: 20 };
  readonly #spec: AmqpSinkSpec;
  readonly #baseDir: string;
  readonly #password: Secret | undefined;
  readonly #formatter: Formatter;
  readonly #exchange: Template;
  readonly #routingKey: Template;
  #connection: AmqpConnection | undefined;

  /**
   * @param baseDir where relative paths of files start
   * @throws SightlineError `SL_CONFIG_INVALID` for what the schema cannot see
   */
  constructor(spec: AmqpSinkSpec, baseDir: string) {
    check(spec);
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#baseDir = baseDir;
    this.#password = spec.password === undefined ? undefined : new Secret(spec.password);
    this.#formatter = new Formatter(spec, { headers: true, maxBytes: spec.maxBodyBytes });
    this.#exchange = new Template(spec.exchange, {
      what: 'the exchange',
      maxBytes: MAX_SHORT_BYTES,
    });
    this.#routingKey = new Template(spec.routingKey, {
      what: 'the routing key',
      escape: escapeWord,
      maxBytes: MAX_SHORT_BYTES,
    });
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    signal.throwIfAborted();
    const formatted = await this.#formatter.formatInTurns(batch);
    signal.throwIfAborted();
    const fates = new Fates(batch.length, formatted);
    const outgoing = formatted.messages.flatMap((message) => this.#outgoing(message, fates));
    if (outgoing.length > 0) await this.#publish(outgoing, fates, signal);
    return fates.results();
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  /** @returns whether what follows may be published too */
  async #publish(
    outgoing: readonly Outgoing[],
    fates: Fates,
    signal: AbortSignal,
  ): Promise<boolean> {
    const connection = await this.#connected(signal);
    const { confirmTimeoutMs, unroutable } = this.#spec;
    try {
      const outcome = await publishAll(connection, outgoing, confirmTimeoutMs, signal);
      for (const { message } of outcome.confirmed) fates.accept(message);
      for (const { outgoing: item, error } of outcome.failed) {
        const isGivenUp = error.details['reason'] === 'NO_ROUTE' && unroutable === 'reject';
        fates.fail(item.message, isGivenUp ? rejected(error) : error);
      }
      if (outcome.failure === undefined) return true;
      if (outcome.failure.code === 'SL_SINK_TIMEOUT') connection.abandon();
      return await this.#bisect(outcome.open, outcome.failure, fates, signal);
    } catch (thrown) {
      // Whatever is on its way when an attempt is cut off must not arrive beside the next one.
      connection.abandon();
      throw thrown;
    }
  }

  /**
   * A broker that finds fault with one message closes the channel without saying which: cut in halves, in order, until
   * it stands alone.
   */
  async #bisect(
    open: readonly Outgoing[],
    failure: SightlineError,
    fates: Fates,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (failure.code !== 'SL_SINK_REJECTED') {
      for (const { message } of open) fates.fail(message, failure);
      return false;
    }
    if (open.length === 1) {
      fates.fail(open[0]!.message, failure);
      return true;
    }
    const middle = open.length >>> 1;
    try {
      const goesOn = await this.#publish(open.slice(0, middle), fates, signal);
      return goesOn && (await this.#publish(open.slice(middle), fates, signal));
    } catch (thrown) {
      signal.throwIfAborted();
      // What was confirmed stays so; the rest is tried again.
      for (const { message } of open.slice(middle)) fates.fail(message, thrown);
      return false;
    }
  }

  async #connected(signal: AbortSignal): Promise<AmqpConnection> {
    const known = this.#connection;
    if (known?.blocked !== undefined) throw known.blocked;
    if (known !== undefined && !known.isLost) return known;
    this.#connection = undefined;
    const options = await connectOptions(this.#spec, this.#password, this.#baseDir);
    const connection = await AmqpConnection.open(options, signal);
    try {
      await declare(connection.channel, this.#spec, signal);
    } catch (thrown) {
      connection.abandon();
      signal.throwIfAborted();
      const { code, message, details } = amqpError(thrown, `declare at ${options.what}`);
      // An exchange or a queue that is there already with other properties: no fault of the records.
      const kept = code === 'SL_SINK_REJECTED' ? 'SL_SINK_UNAVAILABLE' : code;
      throw new SightlineError(kept, message, { details });
    }
    this.#connection = connection;
    return connection;
  }

  #outgoing(message: Message, fates: Fates): Outgoing[] {
    const { body, recordId, contentType, atMs, kind } = message;
    try {
      if (body.byteLength > this.#spec.maxBodyBytes) {
        const why = `${body.byteLength} bytes are above maxBodyBytes (${this.#spec.maxBodyBytes})`;
        throw new SightlineError('SL_SINK_REJECTED', `Cannot publish ${recordId}: ${why}`);
      }
      return [
        {
          message,
          exchange: this.#exchange.fill(message),
          routingKey: this.#routingKey.fill(message),
          body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
          options: {
            mandatory: true,
            persistent: this.#spec.persistent,
            messageId: shortString(recordId),
            contentType,
            timestamp: Math.floor(atMs / 1000),
            type: kind,
            appId: 'sightline',
            headers: { ...message.attributes, ...cloudEventHeaders(message, 'amqp') },
          },
        },
      ];
    } catch (thrown) {
      fates.fail(message, toSightlineError(thrown));
      return [];
    }
  }
}

/** One word of a routing key: what means something in bindings of topic exchanges, and % itself, is percent-encoded. */
function escapeWord(text: string): string {
  return text.replace(/[.#*%]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

/** @throws SightlineError `SL_SINK_REJECTED` for an id that the property cannot hold */
function shortString(recordId: string): string {
  if (Buffer.byteLength(recordId) <= MAX_SHORT_BYTES) return recordId;
  const message = `Cannot publish ${recordId}: the id is longer than ${MAX_SHORT_BYTES} bytes`;
  throw new SightlineError('SL_SINK_REJECTED', message);
}

function rejected({ message, details }: SightlineError): SightlineError {
  return new SightlineError('SL_SINK_REJECTED', message, { details });
}

function check({ id, url, password, passwordFile, declare: wanted, exchange }: AmqpSinkSpec): void {
  const fail = (why: string): never => {
    throw new SightlineError('SL_CONFIG_INVALID', `Cannot use sink ${id}: ${why}`);
  };
  if (!URL.canParse(url)) fail('its url cannot be read');
  if (password !== undefined && passwordFile !== undefined) {
    fail('password and passwordFile exclude each other');
  }
  if (wanted !== undefined && exchange.includes('{')) {
    fail('declare needs an exchange without placeholders');
  }
}
