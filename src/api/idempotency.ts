import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SightlineError } from '../common/errors.ts';

/** As the draft has it: a string of printable ASCII, with or without its quotation marks. */
const KEY = /^(?:"[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}"|[\x21\x23-\x7e]{1,128})$/;
const KEEP_MS = 24 * 3_600_000;
const MAX_KEPT = 10_000;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Headers of an answer that belong to it wherever it is given again. */
const KEPT_HEADERS = ['content-type', 'location', 'etag'] as const;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Entry {
  readonly fingerprint: string;
  readonly atMs: number;
  /** Undefined while the first request is worked on. */
  answer?: Answer;
}

export interface IdempotencyOptions {
  readonly maxKept?: number;
  readonly maxBytes?: number;
  /** Monotonic, ms. */
  readonly now?: () => number;
}

/**
 * Answers of POSTs that carried an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), so that a client that
 * lost an answer can ask again without doing the work twice. In memory: at most 10,000 of 24 hours, 32 MiB; the oldest go
 * first. Answers that say "try again" are not kept.
 */
export class IdempotencyStore {
  readonly #entries = new Map<string, Entry>();
  readonly #maxKept: number;
  readonly #maxBytes: number;
  readonly #now: () => number;
  #bytes = 0;

  constructor(options: IdempotencyOptions = {}) {
    this.#maxKept = options.maxKept ?? MAX_KEPT;
    this.#maxBytes = options.maxBytes ?? MAX_KEPT_BYTES;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * The answer given before, or undefined: then the caller works, and tells `end`.
   *
   * @throws SightlineError `SL_IDEMPOTENCY_MISMATCH`, `SL_IN_PROGRESS`.
   */
  begin(key: string, fingerprint: string): Answer | undefined {
    this.#forgetOld();
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { fingerprint, atMs: this.#now() });
      return undefined;
    }
    if (entry.fingerprint !== fingerprint) {
      throw new SightlineError(
        'SL_IDEMPOTENCY_MISMATCH',
        'This Idempotency-Key was used for another request: make a new one',
      );
    }
    if (entry.answer !== undefined) return entry.answer;
    throw new SightlineError(
      'SL_IN_PROGRESS',
      'The first request with this Idempotency-Key is still being worked on',
    );
  }

  /** Keeps the answer; without one the key is free again. */
  end(key: string, answer: Answer | undefined): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (answer === undefined) {
      this.#entries.delete(key);
      return;
    }
    entry.answer = answer;
    this.#bytes += answer.body.length;
  }

  #forgetOld(): void {
    const oldest = this.#now() - KEEP_MS;
    // A map keeps its order: the first are the oldest.
    for (const [key, { atMs, answer }] of this.#entries) {
      const fits = this.#entries.size < this.#maxKept && this.#bytes <= this.#maxBytes;
      if (atMs > oldest && fits) return;
      // What is being worked on is few and short: it ends by itself.
      if (answer === undefined && atMs > oldest) continue;
      this.#entries.delete(key);
      this.#bytes -= answer?.body.length ?? 0;
    }
  }
}

/** Who asks. There is one principal as long as the API has no credentials. */
const PRINCIPAL = 'local';

/** Lets every POST carry an `Idempotency-Key`. */
export function acceptIdempotencyKeys(app: FastifyInstance, store = new IdempotencyStore()): void {
  const begun = new WeakMap<FastifyRequest, string>();
  app.addHook('preHandler', async (request, reply) => {
    const given = request.headers['idempotency-key'];
    if (given === undefined || request.method !== 'POST') return;
    if (typeof given !== 'string' || !KEY.test(given)) {
      throw new SightlineError(
        'SL_REQUEST_INVALID',
        'Idempotency-Key must be 1 to 128 printable ASCII characters',
      );
    }
    const key = `${PRINCIPAL} ${given.replace(/^"(.*)"$/, '$1')}`;
    const answer = store.begin(key, fingerprintOf(request));
    if (answer !== undefined) return replay(reply, answer);
    begun.set(request, key);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const key = begun.get(request);
    if (key === undefined) return;
    begun.delete(request);
    const final = reply.statusCode < 500 && typeof payload === 'string';
    store.end(key, final ? answerOf(reply, payload) : undefined);
  });
}

function fingerprintOf(request: FastifyRequest): string {
  const body = JSON.stringify(request.body ?? null);
  return createHash('sha256').update(`${request.url}\n${body}`).digest('base64url');
}

function answerOf(reply: FastifyReply, body: string): Answer {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return { status: reply.statusCode, headers: Object.fromEntries(headers), body };
}

function replay(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply
    .status(status)
    .headers({ ...headers, 'idempotency-replayed': 'true' })
    .serializer((text: unknown) => String(text))
    .send(body);
}
