import { lookup as dnsLookup } from 'node:dns';
import { readFile } from 'node:fs/promises';
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { resolve } from 'node:path';
import type { AddressPolicy } from '../../common/address-policy.ts';
import { SightlineError } from '../../common/errors.ts';
import { redactUrl } from '../../common/redact-url.ts';
import type { Tls } from '../spec-parts.ts';

const IDLE_SOCKET_MS = 30_000;
/** What of an answer's body is read to keep the connection; beyond, or when it is slow, the connection goes. */
const ANSWER_BYTES = 16 * 1024;
const ANSWER_MS = 1_000;
const MAX_HEADER_BYTES = 16 * 1024;

export interface EndpointOptions {
  readonly url: string;
  readonly policy: AddressPolicy;
  readonly tls?: Tls | undefined;
  /** Where relative paths of the TLS files start. */
  readonly baseDir: string;
  readonly concurrency: number;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/**
 * One URL that is posted to. The address of every connection is checked when it is made, on what the name resolved to at
 * that moment: a name cannot be checked as one address and called as another. Redirects are answers like others.
 */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #url: URL;
  #agent: HttpAgent | undefined;

  /** @throws SightlineError `SL_CONFIG_INVALID` for an address that may not be called */
  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    const literal = this.#url.hostname.replace(/^\[|\]$/g, '');
    // The parser of URLs has turned every form of an address (octal, decimal, shortened) into the usual one.
    if (isIP(literal) !== 0 && !options.policy.allows(literal)) {
      throw refusal(this.what, [literal], 'SL_CONFIG_INVALID');
    }
  }

  /** The URL in messages, without secrets. */
  get what(): string {
    return redactUrl(this.#options.url);
  }

  /** Resolves with the head of the answer. @throws SightlineError one of `SL_SINK_*`, or the reason of `signal` */
  async post(
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { timeoutMs } = this.#options;
    const timeout = new SightlineError(
      'SL_SINK_TIMEOUT',
      `Cannot post to ${this.what} within ${timeoutMs} ms`,
    );
    const ended = new AbortController();
    const onAbort = (): void => ended.abort(signal.reason);
    const timer = setTimeout(() => ended.abort(timeout), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await this.#send(await this.#connections(), headers, body, ended.signal);
    } catch (error) {
      if (ended.signal.aborted) throw ended.signal.reason;
      throw this.#describe(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  #send(
    agent: HttpAgent,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<Answer> {
    const request = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const sent = request(this.#url, {
        method: 'POST',
        agent,
        headers: { ...headers, 'content-length': String(body.byteLength) },
        maxHeaderSize: MAX_HEADER_BYTES,
        signal,
      });
      sent.on('error', reject);
      // There are ways to end without an error and without an answer.
      sent.once('close', () => reject(new Error('the connection ended')));
      sent.once('response', (answer) => {
        const { statusCode = 0, headers: received } = answer;
        letGo(sent, answer);
        resolve({ status: statusCode, retryAfter: received['retry-after'] });
      });
      sent.once('upgrade', ({ statusCode = 0 }, socket) => {
        socket.destroy();
        resolve({ status: statusCode, retryAfter: undefined });
      });
      sent.end(body);
    });
  }

  /** TLS files are read with the first request, and anew after a failure: they may have been replaced. */
  async #connections(): Promise<HttpAgent> {
    if (this.#agent !== undefined) return this.#agent;
    const { concurrency, tls } = this.#options;
    const pool = {
      keepAlive: true,
      maxSockets: concurrency,
      timeout: IDLE_SOCKET_MS,
      lookup: this.#lookup,
    };
    if (this.#url.protocol !== 'https:') this.#agent ??= new HttpAgent(pool);
    else {
      const [ca, cert, key] = await Promise.all(
        [tls?.caFile, tls?.certFile, tls?.keyFile].map((file) => this.#read(file)),
      );
      this.#agent ??= new HttpsAgent({
        ...pool,
        rejectUnauthorized: tls?.rejectUnauthorized ?? true,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      });
    }
    return this.#agent;
  }

  /** Hands on the addresses that may be called, and nothing else: what it hands on is what is connected to. */
  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = found.filter(({ address }) => this.#options.policy.allows(address));
      const [first] = allowed;
      if (first === undefined) {
        const addresses = found.map(({ address }) => address);
        callback(refusal(this.what, addresses, 'SL_SINK_UNAVAILABLE'), []);
      } else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };

  async #read(file: string | undefined): Promise<Buffer | undefined> {
    if (file === undefined) return undefined;
    const path = resolve(this.#options.baseDir, file);
    try {
      return await readFile(path);
    } catch (cause) {
      const message = `Cannot read the TLS file ${path} to post to ${this.what}`;
      throw new SightlineError('SL_SINK_UNAVAILABLE', message, { cause });
    }
  }

  #describe(thrown: unknown): SightlineError {
    // Certificates that no longer fit are read anew with the next try; what is on its way keeps its connection.
    if (this.#url.protocol === 'https:') this.#agent = undefined;
    if (thrown instanceof SightlineError) return thrown;
    const { code, message } = thrown as NodeJS.ErrnoException;
    const reason = code ?? message;
    return new SightlineError(
      'SL_SINK_UNAVAILABLE',
      `Cannot post to ${this.what} (${String(reason)})`,
      { cause: thrown, details: { reason } },
    );
  }
}

/**
 * Reads the body of an answer as far as it is short and quick; nobody is interested in it. A receiver that answered before
 * it read all of the request has as long for the rest: the connection would be taken for ever.
 */
function letGo(sent: ClientRequest, answer: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => sent.destroy(), ANSWER_MS);
  const settle = (): void => {
    if (answer.closed && sent.writableFinished) clearTimeout(timer);
  };
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) answer.destroy();
  });
  answer.on('error', () => undefined);
  answer.once('close', settle);
  sent.once('finish', settle);
  sent.once('close', () => clearTimeout(timer));
}

function refusal(
  what: string,
  addresses: readonly string[],
  code: 'SL_CONFIG_INVALID' | 'SL_SINK_UNAVAILABLE',
): SightlineError {
  return new SightlineError(
    code,
    `Cannot post to ${what}: ${addresses.join(', ')} is not of the public internet, and the server's configuration does not allow it (egress.allow, egress.allowPrivate)`,
  );
}
