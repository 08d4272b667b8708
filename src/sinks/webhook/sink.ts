import { AddressPolicy } from '../../common/address-policy.ts';
import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { Fates } from '../fates.ts';
import { cloudEventHeaders } from '../format/cloud-events.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { headerText } from '../header-text.ts';
import { eachLimited } from '../limited.ts';
import { answerError, retryAfterMs } from './answer.ts';
import { Endpoint } from './endpoint.ts';
import { SIGNATURE_HEADER, signatureOf, TIMESTAMP_HEADER } from './signature.ts';
import type { WebhookSinkSpec } from './spec.ts';

/** What says how a request is framed is not for a configuration to say, nor what the sink says itself. */
const OWN_HEADERS =
  /^(?:host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|expect|keep-alive|idempotency-key|authorization|proxy-.*|sightline-.*|ce-.*)$/i;

export interface WebhookSinkOptions {
  /** Where relative paths of the TLS files start. */
  readonly baseDir: string;
  /** Default: public addresses alone. */
  readonly policy?: AddressPolicy | undefined;
}

/** Posts each message to a URL; any answer of 2xx is the delivery. Messages of one stream follow each other. */
export class WebhookSink implements Sink {
  readonly id: string;
  readonly type = 'webhook';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #spec: WebhookSinkSpec;
  readonly #formatter: Formatter;
  readonly #endpoint: Endpoint;
  /** The receiver asked to be left alone until then (performance.now). */
  #notBeforeMs = 0;

  /** @throws SightlineError `SL_CONFIG_INVALID` for an address that may not be called, or a header that is not free */
  constructor(spec: WebhookSinkSpec, { baseDir, policy }: WebhookSinkOptions) {
    const {
      id,
      kinds,
      url,
      tls,
      concurrency,
      timeoutMs,
      framesPerMessage = 1,
      headers = {},
    } = spec;
    this.id = id;
    this.kinds = kinds;
    this.#spec = spec;
    this.#formatter = new Formatter(spec, { headers: true });
    this.#endpoint = new Endpoint({
      ...{ url, tls, concurrency, timeoutMs, baseDir },
      policy: policy ?? new AddressPolicy(),
    });
    this.limits = {
      maxRecords: Math.min(4000, Math.max(100, 4 * concurrency * framesPerMessage)),
      maxBytes: 8 * 1024 * 1024,
      maxWaitMs: framesPerMessage > 1 ? 500 : 20,
    };
    for (const [name, value] of Object.entries(headers)) checkHeader(id, name, value);
    checkValue(id, 'bearerToken', spec.bearerToken ?? '');
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const waitMs = this.#notBeforeMs - performance.now();
    if (waitMs > 0) throw this.#notYet(waitMs);
    const formatted = await this.#formatter.formatInTurns(batch);
    const run = new Run(batch, this.#formatter, new Fates(batch.length, formatted), (message) =>
      this.#post(message, signal),
    );
    await eachLimited(byStream(formatted.messages), this.#spec.concurrency, (messages) =>
      run.send(messages),
    );
    return run.results();
  }

  close(): Promise<void> {
    this.#endpoint.close();
    return Promise.resolve();
  }

  async #post(message: Message, signal: AbortSignal): Promise<void> {
    const answer = await this.#endpoint.post(this.#headers(message), message.body, signal);
    if (answer.status >= 200 && answer.status < 300) return;
    const waitMs = retryAfterMs(answer);
    if (waitMs > 0) this.#notBeforeMs = performance.now() + waitMs;
    throw answerError(answer, `post ${message.recordId} to ${this.#endpoint.what}`);
  }

  #headers(message: Message): Record<string, string> {
    const { signing, bearerToken, headers } = this.#spec;
    const { contentType, recordId, attributes, body } = message;
    const own: Record<string, string> = {
      ...headers,
      'user-agent': 'sightline',
      'content-type': contentType,
      'idempotency-key': headerText(recordId),
      ...cloudEventHeaders(message, 'http'),
    };
    for (const [name, value] of Object.entries(attributes)) {
      own[`sightline-${kebab(name)}`] = headerText(value);
    }
    if (bearerToken !== undefined) own['authorization'] = `Bearer ${bearerToken}`;
    if (signing !== undefined) {
      const timestamp = String(Math.floor(Date.now() / 1000));
      own[TIMESTAMP_HEADER] = timestamp;
      own[SIGNATURE_HEADER] = signatureOf(timestamp, body, signing.keys);
    }
    return own;
  }

  #notYet(waitMs: number): SightlineError {
    const message = `${this.#endpoint.what} asked not to be called for another ${Math.ceil(waitMs)} ms`;
    return new SightlineError('SL_SINK_THROTTLED', message, { details: { retryAfterMs: waitMs } });
  }
}

/** One batch on its way. A refused message of several records is cut in halves down to the record that causes it. */
class Run {
  readonly #batch: readonly PendingRecord[];
  readonly #formatter: Formatter;
  readonly #fates: Fates;
  readonly #post: (message: Message) => Promise<void>;
  #outage: SightlineError | undefined;

  constructor(
    batch: readonly PendingRecord[],
    formatter: Formatter,
    fates: Fates,
    post: (message: Message) => Promise<void>,
  ) {
    this.#batch = batch;
    this.#formatter = formatter;
    this.#fates = fates;
    this.#post = post;
  }

  /** One after the other. A failure that is not the message's own ends the batch: the rest would meet the same. */
  async send(messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      if (this.#outage !== undefined) {
        this.#fates.fail(message, this.#outage);
        continue;
      }
      try {
        await this.#post(message);
        this.#fates.accept(message);
      } catch (thrown) {
        const error = toSightlineError(thrown);
        if (error.code !== 'SL_SINK_REJECTED') this.#outage ??= error;
        else if (message.indexes.length > 1) {
          await this.send(this.#halves(message));
          continue;
        }
        this.#fates.fail(message, error);
      }
    }
  }

  results(): readonly DeliveryResult[] {
    return this.#fates.results();
  }

  #halves({ indexes }: Message): Message[] {
    const middle = indexes.length >>> 1;
    return [indexes.slice(0, middle), indexes.slice(middle)].flatMap((half) =>
      this.#formatter.format(half.map((index) => this.#batch[index]!)).messages.map((message) => ({
        ...message,
        indexes: message.indexes.map((index) => half[index]!),
      })),
    );
  }
}

function byStream(messages: readonly Message[]): Message[][] {
  const streams = new Map<string, Message[]>();
  for (const message of messages) {
    const known = streams.get(message.streamId);
    if (known === undefined) streams.set(message.streamId, [message]);
    else known.push(message);
  }
  return [...streams.values()];
}

function checkHeader(sinkId: string, name: string, value: string): void {
  if (OWN_HEADERS.test(name)) {
    throw new SightlineError(
      'SL_CONFIG_INVALID',
      `Cannot use the header ${name} of sink ${sinkId}: the sink sets it itself`,
    );
  }
  checkValue(sinkId, `header ${name}`, value);
}

/** A token from a file often has a line feed at its end, and no request with it could be sent. */
function checkValue(sinkId: string, what: string, value: string): void {
  if (!/[^\t\x20-\x7e]/.test(value)) return;
  throw new SightlineError(
    'SL_CONFIG_INVALID',
    `Cannot use the ${what} of sink ${sinkId}: its value may hold printable ASCII alone, no line feed`,
  );
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
