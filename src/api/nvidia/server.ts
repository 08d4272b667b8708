import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { isLoopback } from '../../common/loopback.ts';
import type { Orchestrator } from '../../control/types.ts';
import { NOTHING, Refused, type Reply, refusal, result } from './answer.ts';
import { type Caller, Gate } from './auth.ts';
import { createEndpoints, type Endpoint } from './endpoints.ts';
import { readJson } from './read-json.ts';
import { type Compat, NvidiaStreams } from './streams.ts';
import {
  createTransport,
  MAX_BODY_BYTES,
  readBody,
  send,
  sendError,
  type TransportLimits,
} from './transport.ts';

/** What a handler of civetweb gets; anything else is no endpoint's method. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE']);
const LIMITS: TransportLimits = { headersMs: 5_000, requestMs: 15_000 };

export interface NvidiaRestOptions {
  readonly host: string;
  readonly port: number;
  readonly compat: Compat;
  readonly maxStreams: number;
  readonly addTimeoutMs: number;
  readonly token?: string;
  readonly adminToken?: string;
  readonly orchestrator: Orchestrator;
  readonly logger: Logger;
  readonly notReadyBecause: () => readonly string[];
  /** Called by app/quit, after its answer is on the way. */
  readonly onQuit: () => void;
  readonly limits?: TransportLimits;
}

export interface NvidiaRestServer extends AsyncDisposable {
  readonly url: string;
  /** Takes no new request and ends those that are open. */
  close(): Promise<void>;
}

/**
 * Starts the server that answers as nvmultiurisrcbin's does (docs/nvidia-rest.md). Throws `SL_PORT_TAKEN`, and
 * `SL_CONFIG_INVALID` for an address others can reach without a token.
 */
export async function startNvidiaRest(options: NvidiaRestOptions): Promise<NvidiaRestServer> {
  const { host, port, limits = LIMITS } = options;
  refuseOpenDoor(options);
  const facade = new Facade(options);
  const server = createTransport((request, response) => facade.answer(request, response), limits);
  const listening = once(server, 'listening');
  server.listen({ host, port });
  try {
    await listening;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new SightlineError(
      'SL_PORT_TAKEN',
      `Cannot listen on ${host}:${port} for NVIDIA's API: another program does. Choose another with nvidiaRest.port`,
      { cause },
    );
  }
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const { port: bound } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${bound}`, close, [Symbol.asyncDispose]: close };
}

function refuseOpenDoor({ host, token }: NvidiaRestOptions): void {
  if (token !== undefined || isLoopback(host)) return;
  throw new SightlineError(
    'SL_CONFIG_INVALID',
    `Cannot serve NVIDIA's API on ${host} without a token: whoever reaches it could start and end streams. Set nvidiaRest.token, or nvidiaRest.host to 127.0.0.1`,
  );
}

class Facade {
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #gate: Gate;
  readonly #logger: Logger;

  constructor(options: NvidiaRestOptions) {
    const { orchestrator, logger, notReadyBecause, onQuit } = options;
    const streams = new NvidiaStreams(options);
    const context = { orchestrator, logger, streams, notReadyBecause, onQuit };
    this.#endpoints = createEndpoints(context);
    this.#gate = new Gate(options);
    this.#logger = logger;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const endpoint = this.#endpoints.get(pathOf(request.url ?? ''));
      const { method = '' } = request;
      if (method === 'PATCH') sendError(response, 405, 'PATCH method not allowed');
      else if (endpoint === undefined || !METHODS.has(method))
        sendError(response, 404, 'Not Found');
      else send(response, await this.#reply(request, endpoint));
    } catch (error) {
      // The client went away while it was talking.
      this.#logger.debug({ message: toSightlineError(error).message }, 'nvidia.request-broken');
      response.destroy();
    }
  }

  async #reply(request: IncomingMessage, endpoint: Endpoint): Promise<Reply> {
    const caller = this.#gate.check(request.headers.authorization);
    const refused = this.#refuse(request, caller);
    if (refused !== undefined) return refused;
    const body = await readBody(request);
    if (body === undefined) {
      return refusal(413, `The body is larger than ${MAX_BODY_BYTES} bytes`);
    }
    const { method } = endpoint;
    if (method !== 'any' && method !== request.method) return NOTHING;
    try {
      const text = String(request.headers.accept ?? '').includes('text/plain');
      return await endpoint.handle({ body: readJson(body) ?? null, text, caller });
    } catch (error) {
      if (error instanceof Refused) return result(error.status, error.message);
      const { code, message } = toSightlineError(error);
      this.#logger.error({ code, message, path: pathOf(request.url ?? '') }, 'nvidia.failed');
      return result(500, 'Internal error, see the log of the server');
    }
  }

  #refuse(request: IncomingMessage, caller: Caller): Reply | undefined {
    if (!caller.known) return refusal(401, 'A bearer token is needed');
    // Without a token any page in a browser on this machine could ask; what is no browser sends no origin.
    const fromPage = request.headers.origin !== undefined && request.method !== 'GET';
    if (this.#gate.open && fromPage) {
      return refusal(403, 'Requests of web pages need a token (nvidiaRest.token)');
    }
    return undefined;
  }
}

/** What stands before the query, percent-decoded as civetweb does. */
function pathOf(url: string): string {
  const [path = ''] = url.split('?', 1);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
